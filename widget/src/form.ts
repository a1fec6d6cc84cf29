import { difference } from './diff';
import type { Config } from './parts';
import type { Quote } from './selector';
import { codePoints } from './text';
import type { Find, Say } from './words';

/** The fields' values by name. */
export type Values = Record<'suggestion' | 'comment' | 'category' | 'email' | 'website', string>;

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

/** A context of more characters was cut by `selectorOf`, unless the article itself begins or ends there. */
const MANY = 59;

/** What is left out of a long run of words that did not change. */
const MIDDLE = /(?<=.{20}\s).{9,}(?=\s.{20})/s;

const SENTENCE = /(?<=[.!?…]\p{P}*\s|[。！？؟\n])/u;

/** The sentence around a passage, in two halves; what is not known whole ends with a word and an ellipsis. */
export function around({ prefix, suffix }: Quote): [string, string] {
  const left = `${prefix}|`.split(SENTENCE);
  const right = suffix.split(SENTENCE);
  return [
    left[1] || !prefix[MANY]
      ? (left.pop() as string).slice(0, -1)
      : prefix.replace(/^(\S*\s)?/, '…'),
    right[1] || !suffix[MANY] ? (right[0] as string).trimEnd() : suffix.replace(/(\s\S*)?$/, '…'),
  ];
}

export function setUp(
  find: Find,
  { limits }: Config,
  say: Say,
  passage: Quote | null,
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
    const mark = find('mark');
    suggestion.value = mark.textContent = passage.exact;
    quote.replaceChildren(left, mark, right);
  }
  // The field's own value: a text area has its own idea of line ends.
  const before = suggestion.value;

  const blame = (messages: Record<string, string>) => {
    for (const error of form.querySelectorAll('[part=error]')) {
      const name = error.id.split('-')[0] as keyof Values;
      error.textContent = messages[name] ?? '';
      fields[name].ariaInvalid = `${!!messages[name]}`;
      fields[name].setAttribute('aria-describedby', `${name}-error ${name}-help`);
      delete messages[name];
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
      ...(value && value !== before ? difference(before, value) : []).map(([name, textContent]) =>
        Object.assign(document.createElement(name), {
          textContent: name === 'span' ? textContent.replace(MIDDLE, '…') : textContent,
        }),
      ),
    );
  };

  const react = () => {
    blame({});
    change();
  };
  form.oninput = react;
  react();

  const values = () => Object.fromEntries(new FormData(form)) as Values;

  const chosen = () => {
    const { value } = suggestion;
    return value === before ? undefined : value.trim() && value;
  };

  return {
    values,
    restore(kept) {
      for (const name in kept) fields[name as keyof Values].value = kept[name as keyof Values];
      change();
    },
    suggestion: chosen,
    check() {
      const messages: Record<string, string> = {};
      if (!comment.value.trim() && chosen() === undefined)
        messages[passage ? 'suggestion' : 'comment'] = say(passage ? 'unchanged' : 'empty');
      if (!email.validity.valid) messages.email = say('email_wrong');
      for (const [name, value] of Object.entries(values())) {
        const over = codePoints(value) - limits[name as keyof typeof limits];
        if (over > 0) messages[name] = say('too_long', over);
      }
      const isFine = !Object.keys(messages).length;
      blame(messages);
      return isFine;
    },
    blame,
  };
}
