import { type Attempt, type Draft, drafts, keep, replace, type Tried, unsent } from './drafts';
import { type Form, setUp } from './form';
import type { Config, Dialog, Embed, PartScript } from './parts';
import { selectorOf } from './selector';
import { newKey, type Outcome, send } from './send';
import css from './styles.css';
import { targetOf, written } from './target';
import template from './template.html';
import { articleOf, codePoints } from './text';
import { type Find, label, linksTo, type Say, sayer } from './words';

(document.currentScript as PartScript<Dialog> | null)?.start?.(start);

function start(embed: Embed): Dialog {
  const { data, tell } = embed;
  const host = document.createElement('corrigenda-dialog');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css.replace('light dark', (data.theme ?? 'auto').replace('auto', '$$&')));
  root.adoptedStyleSheets = [sheet];
  root.innerHTML = embed.trust(template);

  const find: Find = (name) => root.querySelector(name) as never;
  const dialog = find<HTMLDialogElement>('dialog');
  const menu = find('[popover]');
  const button = find('[part=touch]');
  const status = find('[role=status]');

  let config: Config | undefined;
  let say: Say = () => '';
  let touched: Range | null = null;
  /** What Send and Cancel do now; nothing while something is being sent. */
  let submit: (() => void) | undefined;
  let cancel: (() => void) | undefined;
  /** What the draft is about that the dialog shows. */
  let shown = '';
  /** What was sent and not refused, by its text: the same again is the same report. */
  let tried: Record<string, Attempt | undefined> = {};
  /** How often it was opened or closed: what is overtaken opens nothing. */
  let calls = 0;
  /** Gives the reader back the place that the dialog was opened from. */
  let back: (() => void) | undefined;

  const ready = async () => {
    if (!host.isConnected) document.body.append(host);
    const answer = config ?? (await embed.config());
    // Calls that wait for the same answer label once.
    if (config) return;
    say = sayer(answer);
    label(root, answer, say);
    button.textContent = say('title');
    config = answer;
  };

  const article = (range?: Range | null) =>
    articleOf(document, data.article || config?.article_selector, range);

  /** Shows a line, and the buttons by the names of their strings: the fields with the one to send them. */
  const present = (text: string, sending = '', closing = 'close') => {
    status.textContent = text;
    find('#fields').hidden = sending !== 'send';
    find('#send').hidden = !sending;
    find('#send').textContent = say(sending);
    find('#cancel').textContent = say(closing) || 'Close';
    submit = cancel = undefined;
  };

  const open = async (range?: Range | null) => {
    const mine = ++calls;
    await ready().catch(() => 0);
    if (mine !== calls || dialog.matches(':modal')) return;
    const passage = range ? selectorOf(range, article(range)) : null;
    if ((range && !passage) || !tell('open', { selector: passage }, true)) return;
    dialog.close();
    offer(null);
    const excess = passage && config ? codePoints(passage.exact) - config.limits.exact : 0;
    if (!config) {
      present(embed.unreachable);
      tell('error', { status: 0, detail: embed.unreachable });
    } else {
      const lang = article(range).closest<HTMLElement>('[lang]')?.lang ?? '';
      const form = setUp(find, config, say, passage, lang);
      if (excess > 0) present(say('excerpt_too_long', excess));
      else {
        present('', 'send', 'cancel');
        const about = [embed.here().url, passage?.start, passage?.exact].join('\n');
        write(form, targetOf(embed, config, passage, lang), about);
      }
    }
    back = () => {
      if (!range?.startContainer.isConnected) return;
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
    };
    dialog.showModal();
    find('#cancel').focus();
    find(passage ? '#suggestion' : '#comment').focus();
  };

  /** Ties the form to the draft that it is and the report that is made of it. */
  const write = (form: Form, target: object, about: string) => {
    const report = () => written({ target, ...form.values(), suggestion: form.suggestion() });
    // Another text than the one that was tried has not been tried.
    const draft = (): Draft => ({
      at: Date.now(),
      fields: form.values(),
      attempt: tried[report()],
    });
    const kept = drafts()[about];
    if (kept) {
      form.restore(kept.fields);
      tried[report()] = kept.attempt;
    }
    shown = about;
    dialog.oninput = () => keep(about, draft());
    submit = () => {
      if (!form.check()) return;
      const body = report();
      tried[body] ??= { url: `${embed.api}reports`, key: newKey(), body };
      deliver(about, draft() as Tried, form);
    };
  };

  /** Sends what a draft tries; keeps or drops the draft and tells the reader, by what comes of it. */
  const deliver = async (about: string, draft: Tried, form?: Form) => {
    const again = submit;
    const waiting = () => {};
    const button = find('#send');
    const label = button.textContent;
    button.textContent = say('sending');
    submit = waiting;
    status.textContent = '';
    keep(about, draft);
    const outcome = await send(draft.attempt);
    // Another opening has the dialog by now.
    const isOurs = submit === waiting;
    if (isOurs) button.textContent = label;
    // What was written while it was on its way stays, and what was erased does not come back.
    const kept = drafts()[about];
    const isSame = kept?.attempt?.key === draft.attempt.key;
    if (outcome.sent) {
      if (isSame) keep(about);
      const { id, correction_id, already_reported, receipt_url } = outcome;
      tell('sent', { id, correction_id, already_reported });
      if (!isOurs) return;
      present(say('sent'));
      if (already_reported > 0) status.append(` ${say('already', already_reported)}`);
      status.append(...linksTo({ follow: receipt_url }, say));
      find('#cancel').focus();
    } else {
      if (!outcome.again) {
        tried = {};
        if (isSame) keep(about, { ...kept, attempt: undefined });
      }
      tell('error', outcome);
      if (!isOurs) return;
      submit = again;
      const errors = Object.fromEntries(
        outcome.errors.map(({ pointer, detail }) => [pointer.slice(1), detail]),
      );
      const others = form?.blame(errors) ?? [];
      status.textContent = [refusal(outcome), ...others].join(' ');
    }
  };

  const refusal = ({ status, again, wait, detail }: Outcome & { sent: false }) => {
    if (!status) return say(navigator.onLine ? 'unreachable' : 'offline');
    if (status === 429) return say('too_many', Math.ceil(wait / 60) || 1);
    return again ? say('down') : `${say('refused')} ${detail}`;
  };

  /** Offers, beside the page, what an earlier visit could not send. */
  const remind = async () => {
    const found = unsent();
    if (!found) return;
    const [about, draft] = found;
    await ready();
    const { target, comment } = JSON.parse(draft.attempt.body);
    const exact = target.selector?.[0].exact ?? comment;
    setUp(find, config as Config, say, { exact, prefix: '', suffix: '' }, '');
    back = undefined;
    shown = about;
    // Not by `show`, which would take the keyboard from whoever is reading.
    dialog.open = true;
    present(say('unsent'), 'send_now', 'discard');
    submit = () => deliver(about, draft);
    cancel = () => keep(about);
  };

  /** Puts the menu below a selection and its handles, clear of the system's own bar above; or away. */
  const offer = (box: DOMRect | null | undefined) => {
    menu.hidden = !box;
    menu.togglePopover?.(!!box);
    if (!box) return;
    const { offsetWidth: width, offsetHeight: height } = menu;
    const left = Math.min((box.left + box.right - width) / 2, innerWidth - width - 8);
    const top = Math.min(box.bottom + 32, innerHeight - height - 8);
    menu.style.left = `${Math.max(8, left) + scrollX}px`;
    menu.style.top = `${top + scrollY}px`;
  };

  dialog.onsubmit = (event) => {
    event.preventDefault();
    submit?.();
  };
  // The page would take the keys for its own: out there only our element is their target.
  const claim = (event: Event) => {
    // Closed, it may have the keyboard for a moment more.
    if (dialog.open) event.stopPropagation();
  };
  host.onkeydown = host.onkeyup = host.onkeypress = claim;
  dialog.onkeydown = ({ key, ctrlKey, metaKey, repeat, isComposing }) => {
    if (key === 'Enter' && (ctrlKey || metaKey) && !repeat && !isComposing) submit?.();
    // Browsers close only what is modal. What is offered beside the page keeps for another visit.
    if (key === 'Escape' && !dialog.matches(':modal')) close();
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
    close();
  };
  // A press elsewhere would take the selection away.
  menu.onpointerdown = (event) => event.preventDefault();
  button.onclick = () => open(touched);

  const retry = () => {
    if (!dialog.open) remind().catch(() => 0);
    else if (drafts()[shown]?.attempt) submit?.();
  };
  addEventListener('online', retry);
  // Reading leaves out what is too old; this erases it.
  replace(drafts());
  retry();

  const close = () => {
    // Browsers leave the keyboard there for a moment, and keys are not heard from a field.
    (root.activeElement as HTMLElement | null)?.blur();
    calls++;
    dialog.close();
  };

  return {
    open,
    close,
    forget() {
      close();
      tried = {};
      replace({});
    },
    async selected(range) {
      touched = range;
      if (range) await ready();
      if (touched !== range || (!range && menu.hidden)) return;
      const isOffered = range?.intersectsNode(article(range)) && !dialog.matches(':modal');
      offer(isOffered ? [...(range as Range).getClientRects()].pop() : null);
    },
  };
}
