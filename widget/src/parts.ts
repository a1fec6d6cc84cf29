/** What the two parts of the widget say to each other, and what the service answers them. */

/** A string, or its plural forms by CLDR category. */
export type Words = string | Record<string, string>;

/** The answer of `GET /api/v1/sites/{key}/widget`. */
export interface Config {
  locale: string;
  dir: 'ltr' | 'rtl';
  strings: Record<string, Words>;
  limits: Record<
    'exact' | 'prefix' | 'suffix' | 'suggestion' | 'comment' | 'email' | 'title' | 'url',
    number
  >;
  categories: string[];
  links: { privacy: string | null; contact: string | null };
  article_selector: string | null;
  campaign: unknown;
}

/** What the loader lends to the dialog part. */
export interface Embed {
  /** The attributes of the script element. */
  data: DOMStringMap;
  /** The site's part of the API, with a slash at its end. */
  api: string;
  /** The service's answer; asked for once, and once more after a failure. */
  config(): Promise<Config>;
  /** Our own constant markup, as the page's Trusted Types policy wants it. */
  trust(html: string): string;
  /** A DOM event `corrigenda:{name}` on the document; false when a listener cancelled it. */
  tell(name: string, detail: object, cancelable?: boolean): boolean;
  /** Where the page says it is, now: single-page apps change it under us. */
  here(): Place;
  /** Where it was when the script came: a later change of one half tells of the other. */
  first: Place;
}

/** A page's address without its fragment, and where it says that the article really lives. */
export interface Place {
  url: string;
  canonical: string | undefined;
}

/** What the dialog part does for the loader. */
export interface Dialog {
  /** Opens on a passage, or the page-level form without one. */
  open(range?: Range | null): Promise<void>;
  close(): void;
  /** Closes and drops every draft, also those kept only in the page's memory. */
  forget(): void;
  /** What a finger or a pen has selected now; null for nothing. */
  selected(range: Range | null): void;
}

/** The element that fetches the dialog part, which calls `start` as its first and only act. */
export type DialogScript = HTMLScriptElement & { start?: (make: (embed: Embed) => Dialog) => void };

/** Under this name the reader's own drafts are kept in the browser. */
export const DRAFTS = 'corrigenda:drafts';
