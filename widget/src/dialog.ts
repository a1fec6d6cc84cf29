import { type Draft, drafts, keep, replace, type Tried, unsent } from './drafts';
import { type Form, setUp } from './form';
import type { Config, Dialog, DialogScript, Embed } from './parts';
import { selectorOf } from './selector';
import { newKey, type Outcome, send } from './send';
import css from './styles.css';
import { targetOf, written } from './target';
import template from './template.html';
import { articleOf, codePoints } from './text';
import { type Find, label, linksTo, type Say, sayer } from './words';

(document.currentScript as DialogScript | null)?.start?.(start);

/** Bundled, because without the service there are no strings. */
const UNREACHABLE = 'The service cannot be reached.';

function start(embed: Embed): Dialog {
  const { data, tell } = embed;
  const host = document.createElement('corrigenda-dialog');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  root.innerHTML = embed.trust(template);
  for (const { style } of root.children as HTMLCollectionOf<HTMLElement>)
    if (/^(light|dark)$/.test(data.theme ?? '')) style.colorScheme = data.theme as string;

  const find: Find = (name) => root.querySelector(name) as never;
  const dialog = find<HTMLDialogElement>('dialog');
  const button = find('[popover]');
  const status = find('[role=status]');

  let config: Config | undefined;
  let say: Say = () => '';
  let touched: Range | null = null;
  /** What Send and Cancel do now; none while something is being sent. */
  let submit: (() => void) | undefined;
  let cancel: (() => void) | undefined;
  /** Gives the reader back the place that the dialog was opened from. */
  let back: (() => void) | undefined;

  const ready = async () => {
    if (!host.isConnected) document.body.append(host);
    if (config) return;
    const answer = await embed.config();
    say = sayer(answer);
    label(root, answer, say);
    button.textContent = say('title');
    config = answer;
  };

  const article = () => articleOf(document, data.article || config?.article_selector);

  /** Shows a line, the fields or not, and the buttons by the names of their strings. */
  const present = (text: string, hasFields: boolean, sending: string, closing: string) => {
    status.textContent = text;
    find('#fields').hidden = !hasFields;
    find('#send').hidden = !sending;
    find('#send').textContent = say(sending);
    find('#cancel').textContent = say(closing) || 'Close';
    submit = cancel = undefined;
  };

  const open = async (range?: Range | null) => {
    await ready().catch(() => 0);
    if (dialog.matches(':modal')) return;
    const passage = range ? selectorOf(range, article()) : null;
    if ((range && !passage) || !tell('open', { selector: passage }, true)) return;
    dialog.close();
    offerButton(null);
    const from = document.activeElement as HTMLElement | null;
    const excess = passage && config ? codePoints(passage.exact) - config.limits.exact : 0;
    if (!config) {
      present(UNREACHABLE, false, '', 'close');
      tell('error', { status: 0, detail: UNREACHABLE });
    } else {
      const lang = article().closest('[lang]')?.getAttribute('lang') ?? '';
      const form = setUp(find, config, say, passage, lang);
      if (excess > 0) present(say('excerpt_too_long', excess), false, '', 'close');
      else {
        present('', true, 'send', 'cancel');
        const about = `${embed.here().url}\n${passage ? `${passage.start} ${passage.exact}` : ''}`;
        write(form, targetOf(embed, config, passage, lang), about);
      }
    }
    back = () => {
      from?.focus({ preventScroll: true });
      if (!range?.startContainer.isConnected) return;
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
    };
    dialog.showModal();
    const field = find<HTMLTextAreaElement>(passage ? '#suggestion' : '#comment');
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  };

  /** Ties the form to the draft that it is and the report that is made of it. */
  const write = (form: Form, target: object, about: string) => {
    const draft = (): Draft => ({ at: Date.now(), fields: form.values() });
    const kept = drafts()[about];
    if (kept) form.restore(kept.fields);
    dialog.oninput = () => keep(about, draft());
    submit = () => {
      if (!form.check()) return;
      const { comment, category, email, website } = form.values();
      const suggestion = form.suggestion();
      const body = written({
        target,
        suggestion,
        comment: comment.trim(),
        category,
        email: email.trim(),
        website,
      });
      // The same text again is the same report; another text is another.
      const before = drafts()[about]?.attempt;
      const attempt =
        before?.body === body ? before : { url: `${embed.api}reports`, key: newKey(), body };
      deliver(about, { ...draft(), attempt }, form);
    };
  };

  /** Sends what a draft tries; keeps or drops the draft and tells the reader, by what comes of it. */
  const deliver = async (about: string, draft: Tried, form?: Form) => {
    const again = submit;
    const button = find('#send');
    const label = button.textContent;
    const busy = (is: boolean) => {
      button.setAttribute('aria-disabled', `${is}`);
      button.textContent = is ? say('sending') : label;
    };
    submit = dialog.oninput = null as never;
    busy(true);
    status.textContent = '';
    keep(about, draft);
    const outcome = await send(draft.attempt);
    // Another opening has the dialog by now.
    const isOurs = submit === null;
    if (isOurs) busy(false);
    if (outcome.sent) {
      keep(about);
      const { id, correction_id, already_reported, receipt_url } = outcome;
      tell('sent', { id, correction_id, already_reported });
      if (!isOurs) return;
      present(say('sent'), false, '', 'close');
      if (already_reported > 0) status.append(` ${say('already', already_reported)}`);
      status.append(...linksTo({ follow: receipt_url }, say));
      find('#cancel').focus();
    } else {
      if (!outcome.again) keep(about, { at: draft.at, fields: draft.fields });
      tell('error', outcome);
      if (!isOurs) return;
      submit = again;
      const errors = Object.fromEntries(
        outcome.errors.map(({ pointer, detail }) => [pointer.slice(1), detail]),
      );
      const others = form ? form.blame(errors) : [];
      status.textContent = [refusal(outcome), ...others].join(' ');
    }
  };

  const refusal = ({ status, again, wait, detail }: Outcome & { sent: false }) => {
    if (!status) return say(navigator.onLine ? 'unreachable' : 'offline');
    if (status === 429) return say('too_many', Math.max(1, Math.ceil(wait / 60)));
    return again ? say('down') : `${say('refused')} ${detail}`;
  };

  /** Offers, beside the page, what an earlier visit could not send. */
  const remind = async () => {
    const [about, draft] = unsent() ?? [];
    if (!draft || !about || dialog.open) return;
    await ready();
    const { target, comment } = JSON.parse(draft.attempt.body);
    const exact = target.selector?.[0].exact ?? comment;
    setUp(
      find,
      config as Config,
      say,
      { exact, prefix: '', suffix: '', start: 0, end: 0, revision: '' },
      '',
    );
    back = undefined;
    present(say('unsent'), false, 'send_now', 'discard');
    submit = () => deliver(about, draft);
    cancel = () => keep(about);
    dialog.show();
  };

  /** Puts the button below a selection and its handles, clear of the system's own bar above; or away. */
  const offerButton = (box: DOMRect | null | undefined) => {
    button.hidden = !box;
    button.togglePopover?.(!!box);
    if (!box) return;
    const { offsetWidth: width, offsetHeight: height } = button;
    const left = Math.min((box.left + box.right - width) / 2, innerWidth - width - 8);
    const top = Math.min(box.bottom + 32, innerHeight - height - 8);
    button.style.left = `${Math.max(8, left) + scrollX}px`;
    button.style.top = `${top + scrollY}px`;
  };

  dialog.onsubmit = (event) => {
    event.preventDefault();
    submit?.();
  };
  dialog.onkeydown = ({ key, ctrlKey, metaKey }) => {
    if (key === 'Enter' && (ctrlKey || metaKey)) submit?.();
  };
  dialog.onclose = () => {
    if (dialog.open) return;
    submit = undefined;
    // WebKit leaves the keyboard in the hidden field.
    (root.activeElement as HTMLElement | null)?.blur();
    back?.();
  };
  find('#cancel').onclick = () => {
    cancel?.();
    dialog.close();
  };
  // A press elsewhere would take the selection away.
  button.onpointerdown = (event) => event.preventDefault();
  button.onclick = () => open(touched);
  button.hidden = true;

  const retry = () => {
    if (!dialog.open) remind().catch(() => 0);
    else if (unsent()) submit?.();
  };
  addEventListener('online', retry);
  retry();

  return {
    open,
    close: () => dialog.close(),
    forget() {
      dialog.close();
      replace({});
    },
    async selected(range) {
      touched = range;
      if (range) await ready();
      if (touched !== range || (!range && button.hidden)) return;
      const isOffered = range?.intersectsNode(article()) && !dialog.matches(':modal');
      offerButton(isOffered ? [...(range as Range).getClientRects()].pop() : null);
    },
  };
}
