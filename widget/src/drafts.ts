import type { Values } from './form';
import { DRAFTS } from './parts';

/** A try at sending whose answer is not known: the same key makes the same report, once. */
export interface Attempt {
  url: string;
  key: string;
  body: string;
}

/** What a reader wrote about one passage of one page. */
export interface Draft {
  at: number;
  fields: Values;
  attempt?: Attempt | undefined;
}

/** A draft that was sent without an answer. */
export type Tried = Draft & { attempt: Attempt };

const MONTH = 30 * 24 * 3600 * 1000;

/** Where the browser keeps nothing for us, the page does. */
let memory: string | undefined;

/** Whether the browser has what the page has: it may let nobody write, or be full. */
let isKept = true;

/** All drafts by what they are about. */
export function drafts(): Record<string, Draft> {
  try {
    if (isKept) memory = localStorage[DRAFTS];
  } catch {}
  try {
    const kept: [string, Draft][] = Object.entries(JSON.parse(memory ?? '{}'));
    return Object.fromEntries(kept.filter(([, { at }]) => at > Date.now() - MONTH));
  } catch {
    return {};
  }
}

/** Keeps a draft in place of the one about the same passage; without one, only drops that. */
export function keep(about: string, draft?: Draft): void {
  replace({ ...drafts(), [about]: draft });
}

/** Keeps these and no others; undefined ones are dropped. */
export function replace(all: Record<string, Draft | undefined>): void {
  memory = JSON.stringify(all);
  isKept = false;
  try {
    if (memory === '{}') delete localStorage[DRAFTS];
    else localStorage[DRAFTS] = memory;
    isKept = true;
  } catch {}
}

/** The first draft that was sent without an answer, and what it is about. */
export function unsent(): [string, Tried] | undefined {
  return Object.entries(drafts()).find((entry): entry is [string, Tried] => !!entry[1].attempt);
}
