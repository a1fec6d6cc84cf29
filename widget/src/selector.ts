import { articleText, checksum, codePoints, indexOf } from './text';

/** W3C TextQuoteSelector. */
export interface Quote {
  exact: string;
  prefix: string;
  suffix: string;
}

/** A quote with W3C's TextPositionSelector, in Unicode code points. */
export interface PassageSelector extends Quote {
  start: number;
  end: number;
  /** Tells which revision of the article's text was read. */
  revision: string;
}

const CONTEXT = 64;

/** A text's graphemes or words; its code points where the browser knows neither. */
export function segments(text: string, granularity: 'grapheme' | 'word'): string[] {
  return Intl.Segmenter
    ? Array.from(new Intl.Segmenter([], { granularity }).segment(text), ({ segment }) => segment)
    : [...text];
}

/** As many whole graphemes as `limit` code points hold, others cut off at one end. */
function fitting(text: string, limit: number, cut: 'shift' | 'pop'): string {
  const pieces = segments(text, 'grapheme');
  while (codePoints(pieces.join('')) > limit) pieces[cut]();
  return pieces.join('');
}

/** What a range selects of an article's text, clipped to it; null when that is nothing. */
export function selectorOf(
  range: Range,
  root: Element,
  context: number = CONTEXT,
): PassageSelector | null {
  if (range.startContainer.getRootNode() !== root.getRootNode()) return null;
  const article = articleText(root);
  const { text } = article;
  const from = indexOf(article, range.startContainer, range.startOffset);
  const selected = text.slice(from, indexOf(article, range.endContainer, range.endOffset));
  const exact = selected.replace(/^[ \t\n\f\r]+|[ \t\n\f\r]+$/g, '');
  if (!exact) return null;
  const start = from + selected.indexOf(exact);
  const end = start + exact.length;
  // Twice the code units hold the code points; twice again, so that the cut outer edge is left out.
  const reach = context * 4;
  const at = codePoints(text.slice(0, start));
  return {
    exact,
    prefix: fitting(text.slice(Math.max(0, start - reach), start), context, 'shift'),
    suffix: fitting(text.slice(end, end + reach), context, 'pop'),
    start: at,
    end: at + codePoints(exact),
    revision: checksum(text),
  };
}
