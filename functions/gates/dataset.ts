/** What a model learns from and scores in batch, as a TypeScript type. The document is described by schemas/dataset.schema.json, which Python reads too. */
import type { FeatureSpecEntry } from "../scoring/models/feature-spec";

export type DatasetSource =
  /** Archived events of the profile in the warehouse, joined with their labels. */
  | { readonly kind: "warehouse" }
  | {
      readonly kind: "snowflake";
      /** Name of the Glue connection. */
      readonly connection: string;
      readonly database: string;
      readonly schema: string;
      readonly warehouse: string;
      readonly table: string;
      readonly keyColumn: string;
      readonly timeColumn: string;
      readonly targetColumn: string;
    }
  /** The execution's input names a CSV file under `training/source/`. */
  | { readonly kind: "files" };

export interface DatasetDocument {
  readonly version: 1;
  readonly name: string;
  /** The profile that the models are for. */
  readonly profile: string;
  readonly source: DatasetSource;
  readonly target:
    | { readonly name: string; readonly kind: "binary" }
    | { readonly name: string; readonly kind: "regression"; readonly minimum: number; readonly maximum: number };
  readonly labels: {
    /** What an event without a label counts as. */
    readonly unlabelled: "negative" | "drop";
    /** Days after which the label of an event is final; younger events are left out. */
    readonly maturityDays: number;
  };
  readonly history: { readonly days: number; readonly maxRows: number };
  /** Shares of the rows. `time`: the newest are the holdout. `hash`: by the hash of the key. */
  readonly split: { readonly by: "time" | "hash"; readonly validation: number; readonly holdout: number };
  readonly quality: {
    readonly minRows: number;
    /** Share of missing values, 0 to 1, that a column may have. */
    readonly maxNullRate: number;
    readonly nullRates?: Readonly<Record<string, number>>;
    readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
    /** Of a binary target. */
    readonly minPositiveShare: number;
    readonly maxPositiveShare: number;
    readonly maxDuplicateKeys: number;
    /** Largest population stability index of a column against the champion's training set. */
    readonly maxDrift: number;
  };
  readonly training: {
    readonly objective: "binary:logistic" | "reg:squarederror";
    readonly rounds: number;
    readonly maxDepth: number;
    readonly learningRate: number;
    readonly subsample: number;
    readonly colsampleByTree: number;
    readonly minChildWeight: number;
    readonly lambda: number;
    readonly earlyStoppingRounds: number;
    readonly seed: number;
    readonly monotone?: Readonly<Record<string, -1 | 1>>;
  };
  readonly evaluation: {
    readonly metric: "auc" | "rmse";
    /** Lowest AUC, or highest RMSE. */
    readonly limit: number;
    /** By how much the champion must be beaten. */
    readonly margin: number;
    /** Largest population stability index of the predictions against the champion's. */
    readonly maxPsi: number;
    readonly goldenRows: number;
  };
  readonly features: readonly FeatureSpecEntry[];
}
