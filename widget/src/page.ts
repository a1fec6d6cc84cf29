/** What the page says of the article on it, now: single-page apps change it under us. */

/** The address without its fragment. */
export function address(): string {
  return location.href.split('#')[0] as string;
}

/** Where the page says the article really lives; undefined when it does not say. */
export function canonical(data: DOMStringMap): string | undefined {
  return (
    data.canonical ||
    document.querySelector<HTMLLinkElement>('link[rel~=canonical]')?.href ||
    undefined
  );
}
