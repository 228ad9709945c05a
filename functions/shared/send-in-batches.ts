import { type Backoff, pause } from "./backoff";

/** What one call of a service takes. */
export interface CallLimits {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Sends entries in as few calls as the limits allow, and those that were refused again, with pauses in between.
 * @param sizes bytes of each entry
 * @param send sends the entries with these indexes, and gives back those that were refused
 * @returns indexes that were refused to the end (empty: all are accepted)
 */
export async function sendInBatches(
  sizes: readonly number[],
  limits: CallLimits,
  backoff: Backoff,
  send: (indexes: readonly number[]) => Promise<readonly number[]>,
): Promise<readonly number[]> {
  let pending: readonly number[] = sizes.map((_, index) => index);
  for (let attempt = 1; pending.length > 0; attempt++) {
    const refused = await Promise.all(calls(pending, sizes, limits).map(send));
    pending = refused.flat();
    if (attempt >= backoff.attempts) break;
    if (pending.length > 0) await pause(backoff, attempt);
  }
  return pending;
}

function calls(pending: readonly number[], sizes: readonly number[], limits: CallLimits): number[][] {
  const made: number[][] = [];
  let current: number[] = [];
  let bytes = 0;
  for (const index of pending) {
    const size = sizes[index] as number;
    if (current.length === limits.entries || (current.length > 0 && bytes + size > limits.bytes)) {
      made.push(current);
      current = [];
      bytes = 0;
    }
    current.push(index);
    bytes += size;
  }
  if (current.length > 0) made.push(current);
  return made;
}
