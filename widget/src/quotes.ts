import { type Embed, type PartScript, type Support, supportOf } from './parts';
import { articleOf, codePoints } from './text';

(document.currentScript as PartScript<void> | null)?.start?.(start);

/** What the reader writes is never touched; nor is what is run, unless its link is asked for. */
const WRITTEN = 'input,textarea,select,[contenteditable]';
const OWN = `pre,code,kbd,samp,${WRITTEN}`;

/** So long the button says what came of it. */
const SHOWN = 2000;

/** Adds the article's link and the site's rule to long copies, and a button for it to the menu. */
async function start(embed: Embed): Promise<void> {
  const { data, here } = embed;
  const { support, article_selector } = await supportOf(embed);
  const { quote, words } = support as Support;
  /** The reader asked for the link: any length gets it. */
  let isAsked = false;

  const copy = (event: ClipboardEvent) => {
    const selection = getSelection();
    const taken = event.clipboardData;
    if (!quote || !taken || event.defaultPrevented || !selection?.rangeCount) return;
    const range = selection.getRangeAt(0);
    const { commonAncestorContainer: node } = range;
    // The event's own target is only the host of what is behind a shadow root.
    const places = [event.composedPath()[0], node.nodeType === 1 ? node : node.parentElement];
    const isIn = (css: string) => places.some((place) => (place as Element)?.closest?.(css));
    if (
      isIn(isAsked ? WRITTEN : OWN) ||
      (!isAsked &&
        lengthOf(range, articleOf(document, data.article || article_selector, range)) <= quote.from)
    )
      return;
    const { url, canonical } = here();
    const link = canonical || url;
    taken.setData('text/plain', `${selection}\n\n${quote.text} ${link}`);
    taken.setData('text/html', htmlOf(range, quote.text, link));
    event.preventDefault();
  };

  const button = document.createElement('button');
  button.part.add('copy');
  button.textContent = words.copy;
  button.onclick = () => {
    isAsked = true;
    // It works on plain http too, and goes the way of every copy.
    const isCopied = document.execCommand('copy');
    isAsked = false;
    button.textContent = `${isCopied ? '✓' : '✗'} ${words.copy}`;
    setTimeout(() => {
      button.textContent = words.copy;
    }, SHOWN);
  };
  const offer = () => {
    const dialog = document.querySelector('corrigenda-dialog')?.shadowRoot;
    const menu = dialog?.querySelector('[popover]');
    if (!menu || button.isConnected) return;
    menu.append(button);
    coming.disconnect();
    // It is wider now, and finds its place again.
    document.dispatchEvent(new Event('selectionchange'));
  };
  // The menu may come after the selection that it is for.
  const coming = new MutationObserver(offer);
  coming.observe(document.body, { childList: true });
  document.addEventListener('selectionchange', offer);
  offer();
  addEventListener('copy', copy);
}

/** How many code points of the article a range holds; white space in a row is one. */
function lengthOf(range: Range, article: Element): number {
  if (!range.intersectsNode(article)) return 0;
  const inside = range.cloneRange();
  const all = document.createRange();
  all.selectNodeContents(article);
  if (inside.compareBoundaryPoints(Range.START_TO_START, all) < 0) inside.setStart(article, 0);
  if (inside.compareBoundaryPoints(Range.END_TO_END, all) > 0)
    inside.setEnd(article, article.childNodes.length);
  return codePoints(`${inside}`.trim().replace(/\s+/g, ' '));
}

/** What a range shows as HTML that means the same elsewhere, with the rule and the link below. */
function htmlOf(range: Range, text: string, link: string): string {
  const copied = document.createElement('template');
  copied.content.append(range.cloneContents());
  for (const element of copied.content.querySelectorAll('*')) {
    if (element.matches('script,style,noscript,template,[hidden],[data-corrigenda]'))
      element.remove();
    for (const name of ['href', 'src']) {
      const value = element.getAttribute(name);
      if (value !== null && URL.canParse(value, document.baseURI))
        element.setAttribute(name, `${new URL(value, document.baseURI)}`);
    }
  }
  const line = document.createElement('p');
  line.append(`${text} `, Object.assign(document.createElement('a'), { href: link }));
  line.lastElementChild!.textContent = link;
  copied.content.append(line);
  return copied.innerHTML;
}
