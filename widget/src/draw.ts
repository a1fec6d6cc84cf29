import { host, make } from './hosts';
import type { Config, Spot, Support, Variant, Way } from './parts';
import css from './support.css';

/** What an ask needs of the service's answer to be drawn. */
export type Spoken = Pick<Config, 'locale' | 'dir'> & {
  words: Pick<Support['words'], 'already' | 'later' | 'amounts'>;
};

/** What may be done with an ask. */
export interface Acts {
  follow(): void;
  support(): void;
  close(): void;
}

/** An ask as it stands in one place, with `section` and `ways`, the elements in it that matter. */
export function draw(
  spot: Spot,
  spoken: Spoken,
  src: string | null,
  variant: Omit<Variant, 'key' | 'weight'>,
  acts: Acts,
): { shown: HTMLElement; section: HTMLElement; ways: HTMLElement } {
  const { words } = spoken;

  const links = (ways: Way[], name: string) =>
    ways
      .filter(({ url }) => /^https?:/i.test(url))
      .map(({ label, url }, index) => {
        const href = url.replaceAll('{place}', spot);
        const link = make('a', { href, dir: 'auto' }, label);
        link.part.add(index ? name : name.replace('way', 'primary'));
        // Who writes in a dialog keeps the page below it.
        if (spot === 'thanks') (link as HTMLAnchorElement).target = '_blank';
        link.onclick = link.onauxclick = acts.follow;
        return make('li', {}, link);
      });
  // A list without bullets is none to some screen readers unless it says so.
  const list = (ways: Way[], name: string) => make('ul', { role: 'list' }, ...links(ways, name));

  const button = (label: string, onclick: () => void) => make('button', { onclick }, label);
  const ways = list(variant.ways, 'way');
  const amounts = list(variant.amounts, 'amount');
  amounts.ariaLabel = words.amounts;
  const image = { src, alt: variant.image_alt, dir: 'auto', loading: 'lazy' };
  const section = make(
    'section',
    {},
    ...(spot !== 'bar' && src ? [make('img', image)] : []),
    make('h2', { id: 'title', dir: 'auto' }, variant.title),
    make('p', { dir: 'auto' }, variant.text),
    ...(spot !== 'bar' && variant.amounts.length ? [amounts] : []),
    ways,
    make('div', {}, button(words.already, acts.support), button(words.later, acts.close)),
  );
  section.setAttribute('aria-labelledby', 'title');
  const shown = host('corrigenda-support', css, spoken, section);
  shown.setAttribute('place', spot);
  return { shown, section, ways };
}
