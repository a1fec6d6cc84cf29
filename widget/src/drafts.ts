import { DRAFTS } from './parts';

/** A try at sending whose answer is not known: the same key makes the same report, once. */
export interface Attempt {
  url: string;
  key: string;
  body: string;
}

/** What a reader wrote about one passage of one page. */
export interface Draft {
  /** The page and the passage. */
  about: string;
  at: number;
  fields: Record<string, string>;
  attempt?: Attempt;
}

const MONTH = 30 * 24 * 3600 * 1000;
const MOST = 20;

/** Where the browser keeps nothing for us, the page does. */
let memory = '[]';

export function drafts(): Draft[] {
  let kept: unknown;
  try {
    memory = localStorage.getItem(DRAFTS) ?? '[]';
  } catch {}
  try {
    kept = JSON.parse(memory);
  } catch {}
  return Array.isArray(kept) ? kept.filter((draft: Draft) => draft?.at > Date.now() - MONTH) : [];
}

function keep(all: Draft[]): void {
  memory = JSON.stringify(all.slice(-MOST));
  try {
    if (all.length) localStorage.setItem(DRAFTS, memory);
    else localStorage.removeItem(DRAFTS);
  } catch {}
}

export function draftOf(about: string): Draft | undefined {
  return drafts().find((draft) => draft.about === about);
}

/** Keeps a draft in place of the one about the same passage. */
export function save(draft: Draft): void {
  keep([...drafts().filter(({ about }) => about !== draft.about), draft]);
}

export function drop(about: string): void {
  keep(drafts().filter((draft) => draft.about !== about));
}

/** The drafts that were sent without an answer. */
export function unsent(): (Draft & { attempt: Attempt })[] {
  return drafts().filter((draft): draft is Draft & { attempt: Attempt } => !!draft.attempt);
}
