import { articleText, checksum, codePoints, indexOf } from './text';

/** W3C TextQuoteSelector and TextPositionSelector in one; positions in Unicode code points. */
export interface PassageSelector {
  exact: string;
  prefix: string;
  suffix: string;
  start: number;
  end: number;
  /** Tells which revision of the article's text was read. */
  revision: string;
}

const CONTEXT = 64;

/** A text's graphemes or words; its code points where the browser knows neither. */
export function segments(text: string, granularity: 'grapheme' | 'word'): string[] {
  return globalThis.Intl?.Segmenter
    ? Array.from(new Intl.Segmenter([], { granularity }).segment(text), ({ segment }) => segment)
    : [...text];
}

/** As many whole pieces from the front as `limit` code points hold. */
function fitting(pieces: string[], limit: number): string[] {
  let left = limit;
  const tooMany = pieces.findIndex((piece) => {
    left -= codePoints(piece);
    return left < 0;
  });
  return tooMany < 0 ? pieces : pieces.slice(0, tooMany);
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
    prefix: fitting(
      segments(text.slice(Math.max(0, start - reach), start), 'grapheme').reverse(),
      context,
    )
      .reverse()
      .join(''),
    suffix: fitting(segments(text.slice(end, end + reach), 'grapheme'), context).join(''),
    start: at,
    end: at + codePoints(exact),
    revision: checksum(text),
  };
}
