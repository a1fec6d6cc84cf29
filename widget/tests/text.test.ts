import { readFileSync } from 'node:fs';
import { JSDOM, VirtualConsole } from 'jsdom';
import { expect, test } from 'vitest';
import { articleOf, articleText, checksum, codePoints, indexOf, rangeAt } from '../src/text';

interface Vector {
  name: string;
  html: string;
  selector?: string;
  text: string;
}

const vectors: Vector[] = JSON.parse(readFileSync('tests/vectors/text-rule.json', 'utf8'));

function page(html: string): Document {
  // With scripts on, `noscript` is parsed as a reader's browser parses it.
  const quiet = new VirtualConsole();
  return new JSDOM(html, { runScripts: 'dangerously', virtualConsole: quiet }).window.document;
}

test.each(vectors)('the text rule: $name', ({ html, selector, text }) => {
  expect(articleText(articleOf(page(html), selector)).text).toBe(text);
});

test('a NUL and a lone surrogate put in by a script count as U+FFFD', () => {
  const document = page('<article></article>');
  const article = articleOf(document);
  article.append('a\0b', '\ud83d', document.createElement('b'), '\ude00 c\ud800');
  expect(articleText(article).text).toBe('a\ufffdb😀 c\ufffd');
});

test('an attached shadow root is not entered, its host’s children count', () => {
  const document = page('<article><p>light</p></article>');
  const host = document.querySelector('p') as Element;
  host.attachShadow({ mode: 'open' }).innerHTML = '<slot></slot> shadow';
  expect(articleText(articleOf(document)).text).toBe('light');
});

test.each(vectors)('every index goes to the document and comes back: $name', (vector) => {
  const article = articleText(articleOf(page(vector.html), vector.selector));
  for (let start = 0; start < article.text.length; start++) {
    const range = rangeAt(article, start, start + 1);
    expect(range).not.toBeNull();
    if (!range) return;
    const [from, to] = [
      indexOf(article, range.startContainer, range.startOffset),
      indexOf(article, range.endContainer, range.endOffset),
    ];
    const character = article.text.slice(start, start + 1);
    // A separator has no character of its own in the document.
    if (range.toString() === character) expect([from, to]).toEqual([start, start + 1]);
    else expect(character).toMatch(/[ \n]/);
  }
});

test('a range outside of the text is none', () => {
  const article = articleText(articleOf(page('<article>abc</article>')));
  expect(rangeAt(article, 1, 3)?.toString()).toBe('bc');
  for (const [start, end] of [
    [-1, 2],
    [2, 2],
    [2, 1],
    [1, 4],
    [3, 4],
  ] as const) {
    expect(rangeAt(article, start, end)).toBeNull();
  }
});

test('lengths are counted in code points', () => {
  expect(codePoints('a😀é👩‍👩‍👧')).toBe(8);
});

test.each([
  ['', '1'],
  ['123456789', '91e01de'],
  ['é😀', 'f320414'],
])('the checksum of %j', (text, hex) => {
  expect(checksum(text)).toBe(hex);
});
