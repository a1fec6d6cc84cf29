// The text rule, in the browser: docs/text-rule.md. service/text/html.py is its other half.

/** Copied characters: of `node` from `offset`, standing in the text from `at`. */
export interface Run {
  node: Text;
  offset: number;
  at: number;
  length: number;
}

/** An article's text and where each of its characters came from; indexes are UTF-16. */
export interface ArticleText {
  text: string;
  runs: Run[];
}

const SKIPPED =
  /^(audio|button|canvas|corrigenda-.+|datalist|dialog|iframe|math|meter|noembed|noframes|noscript|object|progress|rp|rt|script|select|style|svg|template|textarea|title|video)$/;

const BLOCKS =
  /^(address|article|aside|blockquote|caption|center|dd|details|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hgroup|hr|legend|li|listing|main|menu|nav|ol|p|plaintext|pre|search|section|summary|table|td|th|ul|xmp)$/;

const PRESERVED = /^(listing|plaintext|pre|xmp)$/;

const COLLAPSE = 0;
const LINES = 1;
const KEEP = 2;
const SPACE = 1;
const BREAK = 2;
const BLOCK = 3;
const SEPARATORS = ['', ' ', '\n', '\n\n'];

// One space between words may stay inside a piece: fewer runs.
const PIECES = /[^ \t\n\f\r]+(?: [^ \t\n\f\r]+)*|\n|[ \t\f\r]+/g;

/** The value that the last declaration of a property in the `style` attribute gives it. */
function declared(element: Element, property: string): string {
  const style = (element.getAttribute('style') ?? '').toLowerCase();
  const found = style.matchAll(new RegExp(`(?:^|;)\\s*${property}\\s*:([^;]*)`, 'g'));
  return ([...found].pop()?.[1] ?? '').replace('!important', '').trim();
}

function isSkipped(element: Element): boolean {
  return (
    SKIPPED.test(element.localName) ||
    element.matches(
      '[data-corrigenda=support],[data-corrigenda=corrections],[hidden]:not([hidden=until-found i])',
    ) ||
    declared(element, 'display') === 'none'
  );
}

function modeOf(element: Element, inherited: number): number {
  const value = declared(element, 'white-space');
  if (/^(pre|pre-wrap|break-spaces)$/.test(value)) return KEEP;
  if (value === 'pre-line') return LINES;
  if (/^(normal|nowrap|initial)$/.test(value)) return COLLAPSE;
  return PRESERVED.test(element.localName) ? KEEP : inherited;
}

/** The text of an article's element, in one pass. */
export function articleText(root: Element): ArticleText {
  const runs: Run[] = [];
  let text = '';
  let gap = 0;

  const add = (node: Text, offset: number, piece: string): void => {
    if (text) text += SEPARATORS[gap];
    gap = 0;
    runs.push({ node, offset, at: text.length, length: piece.length });
    text += piece;
  };

  const read = (node: Text, mode: number): void => {
    if (mode === KEEP) {
      if (node.data) add(node, 0, node.data);
      return;
    }
    for (const { 0: piece, index } of node.data.matchAll(PIECES)) {
      if (piece === '\n' && mode === LINES) gap = gap < BREAK ? BREAK : BLOCK;
      else if (/[ \t\n\f\r]/.test(piece[0] as string)) gap ||= SPACE;
      else add(node, index, piece);
    }
  };

  const walk = (element: Element, inherited: number): void => {
    const mode = modeOf(element, inherited);
    for (let node = element.firstChild; node; node = node.nextSibling) {
      if (node.nodeType === 3) read(node as Text, mode);
      else if (node.nodeType === 1 && !isSkipped(node as Element)) {
        const name = (node as Element).localName;
        if (name === 'br') gap = gap < BREAK ? BREAK : BLOCK;
        else {
          const isBlock = BLOCKS.test(name);
          if (isBlock) gap = BLOCK;
          walk(node as Element, mode);
          if (isBlock) gap = BLOCK;
        }
      }
    }
  };

  walk(root, COLLAPSE);
  return { text: text.replace(/[\0\p{Surrogate}]/gu, '\ufffd'), runs };
}

/** The last run that starts at or before a point, by binary search. */
function runBefore(runs: Run[], isAfter: (run: Run) => boolean): Run | undefined {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAfter(runs[middle] as Run)) high = middle;
    else low = middle + 1;
  }
  return runs[low - 1];
}

/** Where a boundary point of the document lies in the text: after all the characters before it. */
export function indexOf({ runs }: ArticleText, node: Node, offset: number): number {
  const point = (node.ownerDocument as Document).createRange();
  point.setStart(node, offset);
  const run = runBefore(runs, (run) => point.comparePoint(run.node, run.offset) > 0);
  if (!run) return 0;
  return run.at + (run.node === node ? Math.min(run.length, offset - run.offset) : run.length);
}

/** The range of the document that shows the text from `start` to `end`, or null outside of it. */
export function rangeAt({ text, runs }: ArticleText, start: number, end: number): Range | null {
  const first = runBefore(runs, (run) => run.at > start);
  const last = runBefore(runs, (run) => run.at >= end);
  if (!first || !last || start < 0 || start >= end || end > text.length) return null;
  const range = first.node.ownerDocument.createRange();
  range.setStart(first.node, first.offset + Math.min(first.length, start - first.at));
  range.setEnd(last.node, last.offset + Math.min(last.length, end - last.at));
  return range;
}

/** The first element of a selector or, where a page has several articles, the one with the range. */
function queried(document: Document, selector: string, range?: Range | null): Element | null {
  try {
    const found = [...document.querySelectorAll(selector)];
    return found.find((element) => range?.intersectsNode(element)) ?? found[0] ?? null;
  } catch {
    return null;
  }
}

/** The element whose own paragraphs hold more than half of the document's paragraph text. */
function mostParagraphs(document: Document): Element | null {
  const sizes = new Map<Element | null, number>();
  let total = 0;
  for (const paragraph of document.querySelectorAll('p')) {
    const size = codePoints(articleText(paragraph).text);
    total += size;
    sizes.set(paragraph.parentElement, size + (sizes.get(paragraph.parentElement) ?? 0));
  }
  for (const [element, size] of sizes) if (size * 2 > total) return element;
  return null;
}

/** The element whose text is the article's: the site's selector, or a fixed order of guesses. */
export function articleOf(
  document: Document,
  selector?: string | null,
  range?: Range | null,
): Element {
  return (
    (selector && queried(document, selector, range)) ||
    document.querySelector('article') ||
    document.querySelector('main,[role=main]') ||
    mostParagraphs(document) ||
    document.body
  );
}

/** The length of a text in Unicode code points. */
export function codePoints(text: string): number {
  return [...text].length;
}

/** Adler-32 (RFC 1950) of a text in UTF-8, in hex digits: tells which revision was read. */
export function checksum(text: string): string {
  let [a, b] = [1, 0];
  for (const byte of new TextEncoder().encode(text)) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return (b * 65536 + a).toString(16);
}
