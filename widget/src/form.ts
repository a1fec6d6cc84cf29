import { difference } from './diff';
import type { Config } from './parts';
import type { PassageSelector } from './selector';
import { codePoints } from './text';
import type { Find, Say } from './words';

const NAMES = ['suggestion', 'comment', 'category', 'email', 'website'] as const;

/** The fields' values by name. */
export type Values = Record<(typeof NAMES)[number], string>;

/** The form, set up for one passage or for the page. */
export interface Form {
  values(): Values;
  restore(values: Values): void;
  /** The suggestion as it is sent: none when nothing was changed, empty to delete the words. */
  suggestion(): string | undefined;
  /** Says beside the fields what is wrong with them; true when nothing is. */
  check(): boolean;
  /** Ties messages to the fields of those names and goes to the first; gives back what has no field. */
  blame(messages: Record<string, string>): string[];
}

const SENTENCE = /(?<=[.!?…]["'”’»)]*\s|[。！？؟\n])/;

/** The sentence around a passage, in two halves. */
function around({ prefix, suffix }: PassageSelector): [string, string] {
  return [
    (`${prefix}|`.split(SENTENCE).pop() as string).slice(0, -1),
    (suffix.split(SENTENCE)[0] ?? '').trimEnd(),
  ];
}

export function setUp(
  find: Find,
  { limits }: Config,
  say: Say,
  passage: PassageSelector | null,
  lang: string,
): Form {
  const form = find<HTMLFormElement>('form');
  const fields = form.elements as unknown as Record<keyof Values, HTMLInputElement>;
  const { suggestion, comment, email } = fields;
  const help = find('#suggestion-help');
  const quote = find('blockquote');
  const shown = find('[part=change]');

  form.reset();
  for (const element of [quote, suggestion, shown]) element.lang = lang;
  find('#passage').hidden = quote.hidden = !passage;
  find('#title').textContent = say(passage ? 'title' : 'title_page');
  find('[for=comment]').textContent = say(passage ? 'comment' : 'message');
  find('#comment-help').hidden = !passage;
  if (passage) {
    const [left, right] = around(passage);
    [left, passage.exact, right].forEach((text, index) => {
      (quote.children[index] as Element).textContent = text;
    });
    suggestion.value = passage.exact;
  }
  // The field's own value: a text area has its own idea of line ends.
  const before = suggestion.value;

  const blame = (messages: Record<string, string>) => {
    for (const name of NAMES) {
      const message = messages[name] ?? '';
      const error = find(`#${name}-error`);
      if (error) error.textContent = message;
      fields[name].setAttribute('aria-invalid', `${!!message}`);
      fields[name].setAttribute('aria-describedby', `${name}-error ${name}-help`);
      if (error) delete messages[name];
    }
    form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
    return Object.values(messages);
  };

  /** Shows what the suggestion does to the passage. */
  const change = () => {
    const { value } = suggestion;
    const text = value.trim() || !passage ? '' : say('deletes');
    if (help.textContent !== text) help.textContent = text;
    shown.replaceChildren(
      ...(value && value !== before ? difference(before, value) : []).map(([name, text]) => {
        const element = document.createElement(name);
        element.textContent = text;
        return element;
      }),
    );
  };

  const react = () => {
    blame({});
    change();
  };
  form.oninput = react;
  react();

  const chosen = () => {
    const { value } = suggestion;
    return value === before ? undefined : value.trim() && value;
  };

  return {
    values: () => Object.fromEntries(NAMES.map((name) => [name, fields[name].value])) as Values,
    restore(values) {
      for (const name of NAMES) fields[name].value = values[name];
      change();
    },
    suggestion: chosen,
    check() {
      const messages: Record<string, string> = {};
      if (!comment.value.trim() && chosen() === undefined)
        messages[passage ? 'suggestion' : 'comment'] = say(passage ? 'unchanged' : 'empty');
      if (!email.validity.valid) messages.email = say('email_wrong');
      for (const name of ['suggestion', 'comment', 'email'] as const) {
        const over = codePoints(fields[name].value.trim()) - limits[name];
        if (over > 0) messages[name] = say('too_long', over);
      }
      const isFine = !Object.keys(messages).length;
      blame(messages);
      return isFine;
    },
    blame,
  };
}
