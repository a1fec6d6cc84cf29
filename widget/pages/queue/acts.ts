/** Doing something with rows: at once on screen, then at the service; and undoing it. */

import { bringBack, endEditing, goOn, hide, isBusy, rowOf } from './list';
import { address, adopt, fetchRows, refill, showCounts, sync, tellLost } from './live';

interface Answer {
  outcomes: { id: string; key: string | null; problem: string | null }[];
  said: string;
  since: number;
  changes: number;
  counts: Record<string, string>;
}

const MOVES = ['accepted', 'fixed', 'rejected', 'spam', 'new'];
const LEAVING = [...MOVES, 'free'];

const form = document.getElementById('act') as HTMLFormElement;
const told = document.querySelector('.done') as HTMLElement;
const toast = document.getElementById('toast') as HTMLTemplateElement;

/** What can be undone, the newest last: the keys that the rows had afterwards. */
const undoable: Promise<string[]>[] = [];

/** The newest act, told: answers may overtake each other, what they say may not. */
let finished: Promise<unknown> = Promise.resolve();

/** Where it is kept while other pages are looked at, for this editor and site. */
const KEPT = `corrigenda.undo ${document.querySelector('.whose')?.textContent}`;
const MOST_KEPT = 100;

async function keep(): Promise<void> {
  const done = await Promise.all(undoable);
  sessionStorage.setItem(
    KEPT,
    JSON.stringify(done.filter((keys) => keys.length).slice(-MOST_KEPT)),
  );
}

/** Do one thing with rows; whether the service answered. */
export async function act(
  verb: string,
  rows: HTMLElement[],
  fields: Record<string, string> = {},
): Promise<boolean> {
  if (!rows.length) return false;
  const keys = rows.map((row) => row.dataset.key ?? '');
  const quote = rows.length === 1 ? quoteOf(rows[0]) : '';
  if (LEAVING.includes(verb)) hide(rows);
  const sent = send(verb, keys, fields);
  const done = finished
    .then(() => sent)
    .then((answer) => finish(verb, rows, answer, quote, fields.wording));
  finished = Promise.allSettled([done]);
  if (MOVES.includes(verb)) {
    undoable.push(done);
    void keep();
  }
  return (await sent) !== undefined;
}

/** Take back what was done last. */
export async function undo(): Promise<void> {
  const keys = await undoable.pop();
  if (keys === undefined) return;
  if (!keys.length) return undo();
  const answer = await send('undo', keys, {});
  if (!answer) return void undoable.push(Promise.resolve(keys));
  void keep();
  for (const { id } of answer.outcomes) {
    const row = rowOf(id);
    if (row && !isBusy(row)) row.remove();
  }
  tell(answer, '', false);
  await sync(true);
  const first = rowOf(answer.outcomes[0]?.id ?? '');
  if (first) bringBack([first]);
}

/** What was done before this page, and what it was opened with, can be undone too. */
export function remember(): void {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? '[]') as string[][];
  const fields = [...told.querySelectorAll<HTMLInputElement>('input[name=ids]')];
  const last = fields.map((field) => field.value);
  if (last.length && String(kept.at(-1)) !== String(last)) kept.push(last);
  undoable.push(...kept.map((keys) => Promise.resolve(keys)));
  void keep();
}

async function send(
  verb: string,
  keys: string[],
  fields: Record<string, string>,
): Promise<Answer | undefined> {
  const body = new URLSearchParams({ act: verb, ...fields });
  const token = form.querySelector<HTMLInputElement>('input[type=hidden]');
  if (token) body.set(token.name, token.value);
  for (const key of keys) body.append('ids', key);
  try {
    const url = address('/review/moves');
    const answer = await fetch(url, {
      method: 'POST',
      body,
      headers: { Accept: 'application/json' },
    });
    if (answer.redirected) tellLost(401);
    else if (answer.ok) return (await answer.json()) as Answer;
    else if (answer.status === 401) tellLost(401);
    else say(((await answer.json()) as { detail: string }).detail);
  } catch {
    tellLost();
  }
  return undefined;
}

/** Show what became of it; returns the keys of what can be undone. */
function finish(
  verb: string,
  rows: HTMLElement[],
  answer: Answer | undefined,
  quote: string,
  wording: string | undefined,
): string[] {
  if (!answer) {
    if (LEAVING.includes(verb)) bringBack(rows);
    return [];
  }
  const good = answer.outcomes.filter((outcome) => outcome.key);
  adopt(answer.since, answer.changes, good.length);
  const stay: string[] = [];
  for (const { id, key } of answer.outcomes) {
    const row = rowOf(id);
    if (key && LEAVING.includes(verb)) row?.remove();
    else {
      row?.classList.remove('going');
      if (row && key) endEditing(row, wording);
      stay.push(id);
    }
  }
  // What came while a row that goes had the focus waits for it to be gone.
  goOn();
  if (stay.length) void fetchRows(stay).catch(() => tellLost());
  showCounts(answer.counts, answer.changes);
  tell(answer, quote, MOVES.includes(verb) && good.length > 0);
  refill();
  return good.map((outcome) => outcome.key ?? '');
}

function tell(answer: Answer, quote: string, canUndo: boolean): void {
  const good = answer.outcomes.some((outcome) => outcome.key);
  const problems = answer.outcomes.flatMap(({ problem }) => (problem ? [problem] : []));
  say(good ? answer.said + quote : '', [...new Set(problems)], canUndo);
}

function say(text: string, problems: string[] = [], canUndo = false): void {
  const made = toast.content.cloneNode(true) as DocumentFragment;
  const [strong, button] = [made.querySelector('strong'), made.querySelector('button')];
  if (strong) strong.textContent = text;
  for (const problem of problems) {
    const line = document.createElement('span');
    line.className = 'problem';
    line.textContent = problem;
    strong?.after(' ', line);
  }
  if (canUndo) button?.addEventListener('click', () => void undo());
  else button?.remove();
  told.replaceChildren(made);
}

function quoteOf(row: HTMLElement | undefined): string {
  const label = row?.querySelector('.pick .unseen')?.textContent ?? '';
  const passage = label.slice(label.indexOf(':') + 1).trim();
  return passage ? `: ${passage}` : '';
}
