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

/** 128 random bits; `randomUUID` is not there on plain http. */
export function newKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

/** Posts a report; only a 201 counts as sent. */
export async function send({ url, key, body }: Attempt): Promise<Outcome> {
  let status = 0;
  let wait = 0;
  let answer = {};
  try {
    const response = await fetch(url, {
      method: 'POST',
      credentials: 'omit',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body,
      // Older browsers wait as long as they like.
      signal: AbortSignal.timeout?.(PATIENCE) as AbortSignal,
    });
    status = response.status;
    wait = Number(response.headers.get('Retry-After')) || 0;
    answer = await response.json();
  } catch {
    // A 201 is durable, even when its body was lost on the way.
  }
  // What is neither a 201 nor a refusal was answered by something between us and the service.
  const again = !/^4(?!0[89]|29)/.test(`${status}`);
  return {
    detail: '',
    errors: [],
    ...answer,
    sent: status === 201,
    status,
    again,
    wait,
  } as Outcome;
}
