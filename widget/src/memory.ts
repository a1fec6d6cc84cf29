/** What an ask needs to know of a reader: kept in their browser, under this name, and nowhere else. */
const NAME = 'corrigenda:support';

export const DAY = 24 * 3600 * 1000;

/** No period is longer. */
const YEAR = 365 * DAY;

export interface Memory {
  /** When each article was read last, by a hash of its address. */
  read: Record<string, number>;
  /** When each campaign was seen. */
  seen: Record<string, number[]>;
  /** The variant that this reader sees of each campaign. */
  variants: Record<string, string>;
  /** How often an ask was closed, and until when that keeps all of them away. */
  closings: number;
  quietUntil: number;
  supports: boolean;

  isAppealClosed: boolean;
}

/** What is kept; null in a browser that keeps nothing. */
export function recall(): Memory | null {
  const memory: Memory = {
    read: {},
    seen: {},
    variants: {},
    closings: 0,
    quietUntil: 0,
    supports: false,
    isAppealClosed: false,
  };
  try {
    return Object.assign(memory, JSON.parse(localStorage[NAME] ?? '{}'));
  } catch (error) {
    return error instanceof SyntaxError ? memory : null;
  }
}

/** Changes what is kept, also by what another tab has kept since, and gives it; null as before. */
export function keep(change: (memory: Memory) => void): Memory | null {
  const memory = recall();
  if (!memory) return null;
  change(memory);
  const isRecent = (at: number) => at > Date.now() - YEAR;
  memory.read = Object.fromEntries(Object.entries(memory.read).filter(([, at]) => isRecent(at)));
  for (const [key, seen] of Object.entries(memory.seen)) memory.seen[key] = seen.filter(isRecent);
  try {
    localStorage[NAME] = JSON.stringify(memory);
  } catch {
    return null;
  }
  return memory;
}

/** A short name for an address, from which nobody reads it back at a glance. */
export function hash(address: string): string {
  let sum = 0;
  for (const letter of address) sum = (Math.imul(sum, 31) + (letter.codePointAt(0) as number)) | 0;
  return sum.toString(36);
}
