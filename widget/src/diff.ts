import { segments } from './selector';

/** Words of two texts compared: in both, only before, or only after; named as HTML shows it. */
export type Piece = ['span' | 'del' | 'ins', string];

/** The difference of two texts word by word: around the longest run of words that both have. */
export function difference(before: string, after: string): Piece[] {
  return compare(segments(before, 'word'), segments(after, 'word'));
}

function compare(a: string[], b: string[]): Piece[] {
  let [length, i, j] = [0, 0, 0];
  a.forEach((_, x) => {
    b.forEach((_, y) => {
      let run = 0;
      while (x + run < a.length && a[x + run] === b[y + run]) run++;
      if (run > length) [length, i, j] = [run, x, y];
    });
  });
  const as = (name: Piece[0], words: string[]): Piece[] =>
    words[0] ? [[name, words.join('')]] : [];
  return length
    ? [
        ...compare(a.slice(0, i), b.slice(0, j)),
        ...as('span', a.slice(i, i + length)),
        ...compare(a.slice(i + length), b.slice(j + length)),
      ]
    : [...as('del', a), ...as('ins', b)];
}
