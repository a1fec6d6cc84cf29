import base from './hosts.css';
import type { Told } from './parts';

/** An element with text or other elements in it, and with its name as its part. */
export function make<E extends HTMLElement = HTMLElement>(
  name: string,
  attributes: object,
  ...inside: (string | Node)[]
): E {
  const element = Object.assign(document.createElement(name), attributes);
  element.part.add(name);
  element.append(...inside);
  return element as E;
}

/** An element of ours in a page's place, with what is in it behind a shadow root. */
export function host(
  name: string,
  css: string,
  { dir, locale }: Pick<Told, 'dir' | 'locale'>,
  inside: HTMLElement,
): HTMLElement {
  const made = Object.assign(document.createElement(name), { dir, lang: locale });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(base + css);
  const root = made.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  root.append(inside);
  return made;
}
