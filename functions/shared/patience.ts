import { type Backoff, pause } from "./backoff";
import { NOT_STARTED, type Outcome } from "./concurrency";
import { isThrottled, isTransient } from "./sdk-error";

export interface Patience {
  /** False when the invocation's time is nearly over: then throttled calls are no longer waited for. */
  readonly mayWait: () => boolean;
  /** `attempts` limits tries after transient errors; throttled calls are repeated as long as there is time. */
  readonly backoff: Backoff;
  /** Called at every refusal for lack of units. */
  readonly onThrottle?: () => void;
}

/**
 * Repeats `call` until it succeeds, fails for good, has failed transiently too often, or is throttled with no time left.
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
 * `mapBounded` over calls that may be throttled. A throttled call waits and halves the number of concurrent calls, which grows again with
 * each success; of the waiting calls the first ones are tried first. A table that takes five items per second gets them nearly in order,
 * so that the first unwritten item is close behind the last written one. `mayStart` is asked before each start, as in `mapBounded`.
 * Items of one lane are processed one after the other; once one fails, those after it are not started.
 */
export function mapPatiently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
  patience: Patience,
  mayStart: () => boolean = () => true,
  laneOf: (item: T) => string | null = () => null,
): Promise<Outcome<R>[]> {
  const outcomes: Outcome<R>[] = new Array(items.length).fill(NOT_STARTED);
  let next = 0;
  let width = limit;
  let workers = 0;
  /** Indexes of running calls, ascending. */
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
  const lanes = new Map<string, Promise<Outcome<R>>>();
  const inTurn = (item: T, index: number): Promise<Outcome<R>> => {
    const start = () => settle(() => persist(() => work(item), narrowing(index)));
    const lane = laneOf(item);
    if (lane === null) return start();
    const before = lanes.get(lane);
    const turn = before?.then(({ kind }) => (kind === "done" && mayStart() ? start() : NOT_STARTED)) ?? start();
    lanes.set(lane, turn);
    return turn;
  };
  return new Promise((resolve) => {
    const worker = async (): Promise<void> => {
      while (workers <= width && next < items.length && mayStart()) {
        const index = next++;
        open.add(index);
        outcomes[index] = await inTurn(items[index] as T, index);
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
