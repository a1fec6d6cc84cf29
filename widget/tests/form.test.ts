import { expect, test } from 'vitest';
import { around } from '../src/form';

const shown = (prefix: string, suffix: string) => {
  const [left, right] = around({ prefix, exact: 'brigde', suffix });
  return `${left}[]${right}`;
};

test.each([
  ['its sentence', 'Nobody knew. The new ', ' was opened. It is long.', 'The new [] was opened.'],
  ['its line', 'A heading\n\nThe new ', ' opens\n\nThe mayor', 'The new [] opens'],
  ['a quoted end', '“We are proud.” The ', ' opens!” said he', 'The [] opens!”'],
  ['Japanese, without spaces', '終わった。新しい', 'が開いた。市長', '新しい[]が開いた。'],
  ['the start of a sentence', 'Nobody knew. ', ' opens.', '[] opens.'],
  ['a short article, whole', 'The new ', ' opens', 'The new [] opens'],
])('the passage is shown in %s', (_, prefix, suffix, expected) => {
  expect(shown(prefix, suffix)).toBe(expected);
});

test('a sentence longer than its context ends with a word and an ellipsis', () => {
  expect(
    shown(
      'ing that after the floods of two years ago the new and expensive ',
      ' was opened on Friday, carrying trams, bicycles and people on fo',
    ),
  ).toBe(
    '…that after the floods of two years ago the new and expensive []' +
      ' was opened on Friday, carrying trams, bicycles and people on…',
  );
  expect(shown('年'.repeat(64), '橋'.repeat(64))).toBe(`…${'年'.repeat(64)}[]${'橋'.repeat(64)}…`);
});
