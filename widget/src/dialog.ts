import { h, link } from './dom';
import { type Draft, draftOf, drafts, drop, save } from './drafts';
import { type Form, makeForm } from './form';
import { address, canonical } from './page';
import type { Config, Dialog, DialogScript, Embed } from './parts';
import { type PassageSelector, selectorOf } from './selector';
import { newKey, type Outcome, send } from './send';
import css from './styles.css';
import { articleOf } from './text';
import { type Say, sayer } from './words';

(document.currentScript as DialogScript | null)?.start?.(start);

/** Cuts a text to so many code points. */
function cut(text: string, most: number): string {
  return [...text].slice(0, most).join('');
}

/** Halves of surrogate pairs and NUL cannot be kept: they become U+FFFD. */
function storable(text: string): string {
  return text.replace(/[\ud800-\udfff]|\0/gu, '\ufffd');
}

function start(embed: Embed): Dialog {
  const { data, tell } = embed;
  const host = document.createElement('corrigenda-dialog');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];

  let form: Form | undefined;

  /** Puts something on the page, in the reader's theme. */
  const put = (element: HTMLElement) => {
    host.dataset.theme = data.theme ?? '';
    root.replaceChildren(element);
    if (!host.isConnected) document.body.append(host);
  };

  const clear = () => {
    root.replaceChildren();
    host.remove();
  };

  const open = async (range?: Range | null) => {
    if (form) return;
    const config = await embed.config().catch(() => null);
    if (!config) {
      unreachable();
      return;
    }
    const say = sayer(config);
    const article = articleOf(document, data.article || config.article_selector);
    const passage = range ? selectorOf(range, article) : null;
    if (form || (range && !passage)) return;
    if (!tell('open', { selector: passage }, true)) return;
    show(config, say, article, passage, range);
  };

  /** Without the service there are no strings either: the one sentence that is bundled. */
  const unreachable = () => {
    const close = h('button', { class: 'button close' }, 'Close');
    const text = 'The corrections service cannot be reached from this page just now.';
    const dialog = h(
      'dialog',
      { class: 'dialog', lang: 'en' },
      h('p', { role: 'status' }, text),
      close,
    );
    close.onclick = () => dialog.close();
    dialog.onclose = clear;
    put(dialog);
    dialog.showModal();
    tell('error', { status: 0, detail: text });
  };

  const show = (
    config: Config,
    say: Say,
    article: Element,
    passage: PassageSelector | null,
    range?: Range | null,
  ) => {
    const from = document.activeElement as HTMLElement | null;
    const { limits } = config;
    const lang = (article.closest('[lang]') ?? document.documentElement).getAttribute('lang') ?? '';
    const source = address();
    const about = `${source}\n${passage ? `${passage.start} ${passage.exact}` : ''}`;
    const made = makeForm(config, say, passage, lang, () => made.dialog.close());
    form = made;
    let isBusy = false;
    let isSent = false;

    const target = () => {
      const { first } = embed;
      const says = canonical(data);
      // A single-page app went on and left the first article's canonical link behind.
      const isStale = source !== first.url && says === first.canonical;
      return {
        source,
        ...(says && !isStale && says.length <= limits.url && { canonical: says }),
        title: storable(cut(document.title, limits.title)),
        ...(/^[a-z\d-]{1,35}$/i.test(lang) && { lang }),
        ...(passage && {
          selector: [
            {
              type: 'TextQuoteSelector',
              exact: passage.exact,
              prefix: passage.prefix,
              suffix: passage.suffix,
            },
            { type: 'TextPositionSelector', start: passage.start, end: passage.end },
          ],
        }),
      };
    };

    const body = () => {
      const values = made.values();
      const suggestion = made.suggestion();
      const optional = (name: string) => {
        const value = storable((values[name] ?? '').trim());
        return value ? { [name]: value } : {};
      };
      return JSON.stringify({
        target: target(),
        ...(suggestion !== undefined && { suggestion: storable(suggestion) }),
        ...optional('comment'),
        ...optional('category'),
        ...optional('email'),
        website: values.website,
      });
    };

    const draft = (): Draft => ({ about, at: Date.now(), fields: made.values() });

    const submit = async () => {
      if (isBusy || isSent || !made.check()) return;
      const written = body();
      const before = draftOf(about)?.attempt;
      // The same text again is the same report; another text is another.
      const attempt =
        before?.body === written
          ? before
          : { url: `${embed.api}reports`, key: newKey(), body: written };
      isBusy = true;
      made.busy(true);
      made.status('');
      save({ ...draft(), attempt });
      const outcome = await send(attempt);
      isBusy = false;
      made.busy(false);
      if (outcome.sent) {
        isSent = true;
        drop(about);
        made.done(thanks(say, outcome));
      } else {
        if (!outcome.again) save(draft());
        refuse(made, say, outcome);
      }
      report(outcome);
    };

    made.dialog.addEventListener('submit', (event) => {
      event.preventDefault();
      submit();
    });
    made.dialog.addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
      if (key === 'Enter' && (ctrlKey || metaKey)) submit();
    });
    made.dialog.addEventListener('input', () => {
      if (!isSent) save(draft());
    });
    made.dialog.addEventListener('close', () => {
      form = undefined;
      clear();
      from?.focus({ preventScroll: true });
      if (range?.startContainer.isConnected) {
        const selection = getSelection();
        selection?.removeAllRanges();
        selection?.addRange(range);
      }
    });

    put(made.dialog);
    const kept = draftOf(about);
    if (kept) made.fill(kept.fields);
    made.dialog.showModal();
    const first = made.dialog.querySelector<HTMLTextAreaElement>('textarea');
    first?.focus();
    first?.setSelectionRange(first.value.length, first.value.length);
  };

  const report = (outcome: Outcome) => {
    if (outcome.sent) {
      const { id, correction_id, already_reported } = outcome;
      tell('sent', { id, correction_id, already_reported });
    } else {
      const { status, detail } = outcome;
      tell('error', { status, detail });
    }
  };

  return {
    open,
    close: () => form?.dialog.close(),
    forget() {
      for (const { about } of drafts()) drop(about);
      form?.dialog.close();
    },
    selected() {},
  };
}

function thanks(say: Say, { receipt_url, already_reported }: Outcome & { sent: true }) {
  return [
    say('sent'),
    already_reported > 0 ? ` ${say('already', already_reported)}` : null,
    h('br'),
    link(receipt_url, say('follow')),
  ];
}

/** Says a refusal in words, beside the fields it is about where it names them. */
function refuse(form: Form, say: Say, outcome: Outcome & { sent: false }): void {
  const { status, wait, detail, errors } = outcome;
  const words = [];
  if (!status) words.push(say(navigator.onLine === false ? 'offline' : 'unreachable'));
  else if (status === 429) words.push(say('too_many', Math.max(1, Math.ceil(wait / 60))));
  else if (outcome.again) words.push(say('down'));
  else words.push(say('refused'), detail);
  const untied = errors.filter(({ pointer, detail }) => !form.blame(pointer.slice(1), detail));
  words.push(...untied.map((error) => error.detail));
  form.status(words.join(' '), true);
  form.dialog.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
}
