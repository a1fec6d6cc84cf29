/** Keys on the page of one correction: each presses a button or enters a field that is there. */

import { command, isTyping, listen } from './keys';

const KEYS: Record<string, string> = {
  a: '.moves button[value=accepted]',
  f: '.moves button[value=fixed]',
  s: '.moves button[value=spam]',
  u: '.moves button[value=new]',
  e: 'textarea[name=wording]',
  t: '[data-key=t]',
  n: 'textarea[name=note]',
  q: '.back a',
};

type Field = HTMLInputElement | HTMLTextAreaElement;

/** Where words wait that were typed in fields and not sent; a refused form has a longer path. */
const WAITING = `corrigenda.typed ${location.pathname.split('/', 3).join('/')}`;

/** What goes with a decision, whichever button makes it. */
const WITH_DECISIONS = ['wording', 'public_note', 'reason'];

/** The fields whose words are on their way. */
let sent: Field[] = [];

const fields = () => [
  ...document.querySelectorAll<Field>('.fields textarea, .fields input:not([type=hidden])'),
];
const changed = () =>
  fields().filter((field) => field.value !== (field.dataset.saved ?? field.defaultValue));
const nameOf = ({ form, name }: Field) => `${form?.getAttribute('action')} ${name}`;

/** Add to a decision what is typed elsewhere on the page, unless it says that itself. */
function carry(form: HTMLFormElement): Field[] {
  if (!form.getAttribute('action')?.endsWith('/moves')) return [];
  const says = new FormData(form);
  const isWorded = says.has('suggestion') || says.has('deletes');
  const carried = changed().filter(
    ({ name }) =>
      WITH_DECISIONS.includes(name) && !says.get(name) && !(name === 'wording' && isWorded),
  );
  for (const { name, value } of carried) {
    const copy = document.createElement('input');
    Object.assign(copy, { type: 'hidden', name, value });
    form.append(copy);
  }
  return carried;
}

/** Keep what was typed and not sent until this page is shown again. */
function keep(): void {
  const left = changed().filter((field) => !sent.includes(field));
  const told = Object.fromEntries(left.map((field) => [nameOf(field), field.value]));
  if (left.length) sessionStorage.setItem(WAITING, JSON.stringify(told));
  else sessionStorage.removeItem(WAITING);
}

/** Put back what waits, where the service has not put it there already. */
function refill(): void {
  const told = JSON.parse(sessionStorage.getItem(WAITING) ?? '{}') as Record<string, string>;
  for (const field of fields()) field.value = told[nameOf(field)] ?? field.value;
}

/** A form is on its way: what is pressed now was meant for the page that follows. */
let isLeaving = false;

/** Show the reasons, and give the first one the keyboard. */
function reject(): boolean {
  const box = document.querySelector<HTMLDetailsElement>('.moves .reject');
  if (!box) return false;
  box.open = !box.open;
  if (box.open) box.querySelector<HTMLElement>('.reasons button')?.focus();
  return true;
}

/** While the reasons are shown: 1 to 9 choose one, 0 goes to the field for another. */
function choose(key: string): boolean {
  const box = document.querySelector('.moves .reject[open]');
  if (!box || isLeaving) return false;
  if (key === '0') box.querySelector<HTMLElement>('.own [name=reason]')?.focus();
  else box.querySelectorAll<HTMLElement>('.reasons button')[Number(key) - 1]?.click();
  return true;
}

function press(event: KeyboardEvent): boolean {
  const key = command(event);
  if (isLeaving || key === undefined) return false;
  if (key === 'r') return reject();
  if (/^[0-9]$/.test(key)) return choose(key);
  if (!Object.hasOwn(KEYS, key)) return false;
  const found = document.querySelector<HTMLElement>(KEYS[key] ?? '');
  if (isTyping(found)) found?.focus();
  else found?.click();
  return !!found;
}

document.addEventListener('submit', (event) => {
  const form = event.target as HTMLFormElement;
  isLeaving = true;
  sent = [...carry(form), ...fields().filter((field) => field.form === form)];
});

window.addEventListener('pagehide', keep);

window.addEventListener('pageshow', () => {
  isLeaving = false;
  sent = [];
});

refill();

listen((event) => {
  if (event.key === 'Escape' && !event.isComposing) {
    const reasons = document.querySelector<HTMLDetailsElement>('.moves .reject[open]');
    if (reasons) reasons.open = false;
    (document.activeElement as HTMLElement | null)?.blur();
  } else if (press(event)) event.preventDefault();
});

document.querySelector<HTMLElement>('.refused')?.focus();
