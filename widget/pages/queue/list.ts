/** The rows that are shown, and which of them the keys are about. */

import { isTyping } from '../keys';

export const list = document.querySelector('.queue') as HTMLOListElement;

const empty = document.querySelector('.empty') as HTMLElement;
const more = document.querySelector('.more') as HTMLElement;
const chosen = document.querySelector('.chosen') as HTMLElement;
let at: HTMLElement | undefined;
/** Everything shown was decided by keys: what comes next is the current one. */
let ranOut = false;

/** Rows that are not on their way out. */
export function rows(): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>('.row:not(.going)')];
}

export function idOf(row: HTMLElement): string {
  return row.id.slice(2);
}

export function rowOf(id: string): HTMLElement | null {
  return document.getElementById(`c-${id}`);
}

/** The row that has the keyboard or, where none has it, had it last. */
export function current(): HTMLElement | undefined {
  const focused = document.activeElement?.closest<HTMLElement>('.row');
  if (focused && list.contains(focused)) return focused;
  return at?.isConnected ? at : undefined;
}

/** Make it the current row, and leave the keyboard where it is. */
function mark(row: HTMLElement | undefined): void {
  if (at !== row) at?.removeAttribute('aria-current');
  at = row;
  ranOut = false;
  row?.setAttribute('aria-current', 'true');
}

export function select(row: HTMLElement | undefined): void {
  mark(row);
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: 'nearest' });
}

/** Go to the next row, or the one before. */
export function step(by: 1 | -1): void {
  const all = rows();
  const here = current();
  const place = here ? all.indexOf(here) : -1;
  if (all.length) select(all[here ? Math.min(Math.max(place + by, 0), all.length - 1) : 0]);
}

/** Take rows out of sight, and go on with what comes behind them. */
export function hide(gone: HTMLElement[]): void {
  const here = current();
  const all = rows();
  for (const row of gone) row.classList.add('going');
  // The bar that has the keyboard goes with the last row that is selected.
  const last = document.activeElement?.closest('.bulk') ? gone.at(-1) : here;
  if (last && gone.includes(last)) {
    const behind = all.slice(all.indexOf(last)).find((row) => !gone.includes(row));
    select(behind ?? rows().at(-1));
    ranOut = !rows().length;
  }
  tidy();
}

export function bringBack(gone: HTMLElement[]): void {
  for (const row of gone) row.classList.remove('going');
  tidy();
  if (!isTyping(document.activeElement)) select(gone[0]);
}

/** Whether somebody is writing in a row: it must not be taken from under their hands. */
export function isBusy(row: HTMLElement): boolean {
  return row.matches('.going, :has(.editing), :has(details[open] input:not(:placeholder-shown))');
}

/** Close the field whose wording is saved, unless somebody went on writing in it. */
export function endEditing(row: HTMLElement, saved: string | undefined): void {
  const field = row.querySelector<HTMLTextAreaElement>('.editing textarea');
  if (!field || field.value !== saved) return;
  const editing = field.closest('.editing');
  if (editing?.contains(document.activeElement)) select(row);
  editing?.remove();
}

/** Say how many rows are selected. */
export function showChosen(): void {
  const boxes = list.querySelectorAll('.row:not(.going) .pick input:checked');
  chosen.textContent = String(boxes.length);
}

/** Headings without rows go; so does the list without any. */
export function tidy(): void {
  for (const heading of list.querySelectorAll<HTMLElement>('.heading')) {
    let next = heading.nextElementSibling;
    while (next?.matches('.going')) next = next.nextElementSibling;
    heading.hidden = !next?.matches('.row');
  }
  const isEmpty = !rows().length;
  list.hidden = isEmpty;
  empty.hidden = !isEmpty || !more.hidden;
  showChosen();
}

/** Where the next page begins; null where there is none. */
export function setNext(cursor: string | null): void {
  const url = new URL(location.href);
  for (const name of ['done', 'did', 'failed']) url.searchParams.delete(name);
  if (cursor) url.searchParams.set('cursor', cursor);
  (more.firstElementChild as HTMLAnchorElement).href = url.href;
  more.hidden = !cursor;
}

export function hasMore(): boolean {
  return !more.hidden;
}

function headingOf(row: Element): HTMLElement | undefined {
  let before: Element | null = row;
  while (before && !before.matches('.heading')) before = before.previousElementSibling;
  return (before as HTMLElement | null) ?? undefined;
}

/**
 * Put rows where the order has them; what is shown already is replaced by what it is now.
 * Without an order they are those that something was done with: what is written in them goes on.
 */
export function place(made: HTMLElement[], order?: string[]): void {
  for (const row of made) {
    const heading = headingOf(row);
    const shown = document.getElementById(row.id);
    if (!shown) {
      // What was settled and has gone since, before this came, is not to be seen again.
      if (order && !row.matches('.settled')) insert(row, heading, order);
    } else if (!(order ? isBusy(shown) : shown.matches('.going'))) replace(shown, row);
  }
  tidy();
  goOn();
}

/** Where all that was shown had gone, go on with what is there now. */
export function goOn(): void {
  const [first] = rows();
  if (ranOut && first && document.activeElement === document.body) select(first);
}

function replace(shown: HTMLElement, row: HTMLElement): void {
  const focused = shown.contains(document.activeElement)
    ? (document.activeElement as HTMLElement)
    : undefined;
  const editing = shown.querySelector('.editing');
  const reasons = shown.querySelector('.reject[open]');
  const box = row.querySelector<HTMLInputElement>('.pick input');
  if (box) box.checked = !!shown.querySelector<HTMLInputElement>('.pick input')?.checked;
  shown.replaceWith(row);
  if (editing) row.querySelector('.passage, .settled > p')?.after(editing);
  if (reasons) row.querySelector('.reject')?.replaceWith(reasons);
  if (focused && row.contains(focused)) {
    mark(row);
    focused.focus({ preventScroll: true });
  } else if (focused) select(row);
  else if (shown === at) mark(row);
}

function insert(row: HTMLElement, heading: HTMLElement | undefined, order: string[]): void {
  const before = order
    .slice(0, order.indexOf(idOf(row)))
    .reverse()
    .map(rowOf)
    .find((found) => found?.isConnected);
  row.classList.add('fresh');
  if (!heading) {
    if (before) before.after(row);
    else list.prepend(row);
    return;
  }
  const known = [...list.querySelectorAll<HTMLElement>('.heading')].find(
    (each) => each.dataset.article === heading.dataset.article,
  );
  const own = known ?? (heading.cloneNode(true) as HTMLElement);
  if (!known) {
    if (before) before.after(own);
    else list.prepend(own);
  }
  (before && headingOf(before) === own ? before : own).after(row);
}
