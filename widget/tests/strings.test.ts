import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Config, Words } from '../src/parts';
import { sayer } from '../src/words';

// The service checks the other groups: tests/web/test_strings.py.
const FOLDER = 'service/strings';
const file = (tag: string) => JSON.parse(readFileSync(`${FOLDER}/${tag}.json`, 'utf8'));
const read = (tag: string): Record<string, Words> => file(tag).widget;
const tags = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
const english = read('en');
const source = ['dialog', 'form', 'words']
  .map((name) => readFileSync(`widget/src/${name}.ts`, 'utf8'))
  .join();
const markup = readFileSync('widget/src/template.html', 'utf8');

test('there are the promised languages', () => {
  expect(tags).toEqual(
    ['ar', 'de', 'en', 'es', 'fr', 'he', 'it', 'ja', 'pl', 'pt', 'ru', 'uk', 'zh-Hans'].sort(),
  );
});

test.each(tags)('%s is complete: the same names in the same order as in English', (tag) => {
  expect(Object.keys(read(tag))).toEqual(Object.keys(english));
});

test.each(tags)('%s says who has checked it', (tag) => {
  expect(file(tag)._checked).toMatch(/^(written in|read by|not yet read by a native reader)/);
});

test.each(tags)('%s has every plural form of its language and keeps the number', (tag) => {
  const categories = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
  for (const [name, words] of Object.entries(read(tag))) {
    expect(typeof words).toBe(typeof english[name]);
    if (typeof words === 'string') expect(words.trim()).not.toBe('');
    else {
      expect(Object.keys(words).sort()).toEqual([...categories].sort());
      expect(words.other).toContain('{n}');
    }
  }
});

test('every string is used, and every one that is used is there', () => {
  for (const name of Object.keys(english).filter((name) => !name.startsWith('category_'))) {
    const isUsed =
      new RegExp(`'${name}'|\\b${name}:`).test(source) ||
      /^(privacy|contact)$/.test(name) ||
      markup.includes(`"${name.replace('_', '-')}"`);
    expect([name, isUsed]).toEqual([name, true]);
  }
  for (const [, name = ''] of source.matchAll(/say\('(\w+)'/g))
    expect(english).toHaveProperty(name);
});

function say(tag: string) {
  return sayer({ strings: read(tag), locale: tag } as unknown as Config);
}

test.each([
  ['en', 1, 'Reported 1 time before.'],
  ['en', 3, 'Reported 3 times before.'],
  ['uk', 21, 'Раніше про це повідомили 21 раз.'],
  ['uk', 3, 'Раніше про це повідомили 3 рази.'],
  ['uk', 12, 'Раніше про це повідомили 12 разів.'],
  ['ar', 2, 'أُبلغ عنه مرتين من قبل.'],
  ['ja', 5, 'これまでに5回報告されています。'],
])('%s counts %i', (tag, count, expected) => {
  expect(say(tag)('already', count)).toBe(expected);
});

test('a name without a string says nothing', () => {
  expect(say('en')('category_haiku')).toBe('');
});
