// @vitest-environment jsdom
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import type { Config, Embed, Place } from '../src/parts';
import { targetOf, written } from '../src/target';

const config = { limits: { title: 5, url: 40 } } as Config;
const target = (here: Place, lang = 'en') =>
  targetOf({ here: () => here } as Embed, config, null, lang) as Record<string, unknown>;

beforeEach(() => {
  document.title = 'Title';
});

test('a canonical link is told', () => {
  expect(target({ url: 'https://n.example/a?x', canonical: 'https://n.example/a' })).toEqual({
    source: 'https://n.example/a?x',
    canonical: 'https://n.example/a',
    title: 'Title',
    lang: 'en',
    selector: undefined,
  });
});

test('a canonical link too long for the service is not told', () => {
  const canonical = `https://n.example/${'a'.repeat(40)}`;
  expect(target({ url: 'https://n.example/a', canonical }).canonical).toBe('');
});

test('a long title is cut between characters', () => {
  document.title = '😀😀😀😀😀😀';
  expect(target({ url: 'https://n.example/a', canonical: undefined }).title).toBe('😀😀😀😀😀');
});

test.each([
  ['uk', 'uk'],
  ['zh-Hans-CN', 'zh-Hans-CN'],
  ['en_US', ''],
  ['', ''],
  [`en-${'a'.repeat(33)}`, ''],
])('the language "%s" is told as "%s"', (lang, told) => {
  const here = { url: 'https://n.example/a', canonical: undefined };
  expect(target(here, lang).lang).toBe(told);
});

test('only a suggestion is told when empty', () => {
  const report = { suggestion: '', comment: '', email: '', category: '', website: '' };
  expect(JSON.parse(written(report))).toEqual({ suggestion: '' });
  expect(JSON.parse(written({ suggestion: undefined, comment: 'x' }))).toEqual({ comment: 'x' });
});

test('no report holds what the service cannot keep', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      }),
      (text) => {
        const { comment = '' } = JSON.parse(written({ comment: text }));
        expect(comment.isWellFormed?.() ?? true).toBe(true);
        expect(comment).not.toMatch(/\0|\p{Surrogate}/u);
        expect(comment).toHaveLength(text.length);
      },
    ),
  );
});
