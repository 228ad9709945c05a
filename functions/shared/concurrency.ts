/**
 * Runs `work` over `items`, at most `limit` at a time, started in order. Never rejects: the outcome of item i is at index i. `mayStart`
 * is asked before each start; once it says no, the remaining items get `not_started`.
 */
export type Outcome<R> =
  | { readonly kind: "done"; readonly value: R }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "not_started" };

export const NOT_STARTED = { kind: "not_started" } as const;

export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
  mayStart: () => boolean = () => true,
): Promise<Outcome<R>[]> {
  const outcomes: Outcome<R>[] = new Array(items.length).fill(NOT_STARTED);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && mayStart()) {
      const index = next++;
      try {
        outcomes[index] = { kind: "done", value: await work(items[index] as T, index) };
      } catch (error) {
        outcomes[index] = { kind: "failed", error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return outcomes;
}
