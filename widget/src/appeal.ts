import type { Answer } from './ask';
import { host, make } from './hosts';
import { keep, type Memory } from './memory';
import css from './support.css';

/** Names that the lists of ad blockers hide. */
const BAIT = 'ad ads adsbox ad-banner ad-slot advertisement banner-ad sponsored-ad text-ad';
const PATIENCE = 300;

/** The one line to readers with ad blockers, to be closed for good; null where it is not for them. */
export async function appealOf(answer: Answer & { memory: Memory }): Promise<HTMLElement | null> {
  const { memory, strings, support } = answer;
  const { to, text } = support.appeal ?? {};
  if (!to || memory.isAppealClosed || memory.supports) return null;
  if (to === 'blocked' && !(await isBaitHidden())) return null;
  const onclick = () => {
    keep((memory) => {
      memory.isAppealClosed = true;
    });
    shown.remove();
  };
  const section = make(
    'section',
    { ariaLabel: text },
    make('p', { dir: 'auto' }, text as string),
    make('button', { onclick }, strings.close as string),
  );
  const shown = host('corrigenda-support', css, answer, section);
  shown.setAttribute('place', 'bar');
  return shown;
}

/** Whether something in this browser hides what looks like an advertisement. */
async function isBaitHidden(): Promise<boolean> {
  const bait = document.createElement('div');
  bait.className = BAIT;
  bait.ariaHidden = 'true';
  Object.assign(bait.style, { position: 'fixed', top: 0, width: '1px', height: '1px', opacity: 0 });
  document.body.append(bait);
  // Blockers look at what is new in the page a little later.
  await new Promise((go) => setTimeout(go, PATIENCE));
  const isHidden = !bait.offsetHeight;
  bait.remove();
  return isHidden;
}
