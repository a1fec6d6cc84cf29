import { type Config, type Dialog, type DialogScript, DRAFTS, type Embed } from './parts';

/** The hash of static/dialog.js, put in by the build. */
declare const DIALOG_INTEGRITY: string;

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

const me = (document.currentScript ??
  document.querySelector('script[data-site]')) as HTMLScriptElement | null;

if (me && !window.Corrigenda) embed(me);

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

  const here = () => ({
    url: location.href.split('#')[0] as string,
    canonical:
      data.canonical || document.querySelector<HTMLLinkElement>('link[rel~=canonical]')?.href,
  });

  /** Asks for an article's campaign only where the page has a place for it: one answer serves a site. */
  const config = () => {
    asked ??= fetch(
      `${api}widget?${new URLSearchParams({
        locale: data.locale || document.documentElement.lang || navigator.language,
        ...(places() && { url: here().canonical || here().url }),
      })}`,
      { credentials: 'omit' },
    ).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
    asked.catch(() => {
      asked = undefined;
    });
    return asked;
  };

  const lent: Embed = {
    data,
    api,
    config,
    tell,
    trust: (html) => policy?.createHTML(html) ?? html,
    here,
    first: here(),
  };

  const load = () => {
    part ??= new Promise<Dialog>((resolve, reject) => {
      config().catch(() => 0);
      const fetched: DialogScript = document.createElement('script');
      const url = `${new URL('dialog.js', script.src)}`;
      policy ??= window.trustedTypes?.createPolicy('corrigenda', {
        createHTML: itself,
        createScriptURL: itself,
      });
      fetched.start = (make) => resolve(make(lent));
      fetched.onerror = reject;
      fetched.nonce = data.nonce || script.nonce;
      if (script.integrity) {
        // A page that pins this script pins with it the part that this script was built with.
        fetched.integrity = DIALOG_INTEGRITY;
        fetched.crossOrigin = 'anonymous';
      }
      fetched.src = policy ? policy.createScriptURL(url) : url;
      document.head.append(fetched);
    }).catch((error) => {
      part = undefined;
      failed = true;
      throw error;
    });
    return part;
  };

  const prefetch = () => {
    if (!failed) load().catch(() => 0);
  };

  const open = (range?: Range | null) => {
    load().then(
      (dialog) => dialog.open(range),
      () => tell('error', { status: 0 }),
    );
  };

  const on = <E extends Event>(name: string, listener: (event: E) => void) =>
    document.addEventListener(name, listener as (event: Event) => void);

  // An async script may come before the canonical link.
  on('DOMContentLoaded', () => {
    lent.first = here();
  });

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
          if (name.startsWith('corrigenda')) localStorage.removeItem(name);
      } catch {}
    },
  };

  try {
    // A report that could not be sent on an earlier visit is offered again.
    if (localStorage[DRAFTS]?.includes('"attempt"')) prefetch();
  } catch {}
}

/** Only our own constant markup and address pass through the policy. */
function itself(text: string): string {
  return text;
}

function places(): Element | null {
  return document.querySelector('[data-corrigenda=support],[data-corrigenda=corrections]');
}

function opener(event: Event): Element | null {
  return (event.target as Element).closest?.('[data-corrigenda=report]');
}

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
