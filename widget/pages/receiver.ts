// The demo's receiver: asks every second what has come since, and puts it on top.
export {};

interface Arrival {
  number: number;
  at: string;
  verified: boolean;
  [field: string]: unknown;
}

const SECOND = 1000;

const list = document.getElementById('arrivals') as HTMLOListElement;
const card = document.getElementById('arrival') as HTMLTemplateElement;
const empty = document.getElementById('empty') as HTMLElement;
const state = document.getElementById('state') as HTMLElement;
let newest = Number(list.firstElementChild?.getAttribute('data-number') ?? 0);

function inWords(at: string): string {
  return new Date(at).toLocaleTimeString();
}

function show(arrival: Arrival): void {
  const made = card.content.cloneNode(true) as DocumentFragment;
  const item = made.firstElementChild as HTMLElement;
  item.dataset.number = String(arrival.number);
  item.dataset.verified = String(arrival.verified);
  for (const field of item.querySelectorAll<HTMLElement>('[data-field]')) {
    field.textContent = String(arrival[field.dataset.field as string] ?? '');
  }
  const time = item.querySelector('time') as HTMLTimeElement;
  time.dateTime = arrival.at;
  time.textContent = inWords(arrival.at);
  list.prepend(item);
  empty.hidden = true;
  newest = arrival.number;
}

function tell(name: 'live' | 'lost'): void {
  if (state.dataset.state === name) return;
  state.dataset.state = name;
  state.textContent = state.dataset[name] as string;
}

async function ask(): Promise<void> {
  try {
    const answer = await fetch(`${list.dataset.source}?after=${newest}`);
    if (!answer.ok) throw new Error(answer.statusText);
    for (const arrival of (await answer.json()) as Arrival[]) show(arrival);
    tell('live');
  } catch {
    tell('lost');
  }
  setTimeout(ask, SECOND);
}

for (const time of list.querySelectorAll('time')) time.textContent = inWords(time.dateTime);
void ask();
