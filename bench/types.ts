/** Each benchmark module in `bench/` exports values of this type. */
export interface Bench {
  /** For `npm run bench -- NAME` and `bench/results.json`: `core.rules`. */
  readonly id: string;
  /** `records/s`, `ms`, `bytes`. */
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** What the result must reach; printed and written with it. */
  readonly requirements?: readonly Requirement[];
  run(): Promise<BenchResult>;
}

/** `atMost`, `atLeast`: ours, in the bench's unit. `times`: a peer's figure over ours, in the same run (below 1: ours may be that much more). */
export type Requirement =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  | { readonly peer: string; readonly times: number };

export interface BenchResult {
  /** Median (or fastest, when the note says so) of our rounds, in the bench's unit. */
  readonly ours: number;
  /** The same for the peers, measured in the same run, with rounds interleaved with ours. */
  readonly peers: Readonly<Record<string, number>>;
  /** What was measured, and under which conditions. */
  readonly note: string;
}
