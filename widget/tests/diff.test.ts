import fc from 'fast-check';
import { expect, test } from 'vitest';
import { difference, type Piece } from '../src/diff';

const told = (pieces: Piece[]) =>
  pieces
    .map(([name, text]) => ({ span: text, del: `[-${text}-]`, ins: `{+${text}+}` })[name])
    .join('');

test.each([
  ['a word', 'The brigde opened', 'The bridge opened', 'The [-brigde-]{+bridge+} opened'],
  ['two words far apart', 'a bb c dd e', 'a bx c dx e', 'a [-bb-]{+bx+} c [-dd-]{+dx+} e'],
  ['a word taken out', 'the very end', 'the end', 'the [-very -]end'],
  ['a word put in', 'the end', 'the very end', 'the {+very +}end'],
  ['nothing before', '', 'new', '{+new+}'],
  ['nothing after', 'old', '', '[-old-]'],
])('%s', (_, before, after, expected) => {
  expect(told(difference(before, after))).toBe(expected);
});

test('what is kept and taken out makes the text before, what is kept and put in the text after', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      (before, after) => {
        const pieces = difference(before, after);
        const without = (name: string) =>
          pieces
            .filter((piece) => piece[0] !== name)
            .map(([, text]) => text)
            .join('');
        expect([without('ins'), without('del')]).toEqual([before, after]);
      },
    ),
  );
});

test('equal texts have no difference', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(difference(text, text).every(([name]) => name === 'span')).toBe(true);
    }),
  );
});
