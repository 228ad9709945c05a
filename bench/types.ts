/** One benchmark module under `bench/` exports `bench`, a value of this type. */
export interface Bench {
  /** `core.rules`: what `npm run bench -- NAME` selects and `bench/results.json` names. */
  readonly id: string;
  /** `records/s`, `ms`, `bytes`. */
  readonly unit: string;
  readonly better: "higher" | "lower";
  run(): Promise<BenchResult>;
}

export interface BenchResult {
  /** Median of our rounds, in the bench's unit. */
  readonly ours: number;
  /** Medians of the peers, measured in the same run, rounds interleaved with ours. */
  readonly peers: Readonly<Record<string, number>>;
  /** What was measured and under which conditions. */
  readonly note: string;
}
