import { DAY, type Memory } from './memory';
import type { Ask, Spot, Variant } from './parts';

/** What a page says that it is about, folded to be compared. */
export interface Subject {
  sections: string[];
  tags: string[];
}

/** Whether an ask may be shown in a place now, to a reader with this memory on such a page. */
export function isDue(ask: Ask, spot: Spot, memory: Memory, { sections, tags }: Subject): boolean {
  const now = Date.now();
  const recent = (times: number[]) => times.filter((at) => at > now - ask.period_days * DAY).length;
  return (
    ask.places.includes(spot) &&
    !(ask.starts_at && now < Date.parse(ask.starts_at)) &&
    !(ask.ends_at && now >= Date.parse(ask.ends_at)) &&
    !memory.supports &&
    now >= memory.quietUntil &&
    meet(ask.sections, sections) &&
    meet(ask.tags, tags) &&
    recent(Object.values(memory.read)) >= ask.after_articles &&
    !(ask.max_views && recent(memory.seen[ask.key] ?? []) >= ask.max_views) &&
    // The bar is not for those who are here for the first time.
    (spot !== 'bar' || Object.keys(memory.read).length > 1)
  );
}

/** Closing keeps the asks away for the campaign's quiet days, each time twice as long. */
export function close(memory: Memory, ask: Ask): void {
  memory.quietUntil = Date.now() + ask.quiet_days * 2 ** memory.closings * DAY;
  // A longer quiet than this is longer than any life.
  memory.closings = Math.min(memory.closings + 1, 12);
}

/** The reader's variant: the one seen before, else one by weight. */
export function variantOf({ key, variants }: Ask, memory: Memory): Variant | undefined {
  const kept = variants.find((variant) => variant.key === memory.variants[key]);
  let left = Math.random() * variants.reduce((sum, { weight }) => sum + weight, 0);
  // biome-ignore lint/suspicious/noAssignInExpressions: it takes off each weight in turn
  return kept ?? variants.find(({ weight }) => (left -= weight) < 0);
}

/** Sections and tags by the Open Graph protocol and by schema.org's JSON-LD. */
export function subjectOf(page: Document): Subject {
  const found: Subject = { sections: meta(page, 'section'), tags: meta(page, 'tag') };
  for (const script of page.querySelectorAll('script[type="application/ld+json"]')) {
    try {
      for (const thing of things(JSON.parse(script.textContent ?? ''))) {
        found.sections.push(...listed(thing.articleSection));
        found.tags.push(...listed(thing.keywords));
      }
    } catch {
      // What others wrote may be broken.
    }
  }
  return { sections: found.sections.map(fold), tags: found.tags.map(fold) };
}

function meet(wanted: string[], found: string[]): boolean {
  return !wanted.length || wanted.some((each) => found.includes(fold(each)));
}

/** Case folding: of letters with several lower cases one is left. */
function fold(text: string): string {
  return text.trim().toUpperCase().toLowerCase();
}

function meta(page: Document, name: string): string[] {
  const found = page.querySelectorAll<HTMLMetaElement>(`meta[property="article:${name}"]`);
  return [...found].map(({ content }) => content);
}

type Thing = Record<string, unknown>;

function things(data: unknown): Thing[] {
  if (Array.isArray(data)) return data.flatMap(things);
  const thing = Object(data) as Thing;
  return [thing, ...(thing['@graph'] ? things(thing['@graph']) : [])];
}

/** Texts of a list, or of one text with commas between. */
function listed(value: unknown): string[] {
  const all = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
  return all.filter((each) => typeof each === 'string');
}
