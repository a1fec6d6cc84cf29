/** Keys that are pressed while the page still loads wait for the script that knows them. */

const early: KeyboardEvent[] = [];
const keep = (event: KeyboardEvent) => early.push(event);

document.addEventListener('keydown', keep);

window.earlyKeys = () => {
  document.removeEventListener('keydown', keep);
  return early;
};
