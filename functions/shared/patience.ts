import { type Backoff, pause } from "./backoff";
import { NOT_STARTED, type Outcome } from "./concurrency";
import { isThrottled, isTransient } from "./sdk-error";

export interface Patience {
  /** False when the invocation's time is nearly over: what is throttled is waited for no longer. */
  readonly mayWait: () => boolean;
  /** `attempts` bounds tries after transient errors; throttled calls are tried as long as there is time. */
  readonly backoff: Backoff;
  /** Told of every refusal for lack of units. */
  readonly onThrottle?: () => void;
}

/**
 * Tries `call` until it succeeds, fails for good, has failed transiently too often, or is throttled with no time left.
 * @throws the last error
 */
export async function persist<R>(call: () => Promise<R>, { mayWait, backoff, onThrottle }: Patience): Promise<R> {
  let throttled = 0;
  for (let failures = 0; ; ) {
    try {
      return await call();
    } catch (error) {
      if (isThrottled(error)) {
        throttled++;
        onThrottle?.();
        if (!mayWait()) throw error;
      } else if (!isTransient(error) || ++failures >= backoff.attempts) throw error;
      await pause(backoff, throttled + failures);
    }
  }
}

/**
 * `mapBounded` over calls that may be throttled. A throttled call waits for its turn, and halves how many calls are under way, which
 * grows again with each success; of those that wait, the first ones are tried. A table that takes five items a second gets them nearly in
 * order, so that the first item that is left over stands close behind the last one that was taken. `mayStart` is asked before each start,
 * as in `mapBounded`.
 */
export function mapPatiently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
  patience: Patience,
  mayStart: () => boolean = () => true,
): Promise<Outcome<R>[]> {
  const outcomes: Outcome<R>[] = new Array(items.length).fill(NOT_STARTED);
  let next = 0;
  let width = limit;
  let workers = 0;
  /** Indexes under way, ascending. */
  const open = new Set<number>();
  const isBehind = (index: number): boolean => {
    let before = 0;
    for (const other of open) {
      if (other === index) return false;
      if (++before >= width) return true;
    }
    return false;
  };
  const narrowing = (index: number): Patience => ({
    ...patience,
    backoff: {
      ...patience.backoff,
      sleep: async (milliseconds) => {
        do await patience.backoff.sleep(milliseconds);
        while (isBehind(index) && patience.mayWait());
      },
    },
    onThrottle: () => {
      width = Math.max(1, width / 2);
      patience.onThrottle?.();
    },
  });
  return new Promise((resolve) => {
    const worker = async (): Promise<void> => {
      while (workers <= width && next < items.length && mayStart()) {
        const index = next++;
        open.add(index);
        outcomes[index] = await settle(() => persist(() => work(items[index] as T), narrowing(index)));
        open.delete(index);
        if (outcomes[index].kind === "done") {
          width = Math.min(limit, width + 1);
          fill();
        }
      }
      workers--;
      if (workers === 0) resolve(outcomes);
    };
    const fill = (): void => {
      const idle = Math.min(Math.floor(width) - workers, items.length - next);
      for (let count = 0; count < idle; count++) {
        workers++;
        void worker();
      }
    };
    fill();
    if (workers === 0) resolve(outcomes);
  });
}

async function settle<R>(call: () => Promise<R>): Promise<Outcome<R>> {
  try {
    return { kind: "done", value: await call() };
  } catch (error) {
    return { kind: "failed", error };
  }
}
