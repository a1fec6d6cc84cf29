import { host, make } from './hosts';
import type { Corrections, Embed, PartScript, Told } from './parts';
import css from './places.css';

const script = document.currentScript as PartScript<Promise<void>> | null;

/** A pinned part comes alone; any other has the answer before it and the other parts after it. */
const isPinned = !!script?.integrity;

script?.start?.(start);

/** Fills the places that the page has now; a place that was filled before is filled anew. */
async function start(embed: Embed): Promise<void> {
  if (isPinned) await ask(embed);
  const { told, trust, here } = embed;
  const { corrections, locale } = told as Told;
  for (const place of document.querySelectorAll('[data-corrigenda=corrections]')) {
    if (!corrections) {
      place.replaceChildren();
      continue;
    }
    const shown = host('corrigenda-corrections', css, told as Told, list(corrections, locale));
    shown.innerHTML = trust(linkedData(corrections, here().canonical || here().url));
    place.replaceChildren(shown);
  }
}

async function ask(embed: Embed): Promise<void> {
  const asked = embed.asked as string;
  const answer = await fetch(asked.replace('places.js?', 'widget?'), { credentials: 'omit' });
  const told = await answer.json();
  // The page is another one by now, and asks for itself.
  if (asked !== embed.asked) return;
  embed.told = told;
  if (document.querySelector('[data-corrigenda=support]')) embed.ask(told);
}

function list({ heading, more, record_url, items }: Corrections, locale: string): HTMLElement {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
  const entries = items.map(({ label, url, published_at, said, says, note }) => {
    const date = make('time', { dateTime: published_at }, format.format(new Date(published_at)));
    const words = [
      ...(said ? [make('del', { dir: 'auto' }, said)] : []),
      ...(said && says ? [' '] : []),
      ...(says ? [make('ins', { dir: 'auto' }, says)] : []),
    ];
    return make(
      'li',
      {},
      make('p', {}, make('b', {}, label), ' ', make('a', { href: url }, date)),
      ...(words.length ? [make('p', {}, ...words)] : []),
      ...(note ? [make('p', { dir: 'auto' }, note)] : []),
    );
  });
  const section = make(
    'section',
    {},
    make('h2', { id: 'heading' }, heading),
    // A list without bullets is none to some screen readers unless it says so.
    make('ul', { role: 'list' }, ...entries),
    make('p', {}, make('a', { href: record_url }, more)),
  );
  section.setAttribute('aria-labelledby', 'heading');
  return section;
}

/** The corrections for machines (schema.org `CorrectionComment`): data, which no policy forbids. */
function linkedData({ items }: Corrections, url: string): string {
  const correction = items.map(({ label, published_at, said, says, note, url }) => ({
    '@type': 'CorrectionComment',
    name: label,
    text: note || [said, says].filter(Boolean).join(' → ') || label,
    datePublished: published_at,
    url,
  }));
  const data = { '@context': 'https://schema.org', '@type': 'Article', url, correction };
  // What is written in it cannot end the element.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<script type="application/ld+json">${json}</script>`;
}
