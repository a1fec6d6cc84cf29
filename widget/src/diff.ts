/** One stretch of two texts compared: in both, only before, or only after. */
export interface Piece {
  kind: 'same' | 'del' | 'ins';
  text: string;
}

function words(text: string): string[] {
  return globalThis.Intl?.Segmenter
    ? Array.from(
        new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text),
        ({ segment }) => segment,
      )
    : (text.match(/\s+|[^\s]+/g) ?? []);
}

/** The difference of two texts word by word: longest common subsequence, O(n·m) in words. */
export function difference(before: string, after: string): Piece[] {
  const [a, b] = [words(before), words(after)];
  const width = b.length + 1;
  /** Length of what `a` from i and `b` from j have in common, at i·width + j. */
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] =
        a[i] === b[j]
          ? 1 + (common[(i + 1) * width + j + 1] as number)
          : Math.max(common[(i + 1) * width + j] as number, common[i * width + j + 1] as number);
  const pieces: Piece[] = [];
  const add = (kind: Piece['kind'], text: string) => {
    const last = pieces[pieces.length - 1];
    if (last?.kind === kind) last.text += text;
    else pieces.push({ kind, text });
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && a[i] === b[j]) {
      add('same', a[i++] as string);
      j++;
    } else if (
      i < a.length &&
      (j === b.length ||
        (common[(i + 1) * width + j] as number) >= (common[i * width + j + 1] as number))
    )
      add('del', a[i++] as string);
    else add('ins', b[j++] as string);
  }
  return pieces;
}
