import { type Config, type Dialog, DRAFTS, type Embed, type PartScript, type Place } from './parts';

/** The hashes of the other files, put in by the build. */
declare const DIALOG_INTEGRITY: string;
declare const PLACES_INTEGRITY: string;
declare const SUPPORT_INTEGRITY: string;

/** What the page may call. */
export interface Corrigenda {
  /** Opens the dialog on the selection, or without one the form about the whole page. */
  open(): void;
  close(): void;
  /** Calls `listener` at every `open`, `sent` or `error`; what it returns ends that. */
  on(name: string, listener: (event: CustomEvent) => void): () => void;
  /** Erases all that the widget kept in this browser. */
  forget(): void;
}

interface Policy {
  createHTML(html: string): string;
  createScriptURL(url: string): string;
}

declare global {
  interface Window {
    Corrigenda?: Corrigenda;
    trustedTypes?: {
      createPolicy(name: string, rules: object): Policy;
    };
  }
}

/** So many milliseconds a reader waits for what the dialog needs. */
const PATIENCE = 8000;

const me = (document.currentScript ??
  document.querySelector('script[data-site]')) as HTMLScriptElement | null;

function embed(script: HTMLScriptElement): void {
  const data = script.dataset;
  const api = `${new URL(`../api/v1/sites/${data.site}/`, script.src)}`;
  let asked: Promise<Config> | undefined;
  let part: Promise<Dialog> | undefined;
  let touch = navigator.maxTouchPoints > 0;
  let failed = false;
  let policy: Policy | undefined;

  const tell = (name: string, detail: object, cancelable = false) =>
    document.dispatchEvent(new CustomEvent(`corrigenda:${name}`, { detail, cancelable }));

  const said = (): Place => ({
    url: location.href.split('#')[0] as string,
    canonical:
      data.canonical || document.querySelector<HTMLLinkElement>('link[rel~=canonical]')?.href,
  });

  let first = said();

  const here = () => {
    const now = said();
    // A single-page app went on and left the first article's canonical link behind.
    if (now.url !== first.url && now.canonical === first.canonical) now.canonical = undefined;
    return now;
  };

  /** The address of a question: about the page where its places ask, else one for the whole site. */
  const question = (name: string, isOfPlaces?: boolean) =>
    `${api}${name}?${new URLSearchParams({
      locale: data.locale || document.documentElement.lang || navigator.language,
      ...(isOfPlaces && has('corrections') && { url: here().canonical || here().url }),
      ...(isOfPlaces && has('support') && { support: '1' }),
    })}`;

  const config = () => {
    asked ??= fetch(question('widget'), {
      credentials: 'omit',
      signal: AbortSignal.timeout?.(PATIENCE) as AbortSignal,
    }).then((answer) => (answer.ok ? answer.json() : Promise.reject()));
    asked.catch(() => {
      asked = undefined;
    });
    return asked;
  };

  /** Fetches another file of ours and starts it. */
  const get = <T>(name: string, hash: string, patience?: number) =>
    new Promise<T>((resolve, reject) => {
      const fetched: PartScript<T> = document.createElement('script');
      const url = `${new URL(name, script.src)}`;
      policy ??= window.trustedTypes?.createPolicy('corrigenda', {
        createHTML: itself,
        createScriptURL: itself,
      });
      fetched.start = (make) => resolve(make(lent));
      fetched.onerror = reject;
      if (patience)
        setTimeout(() => {
          // Whoever waited was told: now it comes too late.
          delete fetched.start;
          reject();
        }, patience);
      fetched.nonce = data.nonce || script.nonce;
      if (script.integrity) {
        // A page that pins this script pins with it the parts that this script was built with.
        fetched.integrity = `sha256-${hash}`;
      }
      fetched.crossOrigin = 'anonymous';
      fetched.src = policy?.createScriptURL(url) ?? url;
      document.head.append(fetched);
    });

  const lent: Embed = {
    data,
    api,
    config,
    get,
    ask: ({ support }) => support && get('support.js', SUPPORT_INTEGRITY),
    tell,
    trust: (html) => policy?.createHTML(html) ?? html,
    here,
    unreachable: 'The corrections service cannot be reached.',
  };

  const load = () => {
    if (!part) {
      config()
        // The part of the page's own places asks under the thanks too.
        .then((answer) => has('support') || lent.ask(answer))
        .catch(() => 0);
      part = get<Dialog>('dialog.js', DIALOG_INTEGRITY, PATIENCE).catch((error) => {
        part = undefined;
        failed = true;
        throw error;
      });
    }
    return part;
  };

  const prefetch = () => {
    if (!failed) load().catch(() => 0);
  };

  const open = (range?: Range | null) => {
    load().then(
      (dialog) => dialog.open(range),
      () => {
        tell('error', { status: 0 });
        // Without the dialog there is no other way to say so.
        alert(lent.unreachable);
      },
    );
  };

  const on = <E extends Event>(name: string, listener: (event: E) => void) =>
    document.addEventListener(name, listener as (event: Event) => void);

  /** Fills the page's places, if it has any and there is something to show in them. */
  const look = () => {
    if (!has('support') && !has('corrections')) return;
    lent.asked = question('places.js', true);
    // What is pinned can hold nothing of the page: there it asks for itself.
    get(script.integrity ? 'places.js' : lent.asked, PLACES_INTEGRITY).catch(() => 0);
  };

  // An async script may come before the canonical link and the places.
  on('DOMContentLoaded', () => {
    first = said();
    if (!lent.asked) look();
  });
  if (document.readyState !== 'loading') look();
  // A single-page app says that it has put other places on the page.
  on('corrigenda:places', look);

  on('selectionchange', () => {
    if (selected()) prefetch();
    part?.then((dialog) => dialog.selected(touch ? selected() : null)).catch(() => 0);
  });

  on('pointerdown', (event: PointerEvent) => {
    touch = event.pointerType !== 'mouse';
    if (opener(event)) prefetch();
  });

  on('click', (event: MouseEvent) => {
    if (event.defaultPrevented || !opener(event)) return;
    event.preventDefault();
    open();
  });

  on('keydown', (event: KeyboardEvent) => {
    if (
      event.key !== 'Enter' ||
      !(event.ctrlKey || event.metaKey) ||
      event.shiftKey ||
      event.altKey ||
      event.defaultPrevented ||
      event.isComposing ||
      isEdited(event.composedPath()[0])
    )
      return;
    const range = selected();
    if (!range) return;
    event.preventDefault();
    if (!event.repeat) open(range);
  });

  window.Corrigenda = {
    open: () => open(selected()),
    close: () => part?.then((dialog) => dialog.close()),
    on(name, listener) {
      const type = `corrigenda:${name}`;
      on(type, listener);
      return () => document.removeEventListener(type, listener as (event: Event) => void);
    },
    forget() {
      part?.then((dialog) => dialog.forget());
      try {
        for (const name of Object.keys(localStorage))
          if (name.startsWith('corrigenda')) delete localStorage[name];
      } catch {}
    },
  };

  try {
    // A report that could not be sent on an earlier visit is offered again, what is too old erased.
    if (localStorage[DRAFTS]) prefetch();
  } catch {}
}

/** Only our own constant markup and address pass through the policy. */
const itself = (text: string): string => text;

const has = (place: string): boolean => !!document.querySelector(`[data-corrigenda=${place}]`);

const opener = (event: Event): Element | null =>
  (event.target as Element).closest?.('[data-corrigenda=report]');

function isEdited(target: unknown): boolean {
  const element = target as HTMLElement;
  return element.isContentEditable || !!element.matches?.('input,textarea,select');
}

/** The page's selection, unless it is empty or in something that is being written. */
function selected(): Range | null {
  const selection = getSelection();
  if (!selection?.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const { commonAncestorContainer: node } = range;
  return isEdited(node.nodeType === 1 ? node : node.parentElement) ? null : range.cloneRange();
}

if (me && !window.Corrigenda) embed(me);
