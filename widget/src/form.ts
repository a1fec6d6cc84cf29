import { difference } from './diff';
import { h, link } from './dom';
import type { Config } from './parts';
import type { PassageSelector } from './selector';
import { codePoints } from './text';
import type { Say } from './words';

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** The dialog's tree, and what the rest needs to lay hands on. */
export interface Form {
  dialog: HTMLDialogElement;
  /** The fields' values by name, as the reader sees them. */
  values(): Record<string, string>;
  fill(values: Record<string, string>): void;
  /** The suggestion as it is sent: undefined when there is none. */
  suggestion(): string | undefined;
  /** Says what is wrong with the fields; true when nothing is. */
  check(): boolean;
  /** Ties a message to the field of that name; false when there is no such field. */
  blame(name: string, message: string): boolean;
  /** Announces a line; `failed` colours it. */
  status(text: string, failed?: boolean): void;
  busy(is: boolean): void;
  /** Puts the thanks in the place of the form. */
  done(lines: (Node | string | null)[]): void;
}

/** The last sentence of what goes before, the first of what follows. */
function around({ prefix, suffix }: PassageSelector): [string, string] {
  return [
    prefix.replace(/^.*(?:[.!?…]["'”’»)\]]*\s+|[。！？؟]["”’»」』）]*|\n)(?=.)/s, ''),
    (suffix.match(/^[^\n]*?(?:[.!?…]["'”’»)\]]*(?=\s|$)|[。！？؟]|$|(?=\n))/) ?? [suffix])[0],
  ];
}

export function makeForm(
  { limits, categories, links, dir, locale }: Config,
  say: Say,
  passage: PassageSelector | null,
  lang: string,
  onClose: () => void,
): Form {
  const fields: Record<string, Control> = {};
  const errors: Record<string, HTMLElement> = {};

  const field = (name: string, control: Control, label: string, help = '') => {
    fields[name] = control;
    control.id = name;
    control.setAttribute('name', name);
    control.setAttribute('part', 'field');
    control.setAttribute('aria-describedby', `${name}-help ${name}-error`);
    errors[name] = h('p', { id: `${name}-error`, class: 'error' });
    return h(
      'div',
      { class: name },
      h('label', { for: name, class: 'label' }, label),
      control,
      h('p', { id: `${name}-help`, class: 'help', 'aria-live': 'polite' }, help),
      errors[name] as HTMLElement,
    );
  };

  const excess = passage ? codePoints(passage.exact) - limits.exact : 0;
  const optional = (name: string) => `${say(name)} (${say('optional')})`;

  const suggestion = passage && excess < 1 && h('textarea', { dir: 'auto', lang, rows: '2' });
  const change = h('p', {
    class: 'change',
    dir: 'auto',
    lang,
    'aria-hidden': 'true',
  });
  const about = suggestion ? field('suggestion', suggestion, say('suggestion')) : null;
  about?.append(change);
  if (suggestion && passage) suggestion.value = passage.exact;
  // The field's own value: a text area has its own idea of line ends.
  const before = suggestion ? suggestion.value : '';
  const comment = h('textarea', { dir: 'auto', rows: passage ? '2' : '5' });
  const email = h('input', {
    type: 'email',
    autocomplete: 'email',
    inputmode: 'email',
    spellcheck: 'false',
  });
  const honeypot = h('input', { name: 'website', tabindex: '-1', autocomplete: 'off' });
  const status = h('p', { role: 'status', class: 'status' });
  const submit = h('button', { type: 'submit', class: 'button submit' }, say('send'));
  const cancel = h('button', { type: 'button', class: 'button close' }, say('cancel'));
  cancel.onclick = onClose;

  const quote = passage && h('blockquote', { class: 'excerpt', dir: 'auto', lang });
  if (quote && passage) {
    const [left, right] = around(passage);
    quote.append(left, h('mark', { class: 'mark' }, passage.exact), right);
  }

  const form = h(
    'form',
    { name: 'report', novalidate: '' },
    ...(excess > 0
      ? [h('p', { class: 'error' }, say('excerpt_too_long', excess))]
      : [
          about,
          field(
            'comment',
            comment,
            suggestion ? optional('comment') : say('message'),
            suggestion ? say('comment_help') : '',
          ),
          h(
            'div',
            { class: 'pair' },
            field(
              'category',
              h(
                'select',
                {},
                h('option', { value: '' }, say('category_none')),
                ...categories.map((value) =>
                  h('option', { value }, say(`category_${value}`) || value),
                ),
              ),
              say('category'),
            ),
            field('email', email, optional('email'), say('email_help')),
          ),
          h('label', { class: 'trap', 'aria-hidden': 'true' }, honeypot),
        ]),
    h('div', { class: 'actions' }, excess < 1 && submit, cancel),
  );

  const dialog = h(
    'dialog',
    { class: 'dialog', dir, lang: locale, 'aria-labelledby': 'title' },
    h('h2', { id: 'title', class: 'title' }, say(passage ? 'title' : 'title_page')),
    quote,
    form,
    status,
    h(
      'p',
      { class: 'links' },
      link(links.privacy, say('privacy')),
      link(links.contact, say('contact')),
    ),
  );

  const blame = (name: string, message: string) => {
    const [control, error] = [fields[name], errors[name]];
    if (!control || !error) return false;
    error.textContent = message;
    control.setAttribute('aria-invalid', `${!!message}`);
    return true;
  };

  const show = () => {
    if (!suggestion || !passage) return;
    const after = suggestion.value;
    const help = dialog.querySelector('#suggestion-help') as HTMLElement;
    const text = after ? '' : say('deletes');
    if (help.textContent !== text) help.textContent = text;
    change.replaceChildren(
      ...(after && after !== before
        ? difference(before, after).map(({ kind, text }) =>
            kind === 'same' ? text : h(kind, {}, text),
          )
        : []),
    );
  };

  form.addEventListener('input', ({ target }) => {
    blame((target as Control).name, '');
    show();
  });

  const chosen = () => {
    const value = suggestion ? suggestion.value : before;
    if (value === before) return undefined;
    return value.trim() && value;
  };

  return {
    dialog,
    values: () =>
      Object.fromEntries(
        [...Object.entries(fields), ['website', honeypot] as const].map(([name, { value }]) => [
          name,
          value,
        ]),
      ),
    fill(values) {
      for (const [name, control] of Object.entries(fields))
        if (name in values) control.value = values[name] ?? '';
      show();
    },
    suggestion: () => chosen(),
    check() {
      for (const name of Object.keys(fields)) blame(name, '');
      for (const name of ['suggestion', 'comment', 'email'] as const) {
        const over = codePoints(fields[name]?.value.trim() ?? '') - limits[name];
        if (over > 0) blame(name, say('too_long', over));
      }
      if (!comment.value.trim() && chosen() === undefined)
        blame(suggestion ? 'suggestion' : 'comment', say(suggestion ? 'unchanged' : 'empty'));
      if (!email.validity.valid) blame('email', say('email_wrong'));
      const wrong = form.querySelector<HTMLElement>('[aria-invalid=true]');
      wrong?.focus();
      return !wrong;
    },
    blame,
    status(text, failed = false) {
      status.textContent = text;
      status.className = failed ? 'failed' : '';
    },
    busy(is) {
      submit.setAttribute('aria-disabled', `${is}`);
      submit.textContent = say(is ? 'sending' : 'send');
    },
    done(lines) {
      form.hidden = true;
      status.className = 'sent';
      cancel.textContent = say('close');
      status.after(h('div', { class: 'actions' }, cancel));
      status.replaceChildren(...lines.filter((line): line is Node | string => !!line));
      cancel.focus();
    },
  };
}
