/** Keys without modifiers: whether they are wanted in this browser, and when they are meant. */

declare global {
  interface Window {
    earlyKeys?: () => KeyboardEvent[];
  }
}

const TYPING = 'input:not([type=checkbox]), textarea, select, [contenteditable]';
const SETTING = 'corrigenda.keys';

/** Held down, they are meant again and again; all others once. */
const REPEATED = ['j', 'k'];

export function areOn(): boolean {
  return localStorage.getItem(SETTING) !== 'off';
}

export function turn(on: boolean): void {
  if (on) localStorage.removeItem(SETTING);
  else localStorage.setItem(SETTING, 'off');
}

export function isTyping(element: EventTarget | null): boolean {
  return element instanceof Element && element.matches(TYPING);
}

/** The key that was pressed as a command; undefined where it was not meant as one. */
export function command(event: KeyboardEvent): string | undefined {
  const { key, target, ctrlKey, metaKey, altKey, isComposing, repeat } = event;
  if (ctrlKey || metaKey || altKey || isComposing || !areOn() || isTyping(target)) return undefined;
  return repeat && !REPEATED.includes(key) ? undefined : key;
}

/** Hear every key from here on, and those that came before the script. */
export function listen(pressed: (event: KeyboardEvent) => void): void {
  document.addEventListener('keydown', pressed);
  for (const event of window.earlyKeys?.() ?? []) pressed(event);
}
