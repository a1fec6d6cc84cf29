// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { drafts, keep, replace, unsent } from '../src/drafts';
import { DRAFTS } from '../src/parts';

const fields = { suggestion: 'bridge', comment: '', category: '', email: '', website: '' };
const attempt = { url: 'https://desk.example/reports', key: '1', body: '{}' };

beforeEach(() => {
  localStorage.clear();
  replace({});
});
afterEach(() => vi.restoreAllMocks());

test('a draft is kept in the browser and found by what it is about', () => {
  const draft = { at: Date.now(), fields };
  keep('page\n6 brigde', draft);
  expect(drafts()).toEqual({ 'page\n6 brigde': draft });
  expect(JSON.parse(localStorage.getItem(DRAFTS) ?? '')).toEqual({ 'page\n6 brigde': draft });
});

test('a later draft about the same takes the place of the earlier', () => {
  keep('a', { at: Date.now() - 1, fields });
  const later = { at: Date.now(), fields: { ...fields, comment: 'more' } };
  keep('a', later);
  expect(drafts()).toEqual({ a: later });
});

test('the last draft leaves nothing behind', () => {
  keep('a', { at: Date.now(), fields });
  keep('a');
  expect(localStorage.length).toBe(0);
});

test('a draft of more than thirty days is forgotten', () => {
  const now = Date.now();
  keep('old', { at: now - 31 * 24 * 3600 * 1000, fields });
  keep('new', { at: now, fields });
  expect(Object.keys(drafts())).toEqual(['new']);
});

test('only a draft that was tried counts as unsent', () => {
  keep('written', { at: Date.now(), fields });
  expect(unsent()).toBeUndefined();
  const tried = { at: Date.now(), fields, attempt };
  keep('tried', tried);
  expect(unsent()).toEqual(['tried', tried]);
});

test.each(['null', '[]', '{"a":null}', 'not JSON'])(
  'what is not ours counts as nothing: %s',
  (found) => {
    localStorage.setItem(DRAFTS, found);
    expect(drafts()).toEqual({});
  },
);

test('where the browser keeps nothing, the page does', () => {
  const refuse = () => {
    throw new DOMException('blocked', 'SecurityError');
  };
  vi.spyOn(globalThis, 'localStorage', 'get').mockImplementation(refuse);
  const draft = { at: Date.now(), fields };
  keep('a', draft);
  expect(drafts()).toEqual({ a: draft });
});

test('where the browser has no room left, the page keeps what is new', () => {
  const draft = { at: Date.now(), fields };
  keep('a', draft);
  localStorage.setItem('of the page', 'x'.repeat(4_999_000));
  const tried = { at: Date.now(), fields: { ...fields, comment: 'long '.repeat(300) }, attempt };
  keep('a', tried);
  expect(JSON.parse(localStorage.getItem(DRAFTS) ?? '')).toEqual({ a: draft });
  expect(drafts()).toEqual({ a: tried });
  keep('a');
  expect(drafts()).toEqual({});
  expect(localStorage.getItem(DRAFTS)).toBeNull();
});
