/** Whoever looked at one correction comes back to its row or, where it was decided, to the next. */

import { current, idOf, rowOf, rows, select } from './list';

const PLACE = 'corrigenda.place';
const ONE = /^\/review\/[\da-f-]{36}$/;

window.addEventListener('pagehide', () => {
  const here = current();
  const from = here ? rows().slice(rows().indexOf(here)) : [];
  sessionStorage.setItem(PLACE, from.slice(0, 2).map(idOf).join(' '));
});

function isBack(): boolean {
  const [how] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const from = document.referrer && new URL(document.referrer);
  return (
    how?.type === 'back_forward' ||
    (!!from && from.origin === location.origin && ONE.test(from.pathname))
  );
}

export function comeBack(): void {
  const ids = sessionStorage.getItem(PLACE)?.split(' ') ?? [];
  const row = ids.map(rowOf).find((each) => each && !each.matches('.settled'));
  if (row && isBack()) select(row);
}
