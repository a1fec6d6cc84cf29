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

document.addEventListener('submit', () => {
  isLeaving = true;
});

window.addEventListener('pageshow', () => {
  isLeaving = false;
});

listen((event) => {
  if (event.key === 'Escape') {
    const reasons = document.querySelector<HTMLDetailsElement>('.moves .reject[open]');
    if (reasons) reasons.open = false;
    (document.activeElement as HTMLElement | null)?.blur();
  } else if (press(event)) event.preventDefault();
});

document.querySelector<HTMLElement>('.refused')?.focus();
