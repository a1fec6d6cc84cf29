import { segments } from './selector';

/** A word of two texts compared: in both, only before, or only after; named as HTML shows it. */
export type Piece = ['span' | 'del' | 'ins', string];

/** The difference of two texts word by word: longest common subsequence, O(n·m) in words. */
export function difference(before: string, after: string): Piece[] {
  const [a, b] = [segments(before, 'word'), segments(after, 'word')];
  /** How many words `a` from i and `b` from j have in common. */
  const common: number[][] = [];
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length; i--; ) {
    const row: number[] = [];
    common[i] = row;
    for (let j = b.length; j--; )
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const pieces: Piece[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (a[i] === b[j]) {
      pieces.push(['span', a[i++] as string]);
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1)))
      pieces.push(['del', a[i++] as string]);
    else pieces.push(['ins', b[j++] as string]);
  }
  return pieces;
}
