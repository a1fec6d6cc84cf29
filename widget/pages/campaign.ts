/** The preview of a campaign: draws the readers' own ask again at every change of the form. */

import { draw, type Spoken } from '../src/draw';
import type { Way } from '../src/parts';

const form = document.querySelector('form.campaign') as HTMLFormElement;
const shown = document.getElementById('shown') as HTMLSelectElement;
const preview = document.querySelector('.preview') as HTMLElement;
const empty = preview.querySelector('.none') as HTMLElement;
const frames = preview.querySelectorAll<HTMLElement>('.frame');
const { home, spoken, picture } = JSON.parse(preview.dataset.spoken as string) as {
  home: string;
  spoken: Record<string, Spoken>;
  picture: string;
};

const field = (name: string) => {
  const found = form.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement | null;
  return found?.value.trim() ?? '';
};

/** `Label | https://…` on each line. */
function ways(text: string): Way[] {
  return text
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => {
      const at = line.lastIndexOf('|');
      return { label: line.slice(0, Math.max(at, 0)).trim(), url: line.slice(at + 1).trim() };
    });
}

function textOf(variant: string, locale: string) {
  const at = (name: string) => field(`variants/${variant}/texts/${locale}/${name}`);
  const names = ['title', 'text', 'ways', 'amounts', 'image_alt'] as const;
  if (!names.some(at)) return null;
  const [title, text, given, amounts, image_alt] = names.map(at) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { title, text, ways: ways(given), amounts: ways(amounts), image_alt };
}

function show(): void {
  const [variant = '0', locale = home] = shown.value.split('/');
  const text = textOf(variant, locale) ?? textOf(variant, home);
  const nothing = () => undefined;
  const acts = { follow: nothing, support: nothing, close: nothing };
  const image = field('image_url') && picture;
  empty.hidden = !!text;
  for (const frame of frames) {
    frame.hidden = !text;
    const said = spoken[locale] as Spoken;
    const dir = frame.dataset.look === 'rtl' ? 'rtl' : said.dir;
    frame.replaceChildren(
      ...(text ? [draw('block', { ...said, dir }, image || null, text, acts).shown] : []),
    );
  }
}

/** What is being written is what is shown. */
function follow({ target }: Event): void {
  const found = /^variants\/(\d+)\/texts\/([^/]+)/.exec((target as HTMLInputElement).name ?? '');
  if (!found || shown.value === `${found[1]}/${found[2]}`) return;
  shown.value = `${found[1]}/${found[2]}`;
  show();
}

form.addEventListener('focusin', follow);
form.addEventListener('input', show);
