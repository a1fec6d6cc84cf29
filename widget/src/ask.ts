import { draw } from './draw';
import { make } from './hosts';
import { keep, type Memory } from './memory';
import type { Ask, Embed, Spot, Support, Told, Variant } from './parts';
import { close } from './rules';

/** The service's answer where the page has something to show. */
export type Answer = Told & { support: Support };

/** An ask in one place: its links, its two ways to be left alone, and what is counted of it. */
export function askIn(
  spot: Spot,
  { api }: Embed,
  { locale, dir, support: { words } }: Answer,
  ask: Ask,
  variant: Variant,
): HTMLElement {
  const note = (kind: 'view' | 'click' | 'dismiss' | 'copy') => {
    if ((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl) return;
    fetch(`${api}support-events`, {
      method: 'POST',
      keepalive: true,
      credentials: 'omit',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ campaign: ask.key, variant: variant.key, place: spot, kind }),
    }).catch(() => 0);
  };

  /** Ends the ask, and says for how long. */
  const end = (change: (memory: Memory) => void, say: (memory: Memory) => string) => {
    const memory = keep(change);
    note('dismiss');
    const said = memory && spot !== 'bar' && say(memory);
    if (!said) return shown.remove();
    const line = make('p', { role: 'status', tabIndex: -1 }, said);
    section.replaceChildren(line);
    line.focus({ preventScroll: true });
  };

  const image = /^https?:/i.test(ask.image_url ?? '') ? ask.image_url : null;
  const { shown, section, ways } = draw(spot, { locale, dir, words }, image, variant, {
    follow: () => note('click'),
    support: () =>
      end(
        (memory) => {
          memory.supports = true;
        },
        () => words.supported,
      ),
    close: () =>
      end(
        (memory) => close(memory, ask),
        ({ quietUntil }) => {
          const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
          // Some languages end a long date with a full stop of its own.
          return words.closed.replace('{date}', format.format(quietUntil)).replace('..', '.');
        },
      ),
  });
  section.oncopy = () => note('copy');

  new IntersectionObserver(
    (entries, observer) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      keep(({ seen }) => {
        seen[ask.key] = [...(seen[ask.key] ?? []), Date.now()];
      });
      note('view');
    },
    { threshold: 1 },
  ).observe(ways);
  return shown;
}
