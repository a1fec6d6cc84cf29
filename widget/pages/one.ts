/** Keys on the page of one correction: each presses a button or enters a field that is there. */

import { command, isTyping, listen } from './keys';

const KEYS: Record<string, string> = {
  a: '.moves button[value=accepted]',
  f: '.moves button[value=fixed]',
  r: '.moves .reject summary',
  s: '.moves button[value=spam]',
  u: '.moves button[value=new]',
  e: 'textarea[name=wording]',
  t: '[data-key=t]',
  n: 'textarea[name=note]',
  q: '.back a',
};

/** A form is on its way: what is pressed now was meant for the page that follows. */
let isLeaving = false;

function press(event: KeyboardEvent): boolean {
  const key = command(event);
  if (isLeaving || key === undefined || !Object.hasOwn(KEYS, key)) return false;
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
  if (event.key === 'Escape' && isTyping(document.activeElement)) {
    (document.activeElement as HTMLElement).blur();
  } else if (press(event)) event.preventDefault();
});

document.querySelector<HTMLElement>('.refused')?.focus();
