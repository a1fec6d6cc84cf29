/** The rows that are shown, and which of them the keys are about. */

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

export function select(row: HTMLElement | undefined): void {
  if (at !== row) at?.removeAttribute('aria-current');
  at = row;
  ranOut = false;
  row?.setAttribute('aria-current', 'true');
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
  select(gone[0]);
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

/** Put rows where the order has them; what is shown already is replaced by what it is now. */
export function place(made: HTMLElement[], order: string[]): void {
  for (const row of made) {
    const heading = headingOf(row);
    const shown = document.getElementById(row.id);
    if (shown?.matches('.going')) continue;
    if (shown) replace(shown, row);
    else insert(row, heading, order);
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
  const isCurrent = shown === current();
  const box = row.querySelector<HTMLInputElement>('.pick input');
  if (box) box.checked = !!shown.querySelector<HTMLInputElement>('.pick input')?.checked;
  shown.replaceWith(row);
  if (isCurrent) select(row);
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
