/** The review queue: keys, and forms that are sent without leaving the page. */

import { areOn, command, listen, turn } from './keys';
import { act, remember, undo } from './queue/acts';
import { current, list, rowOf, rows, select, showChosen, step } from './queue/list';
import { begin } from './queue/live';
import { comeBack } from './queue/returning';

const form = document.getElementById('act') as HTMLFormElement;
const editing = document.getElementById('editing') as HTMLTemplateElement;
const help = document.getElementById('keys') as HTMLElement;
const bulk = document.querySelector('.bulk') as HTMLElement;

const boxes = () =>
  rows().flatMap((row) => row.querySelector<HTMLInputElement>('.pick input') ?? []);
const chosen = () => rows().filter((row) => row.querySelector('.pick input:checked'));

/** Press a button of the row, or of the bar below where rows are selected. */
function press(verb: string): void {
  const all = chosen();
  const button = all.length
    ? bulk.querySelector<HTMLElement>(`[value=${verb}]`)
    : current()?.querySelector<HTMLElement>(`[data-act=${verb}]`);
  button?.click();
}

function reject(): void {
  const box = chosen().length ? bulk : current();
  const details = box?.querySelector<HTMLDetailsElement>('.reject');
  if (!details) return;
  details.open = !details.open;
  const first = details.querySelector<HTMLElement>('button, input');
  if (details.open) first?.focus();
  else select(current());
}

function edit(row: HTMLElement | undefined): void {
  const link = row?.querySelector<HTMLElement>('.edit');
  if (!row || !link) return;
  let field = row.querySelector<HTMLTextAreaElement>('.editing textarea');
  if (!field) {
    row.querySelector('.passage')?.after(editing.content.cloneNode(true));
    field = row.querySelector<HTMLTextAreaElement>('.editing textarea');
    if (field) {
      field.value = link.dataset.wording ?? '';
      field.dir = link.dir;
    }
  }
  field?.select();
}

function save(row: HTMLElement, verb: string): void {
  const field = row.querySelector<HTMLTextAreaElement>('.editing textarea');
  const can = row.querySelector(`[data-act=${verb}]`) || verb === 'word';
  if (field) void act(can ? verb : 'word', [row], { wording: field.value });
}

function toggle(): void {
  const box = current()?.querySelector<HTMLInputElement>('.pick input');
  box?.click();
}

function take(): void {
  press(current()?.querySelector('[data-act=leave]') && !chosen().length ? 'leave' : 'take');
}

function free(): void {
  press(document.querySelector('.row [data-act=free]') ? 'free' : 'new');
}

function open(): void {
  if (document.activeElement === current())
    current()?.querySelector<HTMLElement>('a[href]')?.click();
}

const KEYS: Record<string, () => void> = {
  j: () => step(1),
  k: () => step(-1),
  a: () => press('accepted'),
  f: () => press('fixed'),
  r: reject,
  s: () => press('spam'),
  n: free,
  e: () => edit(current()),
  t: take,
  u: () => void undo(),
  x: toggle,
  '/': () => document.querySelector<HTMLInputElement>('.search input')?.select(),
  '?': () => help.togglePopover(),
};

/** The button beside the reason that is being written. */
function ownReason(event: KeyboardEvent): HTMLElement | undefined {
  const field = event.target as Element;
  const line = field.matches('.own input') ? field.closest('.own') : null;
  return line?.querySelector('button') ?? undefined;
}

function pressed(event: KeyboardEvent): void {
  const row = current();
  const key = command(event);
  if (event.key === 'Escape') {
    // An input method and an open list close themselves by it.
    if (!event.isComposing && !document.querySelector(':popover-open')) leave(row);
  } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    if (row?.querySelector('.editing') && !event.repeat) save(row, 'accepted');
  } else if (event.key === 'Enter' && !event.isComposing && ownReason(event)) {
    // The form has no button of its own that Enter could press.
    event.preventDefault();
    ownReason(event)?.click();
  } else if (key === 'Enter') open();
  else if (key !== undefined && /^[1-9]$/.test(key)) {
    row?.querySelectorAll<HTMLElement>('.reject[open] .reasons button')[Number(key) - 1]?.click();
  } else if (key === '0') {
    event.preventDefault();
    row?.querySelector<HTMLElement>('.reject[open] .own input')?.focus();
  } else if (key !== undefined && Object.hasOwn(KEYS, key)) {
    event.preventDefault();
    KEYS[key]?.();
  }
}

/** Escape closes what is open in the row, and goes back from any field to it. */
function leave(row: HTMLElement | undefined): void {
  const reasons = row?.querySelector<HTMLDetailsElement>('.reject[open]');
  if (reasons) reasons.open = false;
  row?.querySelector('.editing')?.remove();
  if (row) select(row);
  else (document.activeElement as HTMLElement | null)?.blur();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const button = event.submitter as HTMLButtonElement;
  if (button.name === 'act') {
    const reason = bulk.querySelector<HTMLInputElement>('[name=reason]');
    const why = reason?.value;
    void act(button.value, chosen(), why ? { reason: why } : {}).then((isAnswered) => {
      if (reason && isAnswered && reason.value === why) reason.value = '';
    });
    return;
  }
  const [verb = '', key = '', ...words] = button.value.split(' ');
  const row = rowOf(key.split('.')[0] ?? '');
  if (!row) return;
  const own = row.querySelector<HTMLInputElement>('.own input')?.value ?? '';
  const reason = verb === 'rejected' ? words.join(' ') || own : '';
  void act(verb, [row], reason ? { reason } : {});
});

list.addEventListener('click', (event) => {
  const target = event.target as Element;
  const row = target.closest<HTMLElement>('.row') ?? undefined;
  if (!row) return;
  if (target.matches('.edit')) {
    event.preventDefault();
    edit(row);
  } else if (target instanceof HTMLButtonElement && target.dataset.save)
    save(row, target.dataset.save);
  else if (target.matches('[data-cancel]')) leave(row);
});

list.addEventListener('change', showChosen);

list.addEventListener('focusin', (event) => {
  const row = (event.target as Element).closest<HTMLElement>('.row');
  if (row && row.getAttribute('aria-current') !== 'true' && event.target === row) select(row);
});

document.querySelector('.done form')?.addEventListener('submit', (event) => {
  event.preventDefault();
  void undo();
});

const all = bulk.querySelector('.all') as HTMLElement;
all.hidden = false;
all.addEventListener('change', (event) => {
  for (const box of boxes()) box.checked = (event.target as HTMLInputElement).checked;
  showChosen();
});

const keys = help.querySelector('.switch input') as HTMLInputElement;
keys.checked = areOn();
keys.addEventListener('change', () => turn(keys.checked));

remember();
begin();
comeBack();
showChosen();
listen(pressed);
