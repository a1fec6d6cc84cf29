import type { Attempt } from './drafts';

/** What became of a try at sending. */
export type Outcome =
  | { sent: true; id: string; correction_id: string; receipt_url: string; already_reported: number }
  | {
      sent: false;
      /** The HTTP status; 0 when no answer came. */
      status: number;
      /** Whether the same again may succeed later. */
      again: boolean;
      /** Seconds, from `Retry-After`. */
      wait: number;
      detail: string;
      errors: { pointer: string; detail: string }[];
    };

const PATIENCE = 20_000;

/** 32 hexadecimal digits; `randomUUID` is not there on plain http. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** Posts a report; only a 201 counts as sent. */
export async function send({ url, key, body }: Attempt): Promise<Outcome> {
  let status = 0;
  let wait = 0;
  let answer: Record<string, unknown> = {};
  try {
    const response = await fetch(url, {
      method: 'POST',
      credentials: 'omit',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body,
      // Older browsers wait as long as they like.
      ...(AbortSignal.timeout && { signal: AbortSignal.timeout(PATIENCE) }),
    });
    wait = Number(response.headers.get('Retry-After')) || 0;
    status = response.status;
    answer = await response.json();
  } catch {
    // A 201 is durable, even when its body was lost on the way.
  }
  if (status === 201) return { already_reported: 0, ...answer, sent: true } as Outcome;
  // What is neither a 201 nor a refusal was answered by something between us and the service.
  const again = status < 400 || status > 499 || [408, 409, 425, 429].includes(status);
  return { detail: '', errors: [], ...answer, sent: false, status, again, wait } as Outcome;
}
