/** An element with attributes and children; text stays text, and a class is a `part` too. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string | false | null | undefined> = {},
  ...children: (Node | string | false | null | undefined)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (typeof value === 'string') {
      element.setAttribute(key, value);
      if (key === 'class') element.setAttribute('part', value);
    }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** A link that opens beside the page; null unless its address is one to follow. */
export function link(href: string | null, text: string): HTMLElement | null {
  return href && /^(https?|mailto):/i.test(href)
    ? h('a', { href, class: 'link', target: '_blank', rel: 'noopener' }, text)
    : null;
}
