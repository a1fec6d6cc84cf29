/** What the parts of the widget say to each other, and what the service answers them. */

/** A string, or its plural forms by CLDR category. */
export type Words = string | Record<string, string>;

/** The answer of `GET /api/v1/sites/{key}/widget`. */
export interface Config {
  locale: string;
  dir: 'ltr' | 'rtl';
  strings: Record<string, Words>;
  limits: Record<'exact' | 'suggestion' | 'comment' | 'email' | 'title' | 'url', number>;
  links: { privacy: string | null; contact: string | null };
  article_selector: string | null;
  /** The asks that this page may show, and the lines beside them; only where there are some. */
  support?: Support;
  /** What is published about the article; only where there is something. */
  corrections?: Corrections;
}

/** The service's answer to a page's places: what there is to show in them. */
export type Told = Pick<
  Config,
  'locale' | 'dir' | 'strings' | 'article_selector' | 'support' | 'corrections'
>;

/** What support is asked with: as the page's places were told, else as for every page. */
export async function supportOf({ told, config }: Embed): Promise<Told> {
  return told?.support ? told : config();
}

/** Published corrections of one article, the newest first, with words for them. */
export interface Corrections {
  heading: string;
  /** The link to the site's whole record. */
  more: string;
  record_url: string;
  items: {
    label: string;
    url: string;
    published_at: string;
    said: string | null;
    says: string | null;
    note: string | null;
  }[];
}

/** Where an ask is shown. */
export type Spot = 'block' | 'thanks' | 'bar';

/** One link of an ask; its address may hold `{place}`. */
export interface Way {
  label: string;
  url: string;
}

/** One wording of an ask. */
export interface Variant {
  key: string;
  weight: number;
  title: string;
  text: string;
  ways: Way[];
  amounts: Way[];
  image_alt: string;
}

/** A campaign in the reader's language, and when it may be shown. */
export interface Ask {
  key: string;
  starts_at: string | null;
  ends_at: string | null;
  places: Spot[];
  sections: string[];
  tags: string[];
  after_articles: number;
  max_views: number;
  period_days: number;
  quiet_days: number;
  image_url: string | null;
  variants: Variant[];
}

export interface Support {
  asks: Ask[];
  /** The line to readers with ad blockers: to all, or to whom a bait is hidden from. */
  appeal: { to: 'all' | 'blocked'; text: string } | null;
  /** Copies of more characters than `from` get the text and the article's link. */
  quote: { from: number; text: string } | null;
  words: Record<'already' | 'later' | 'supported' | 'closed' | 'amounts' | 'copy', string>;
}

/** What the loader lends to the other parts. */
export interface Embed {
  /** The attributes of the script element. */
  data: DOMStringMap;
  /** The site's part of the API, with a slash at its end. */
  api: string;
  /** The service's answer; asked for once, and again after a failure. */
  config(): Promise<Config>;
  /** The address of the last question about the page's places. */
  asked?: string;
  /** Its answer. */
  told?: Told;
  /** Fetches another file of ours, by its name and hash, and starts it. */
  get<T>(name: string, hash: string): Promise<T>;
  /** Fetches the part that asks for support, where there is something to ask. */
  ask(answer: Config): unknown;
  /** Our own constant markup, as the page's Trusted Types policy wants it. */
  trust(html: string): string;
  /** A DOM event `corrigenda:{name}` on the document; false when a listener cancelled it. */
  tell(name: string, detail: object, cancelable?: boolean): boolean;
  /** What is said without the service, which has the strings. */
  unreachable: string;
  /** Where the page says it is, now: single-page apps change it under us. */
  here(): Place;
  /** What is at the page's foot; undefined until the part that asks has started. */
  foot?: HTMLElement | null;
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

/** The element that fetches a part, which calls `start` and does nothing else. */
export type PartScript<T> = HTMLScriptElement & { start?: (make: (embed: Embed) => T) => void };

/** Under this name the reader's own drafts are kept in the browser. */
export const DRAFTS = 'corrigenda:drafts';
