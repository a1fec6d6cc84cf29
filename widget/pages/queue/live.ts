/** Keeps the open page up to date: asks every few seconds whether anything has changed. */

import { hasMore, idOf, isBusy, list, place, rowOf, rows, setNext } from './list';

const SECONDS = 5;
const MOST_SECONDS = 60;
const MOST_ROWS = 100;
const LIMIT = Number(list.dataset.limit);

interface Now {
  order: string[];
  counts: Record<string, string>;
  next: string | null;
}

interface Policy {
  createHTML(html: string): string;
}
const policy: Policy = (
  window as unknown as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }
).trustedTypes?.createPolicy('corrigenda', { createHTML: (html) => html }) ?? {
  createHTML: (html) => html,
};

const lost = document.querySelector('.lost') as HTMLElement;
let known = Number(list.dataset.changes);
let counted = known;
let wait = SECONDS;
let isAsking = false;
let isAskedAgain = false;
let timer = 0;

/** An address of the queue for the view that is open. */
export function address(path: string, changed: Record<string, string> = {}): string {
  const asked = new URLSearchParams(location.search);
  for (const name of ['done', 'did', 'failed']) asked.delete(name);
  for (const [name, value] of Object.entries(changed)) asked.set(name, value);
  return `${path}?${asked}`;
}

/** Say that the service is not there, or nobody is signed in any more. */
export function tellLost(status?: number): void {
  const isOver = status === 401;
  lost.textContent = (isOver ? lost.dataset.over : lost.dataset.lost) ?? '';
  lost.hidden = false;
  if (isOver) {
    const link = Object.assign(document.createElement('a'), {
      href: `/login?next=${encodeURIComponent(location.pathname + location.search)}`,
      textContent: '→',
    });
    lost.append(' ', link);
  }
}

/** Show the counts after so many changes, unless later ones are shown: answers may come late. */
export function showCounts(counts: Record<string, string>, changes: number): void {
  if (changes < counted) return;
  counted = changes;
  for (const [name, count] of Object.entries(counts)) {
    const shown = document.querySelector(`[data-count=${name}]`);
    if (shown) shown.textContent = count;
  }
  const here = document.querySelector('.tabs [aria-current] .count')?.textContent;
  document.title = document.title.replace(/\([^)]*\)/, `(${here})`);
}

/** Own changes need not be asked for, unless others came between. */
export function adopt(since: number, changes: number, own: number): void {
  if (since === known && changes - since === own) known = changes;
}

/** Ask what has changed; with `all`, also where nothing did: rows are missing. */
export async function sync(all = false): Promise<void> {
  if (isAsking) {
    isAskedAgain ||= all;
    return;
  }
  isAsking = true;
  list.setAttribute('aria-busy', String(all));
  try {
    await ask(all);
    lost.hidden = true;
    wait = SECONDS;
  } catch (error) {
    wait = Math.min(wait * 2, MOST_SECONDS);
    tellLost(error instanceof Response ? error.status : undefined);
  } finally {
    isAsking = false;
    list.removeAttribute('aria-busy');
  }
  if (isAskedAgain) {
    isAskedAgain = false;
    await sync(true);
  }
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(url, { headers, cache: 'no-store' });
  // Whoever has no session is led to the sign-in.
  if (answer.redirected) throw new Response(null, { status: 401 });
  if (!answer.ok && answer.status !== 304) throw answer;
  return answer;
}

async function ask(all: boolean): Promise<void> {
  const limit = String(Math.min(Math.max(LIMIT, rows().length), 2 * MOST_ROWS));
  const answer = await get(
    address('/review/live', { limit }),
    all ? {} : { 'If-None-Match': `W/"${known}"` },
  );
  if (answer.status === 304) return;
  const now = (await answer.json()) as Now;
  known = Number(answer.headers.get('ETag')?.match(/\d+/)?.[0]);
  const order = now.order.map((key) => key.split('.')[0] ?? '');
  const changed = now.order.filter((key, place) => {
    const row = rowOf(order[place] ?? '');
    return row ? row.dataset.key !== key && !isBusy(row) : true;
  });
  const left = rows().filter(
    (row) => !order.includes(idOf(row)) && !row.matches('.settled') && !isBusy(row),
  );
  await fetchRows([...changed.map((key) => key.split('.')[0] ?? ''), ...left.map(idOf)], order);
  showCounts(now.counts, known);
  setNext(now.next);
}

/** Show these rows as they are now. */
export async function fetchRows(ids: string[], order?: string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += MOST_ROWS) {
    const id = ids.slice(from, from + MOST_ROWS).join(',');
    const html = await (await get(address('/review/rows', { id }))).text();
    const holder = document.createElement('template');
    holder.innerHTML = policy.createHTML(html);
    place([...holder.content.querySelectorAll<HTMLElement>('.row')], order);
  }
}

/** Fill up what was decided away. */
export function refill(): void {
  if (hasMore() && rows().length < LIMIT / 2) void sync(true);
}

async function poll(): Promise<void> {
  clearTimeout(timer);
  if (!document.hidden) await sync();
  timer = window.setTimeout(poll, wait * 1000);
}

export function begin(): void {
  document.addEventListener('visibilitychange', () => void poll());
  timer = window.setTimeout(poll, wait * 1000);
}
