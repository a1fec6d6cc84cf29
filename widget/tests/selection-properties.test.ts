import fc from 'fast-check';
import { JSDOM } from 'jsdom';
import { expect, test, vi } from 'vitest';
import { selectorOf } from '../src/selector';
import { articleText, checksum, codePoints } from '../src/text';

const { document } = new JSDOM('').window;

const words = fc.oneof(
  fc.constantFrom(
    ' ',
    '\n\t ',
    'a',
    'word two',
    'e\u0301',
    '😀',
    '𠮷',
    '👩‍👩‍👧',
    'אב',
    '漢字',
    '\u200b',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);

/** Random markup: blocks, inline elements in each other, line breaks, what is hidden or skipped. */
const { tree } = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc
    .array(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        words.map((text) => text.replace(/[&<]/g, '+')),
        fc.constantFrom('<br>', '<button>no</button>', '<p hidden>no</p>', '<script>no</script>'),
        fc
          .tuple(fc.constantFrom('p', 'em', 'b', 'div', 'li', 'pre', 'span'), tie('tree'))
          .map(([name, inside]) => `<${name}>${inside}</${name}>`),
      ),
      { maxLength: 5 },
    )
    .map((parts) => parts.join('')),
}));

/** Every text and element of the article, the ends that a range may have. */
function nodes(root: Node): Node[] {
  return [root, ...[...root.childNodes].flatMap(nodes)];
}

// On a busy machine hundreds of documents take their time.
vi.setConfig({ testTimeout: 60_000 });

const place = fc.tuple(fc.nat(), fc.nat());

test('a selector agrees with the article’s text, whatever is selected in whatever markup', () => {
  let found = 0;
  fc.assert(
    fc.property(tree, place, place, (html, one, other) => {
      document.body.innerHTML = `<p>before</p><article>${html}</article>`;
      const article = document.querySelector('article') as Element;
      const all = nodes(article);
      const range = document.createRange();
      const point = ([node, offset]: [number, number]): [Node, number] => {
        const chosen = all[node % all.length] as Node;
        const size =
          chosen.nodeType === 3 ? (chosen as Text).data.length : chosen.childNodes.length;
        return [chosen, offset % (size + 1)];
      };
      range.setStart(...point(one));
      const end = point(other);
      if (range.comparePoint(...end) < 0) range.setStart(...end);
      else range.setEnd(...end);
      const { text } = articleText(article);
      const selector = selectorOf(range, article);
      if (!selector) return;
      const { exact, prefix, suffix, start, revision } = selector;
      // No reader can select half of a character, but these points may lie in one.
      if (/\p{Surrogate}/u.test([exact, prefix, suffix].join('|'))) return;
      found++;
      const characters = [...text];
      const before = characters.slice(0, start).join('');
      const after = characters.slice(selector.end).join('');
      expect(characters.slice(start, selector.end).join('')).toBe(exact);
      expect(exact).toBe(exact.replace(/^[ \t\n\f\r]+|[ \t\n\f\r]+$/g, ''));
      expect(exact).not.toBe('');
      expect(before.endsWith(prefix)).toBe(true);
      expect(after.startsWith(suffix)).toBe(true);
      expect(codePoints(prefix)).toBeLessThanOrEqual(64);
      expect(codePoints(suffix)).toBeLessThanOrEqual(64);
      if (codePoints(before) <= 32) expect(prefix).toBe(before);
      expect(revision).toBe(checksum(text));
    }),
    { numRuns: 2000 },
  );
  expect(found).toBeGreaterThan(200);
});
