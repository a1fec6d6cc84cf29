import type { Config } from './parts';

/** The string of a name in the reader's language, in the plural form for `n`. */
export type Say = (name: string, n?: number) => string;

/** An element of the dialog by a CSS selector. */
export type Find = <E extends HTMLElement = HTMLElement>(css: string) => E;

export function sayer({ strings, locale }: Config): Say {
  return (name, n = 0) => {
    const words = (strings[name] ?? '') as string & Record<string, string>;
    // An older browser may name a form that newer rules have no longer.
    const text = words[new Intl.PluralRules(locale).select(n)] ?? words.other ?? words;
    return text.replace('{n}', n.toLocaleString(locale));
  };
}

/** Links that open beside the page, with one to follow for every name whose address is one to follow. */
export function linksTo(addresses: Record<string, string | null>, say: Say): HTMLElement[] {
  return Object.entries(addresses).flatMap(([name, address]) => {
    if (!/^(https?|mailto):/i.test(address ?? '')) return [];
    return Object.assign(document.createElement('a'), {
      href: address,
      target: '_blank',
      textContent: say(name),
    });
  });
}

/** Everything that does not change from one opening to the next. */
export function label(root: ShadowRoot, { links, strings, dir, locale }: Config, say: Say): void {
  for (const element of root.querySelectorAll<HTMLElement>('*')) {
    const { id, localName } = element;
    // Every element can be styled by its name, where it has no better one.
    if (!element.part.length) element.part.add(id.split('-')[1] || localName);
    if (localName === 'label') element.textContent = say((element as HTMLLabelElement).htmlFor);
    else if (id && /^(p|button)$/.test(localName)) element.textContent = say(id.replace('-', '_'));
    else if (localName === 'dialog') Object.assign(element, { dir, lang: locale });
  }
  for (const name in strings)
    if (name.startsWith('category_'))
      root.querySelector('select')?.add(new Option(say(name), name.slice(9)));
  root.querySelector('[part=links]')?.append(...linksTo(links, say));
}
