import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { type PassageSelector, selectorOf } from '../src/selector';
import { articleOf, articleText, checksum } from '../src/text';

/** The selector of what stands between the marks `[` and `]` in a page's source. */
function selected(html: string, context?: number): PassageSelector | null {
  const document = new JSDOM(html).window.document;
  const range = document.createRange();
  for (const [mark, isStart] of [
    ['[', true],
    [']', false],
  ] as const) {
    const walker = document.createTreeWalker(document.documentElement, 4);
    while (walker.nextNode()) {
      const node = walker.currentNode as Text;
      const offset = node.data.indexOf(mark);
      if (offset < 0) continue;
      node.deleteData(offset, 1);
      if (isStart) range.setStart(node, offset);
      else range.setEnd(node, offset);
    }
  }
  return selectorOf(range, articleOf(document), context);
}

test('a word', () => {
  expect(selected('<article><p>hello [wrold] text</p></article>')).toEqual({
    exact: 'wrold',
    prefix: 'hello ',
    suffix: ' text',
    start: 6,
    end: 11,
    revision: checksum('hello wrold text'),
  });
});

test.each([
  ['across inline elements', '<p>a <b>b[c</b> <i>d]e</i></p>', 'c d', 3],
  ['white space at both ends is left out', '<p>a [ b ] c</p>', 'b', 2],
  ['across paragraphs', '<p>a [b</p>\n<p>c] d</p>', 'b\n\nc', 2],
  ['across a line break', '<p>a [b<br>\n c] d</p>', 'b\nc', 2],
  ['across table cells', '<table><tr><td>a[b</td><td>c]d</td></table>', 'b\n\nc', 1],
  ['to the beginning of the next block', '<p>a</p><p>[b c</p><p>]d</p>', 'b c', 3],
  ['from the end of the block before', '<p>a[</p><p>b] c</p>', 'b', 3],
  ['beginning in a skipped element', '<p>a <button>x[y</button>b] c</p>', 'b', 2],
  ['ending in a skipped element', '<p>a [b<button>x]y</button> c</p>', 'b', 2],
  ['around a skipped element', '<p>a [b<script>x</script>c] d</p>', 'bc', 2],
  ['with preserved white space', '<pre>a\n  [b  c]\nd</pre>', 'b  c', 4],
  ['after letters beyond the basic plane', '<p>😀 e\u0301 [𠮷x]</p>', '𠮷x', 5],
  ['right to left', '<p dir=rtl>אבג [דהו] ז</p>', 'דהו', 4],
  [
    'a ruby annotation is no part of its word',
    '<p><ruby>[漢<rt>かん</rt>字<rt>じ</rt></ruby>]を</p>',
    '漢字',
    0,
  ],
])('%s', (_, html, exact, start) => {
  const found = selected(`<article>${html}</article>`);
  expect(found?.exact).toBe(exact);
  expect(found?.start).toBe(start);
  expect(found?.end).toBe(start + [...exact].length);
});

test.each([
  ['nothing selected', '<article>a[]b</article>'],
  ['only white space', '<article>a[ ]b</article>'],
  ['only a boundary', '<article><p>a[</p><p>]b</p></article>'],
  ['all before the article', '<p>[x]</p><article>a</article>'],
  ['all after the article', '<article>a</article><p>[x]</p>'],
  ['all in a skipped element', '<article>a<button>[x]</button>b</article>'],
])('%s is no selection', (_, html) => {
  expect(selected(html)).toBeNull();
});

test('a selection is clipped to the article', () => {
  const html = (inside: string) => `<p>[x</p><article><p>${inside}</p></article><p>y]</p>`;
  expect(selected(html('a b'))).toEqual({
    exact: 'a b',
    prefix: '',
    suffix: '',
    start: 0,
    end: 3,
    revision: checksum('a b'),
  });
});

test('a range that ends on elements, as a triple click may leave it', () => {
  const document = new JSDOM('<article><p>a b</p><p>c</p><p>d</p></article>').window.document;
  const article = articleOf(document);
  const range = document.createRange();
  range.setStart(article, 1);
  range.setEnd(article, 2);
  expect(selectorOf(range, article)?.exact).toBe('c');
  range.setEnd(article.children[2] as Element, 0);
  expect(selectorOf(range, article)?.exact).toBe('c');
  range.selectNodeContents(document.documentElement);
  expect(selectorOf(range, article)?.exact).toBe('a b\n\nc\n\nd');
});

test('a range in another document is no selection', () => {
  const [one, two] = ['<article>a</article>', '<article>b</article>'].map(
    (html) => new JSDOM(html).window.document,
  ) as [Document, Document];
  const range = one.createRange();
  range.selectNodeContents(one.body);
  expect(selectorOf(range, articleOf(two))).toBeNull();
});

test('context is 64 code points, of which none is cut in two', () => {
  const found = selected(`<article>${'😀'.repeat(70)}a[b]c${'😀'.repeat(70)}</article>`);
  expect(found?.prefix).toBe(`${'😀'.repeat(63)}a`);
  expect(found?.suffix).toBe(`c${'😀'.repeat(63)}`);
  expect(found?.start).toBe(71);
});

test('context does not cut a grapheme', () => {
  const family = '👩‍👩‍👧';
  expect(selected(`<article>${family}ab[c]de${family}</article>`, 4)).toMatchObject({
    prefix: 'ab',
    suffix: 'de',
  });
  expect(selected('<article>xe\u0301b[c]de\u0301y</article>', 2)).toMatchObject({
    prefix: 'b',
    suffix: 'd',
  });
});

test('context crosses the boundary of a paragraph', () => {
  expect(selected('<article><p>a</p><p>[b]</p><p>c</p></article>')).toMatchObject({
    prefix: 'a\n\n',
    suffix: '\n\nc',
  });
});

test('positions are those of the article’s text', () => {
  const html = '<article><p>😀 a  <b>b</b></p><p>[c&shy;d]<br>e</p></article>';
  const found = selected(html) as PassageSelector;
  const document = new JSDOM(html.replace(/[[\]]/g, '')).window.document;
  const characters = [...articleText(articleOf(document)).text];
  expect(characters.slice(found.start, found.end).join('')).toBe(found.exact);
  expect(characters.slice(0, found.start).join('')).toBe(found.prefix);
});
