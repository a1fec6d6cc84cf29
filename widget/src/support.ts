import { appealOf } from './appeal';
import { type Answer, askIn } from './ask';
import { hash, keep, type Memory } from './memory';
import { type Embed, type PartScript, type Spot, supportOf } from './parts';
import { isDue, subjectOf, variantOf } from './rules';

(document.currentScript as PartScript<Promise<void>> | null)?.start?.(start);

/** The hash of static/quotes.js, put in by the build. */
declare const QUOTES_INTEGRITY: string;

/** Fills the page as it is now; the first time, makes ready for thanks and copies. */
async function start(embed: Embed): Promise<void> {
  if (embed.foot === undefined) {
    document.addEventListener('corrigenda:sent', () => thank(embed));
    await quote(embed);
  }
  embed.foot?.remove();
  embed.foot = null;
  const place = document.querySelector<HTMLElement>('[data-corrigenda=support]');
  if (!place) return;
  const told = await read(embed);
  const block = told && due('block', embed, told);
  settle(place, block);
  if (!told || block) return;
  const foot = due('bar', embed, told) ?? (await appealOf(told));
  if (!foot) return;
  // Another call may have come in between.
  (embed.foot as HTMLElement | null)?.remove();
  document.body.append(foot);
  embed.foot = foot;
}

/** What a page may show, and what its reader's browser keeps. */
type Known = Answer & { memory: Memory };

/** Counts the page as read; null where nothing is asked, or it could not be kept that it was closed. */
async function read(embed: Embed): Promise<Known | null> {
  const answer = (await supportOf(embed)) as Answer;
  if (embed.data.support === 'off' || !answer.support) return null;
  const { url, canonical } = embed.here();
  const memory = keep(({ read }) => {
    read[hash(canonical || url)] = Date.now();
  });
  return memory && { ...answer, memory };
}

/** The ask that is due in a place, if one is. */
function due(spot: Spot, embed: Embed, told: Known): HTMLElement | null {
  const { memory, support } = told;
  const subject = subjectOf(document);
  const ask = support.asks.find((each) => isDue(each, spot, memory, subject));
  const variant = ask && variantOf(ask, memory);
  if (!variant) return null;
  keep(({ variants }) => {
    variants[ask.key] = variant.key;
  });
  return askIn(spot, embed, told, ask, variant);
}

/** Asks below the thanks for a correction, until the dialog closes. */
async function thank(embed: Embed): Promise<void> {
  const told = await read(embed);
  const root = document.querySelector('corrigenda-dialog')?.shadowRoot;
  const dialog = root?.querySelector('dialog');
  const ask = told && dialog?.open && due('thanks', embed, told);
  if (!ask) return;
  // One ask at a time: the foot would stand beside the dialog.
  embed.foot?.remove();
  root?.querySelector('[role=status]')?.after(ask);
  dialog.addEventListener('close', () => ask.remove(), { once: true });
}

/** Once somebody selects, fetches what adds the site's rule to long copies. */
async function quote(embed: Embed): Promise<void> {
  if (!(await supportOf(embed)).support?.quote) return;
  const fetch = () => {
    if (getSelection()?.isCollapsed) return;
    document.removeEventListener('selectionchange', fetch);
    embed
      .get('quotes.js', QUOTES_INTEGRITY)
      .catch(() => document.addEventListener('selectionchange', fetch));
  };
  document.addEventListener('selectionchange', fetch);
  fetch();
}

/** Puts an ask in its place, or nothing, as soon as that moves nothing that the reader sees. */
function settle(place: HTMLElement, ask: HTMLElement | null): void {
  const after = document.createRange();
  after.setStartAfter(place);
  after.setEndAfter(document.body);
  /** Where what follows stands, as far as it is in view. */
  const following = () =>
    [...after.getClientRects()]
      .filter(({ height, bottom, top }) => height && bottom > 0 && top < innerHeight)
      .map(({ top }) => top)
      .join();
  const before = following();
  const fill = (isFull: boolean) => {
    place.replaceChildren(...(isFull && ask ? [ask] : []));
    // Without an ask a height that is reserved for it would be a gap.
    place.hidden = isFull && !ask;
  };
  fill(true);
  if (following() === before) return;
  fill(false);
  new IntersectionObserver(([entry], observer) => {
    if (!place.isConnected) observer.disconnect();
    if (!entry || entry.boundingClientRect.top < innerHeight) return;
    observer.disconnect();
    fill(true);
  }).observe(place);
}
