/** The datasets of a stack: what each model learns from, how, and what it must achieve before it may score. */

import type { DatasetDocument, DatasetSource } from "../functions/gates/dataset";
import { featureSpecOf } from "../functions/scoring/models/feature-spec";
import { PROFILES } from "../functions/scoring/profiles";
import { NUMBERS } from "../functions/scoring/profiles/device/features";

/** Where device fingerprints and their scores come from. */
export type SnowflakeSource = Extract<DatasetSource, { kind: "snowflake" }>;

export interface DatasetSettings {
  /** Days after which a transaction without a chargeback counts as honest; more days are safer, but training sees fraud later. */
  readonly fraudMaturityDays: number;
  /** Snowflake table of device fingerprints. Null: each execution names a CSV file under `training/source/device/`. */
  readonly device: Omit<SnowflakeSource, "kind"> | null;
}

export type DatasetName = "fraud" | "churn" | "device";

/** Seed of every training, so that the same rows give the same model. */
const SEED = 7;

/** From 0.25 the index counts as a major shift; a single column may shift further (a new campaign, a holiday) before training stops. */
const MAX_DRIFT = 0.5;
const MAX_PSI = 0.25;

/** By name, in the order of the stack's pipelines. */
export function datasets({ fraudMaturityDays, device }: DatasetSettings): Readonly<Record<DatasetName, DatasetDocument>> {
  return { fraud: fraud(fraudMaturityDays), churn: churn(), device: deviceScores(device) };
}

/** Card transactions as they were when they were scored, with the chargebacks that came later. */
function fraud(maturityDays: number): DatasetDocument {
  return {
    version: 1,
    name: "fraud",
    profile: "fraud",
    source: { kind: "warehouse" },
    target: { name: "label", kind: "binary" },
    labels: { unlabelled: "negative", maturityDays },
    history: { days: 180, maxRows: 2_000_000 },
    split: { by: "time", validation: 0.1, holdout: 0.2 },
    quality: {
      minRows: 1000,
      maxNullRate: 0.2,
      // Unknown until a user has a history, or when the sender gives no place, card or address, or nothing is refunded or converted.
      nullRates: Object.fromEntries(UNKNOWN_AT_FIRST.map((name) => [name, 1])),
      ranges: {
        amount: [0, 1e9],
        hour: [0, 23],
        // A refund isn't counted, not even by itself.
        count_1m: [0, 1e6],
        count_5m: [0, 1e6],
        count_1h: [0, 1e6],
        count_24h: [0, 1e6],
      },
      minPositiveShare: 0.001,
      maxPositiveShare: 0.3,
      maxDuplicateKeys: 0,
      maxDrift: MAX_DRIFT,
    },
    training: {
      objective: "binary:logistic",
      rounds: 300,
      maxDepth: 4,
      learningRate: 0.12,
      subsample: 0.8,
      colsampleByTree: 0.7,
      minChildWeight: 1,
      lambda: 4,
      earlyStoppingRounds: 30,
      seed: SEED,
      // More of these never makes fraud less likely; without the constraint a few rare rows could teach the opposite.
      monotone: {
        location_mismatch: 1,
        velocity_flag: 1,
        count_1m: 1,
        count_5m: 1,
        impossible_travel: 1,
        new_country: 1,
        new_category: 1,
        new_device: 1,
        card_present: -1,
      },
    },
    evaluation: { metric: "auc", limit: 0.8, margin: 0.001, maxPsi: MAX_PSI, goldenRows: 64 },
    features: featureSpecOf(PROFILES.fraud).features,
  };
}

const UNKNOWN_AT_FIRST = [
  "minutes_since_previous",
  "distance_km",
  "minutes_travelled",
  "speed_kmh",
  "home_distance_km",
  "amount_mean",
  "amount_zscore",
  "amount_ratio",
  "card_present",
  "category",
  "exchange_rate",
  "rate_age_days",
  "refund_amount",
  "email_alias",
] as const;

/** Bank customers. A customer without a label may still leave, so only known outcomes are used. */
function churn(): DatasetDocument {
  return {
    version: 1,
    name: "churn",
    profile: "churn",
    source: { kind: "warehouse" },
    target: { name: "label", kind: "binary" },
    labels: { unlabelled: "drop", maturityDays: 0 },
    history: { days: 730, maxRows: 1_000_000 },
    split: { by: "hash", validation: 0.1, holdout: 0.3 },
    quality: {
      minRows: 1000,
      maxNullRate: 0,
      ranges: {
        credit_score: [0, 1000],
        age: [0, 130],
        tenure: [0, 100],
        products: [0, 100],
        balance: [-1e12, 1e12],
        salary: [0, 1e12],
      },
      minPositiveShare: 0.02,
      maxPositiveShare: 0.6,
      maxDuplicateKeys: 0,
      maxDrift: MAX_DRIFT,
    },
    training: {
      objective: "binary:logistic",
      rounds: 400,
      maxDepth: 4,
      learningRate: 0.06,
      subsample: 0.8,
      colsampleByTree: 0.7,
      minChildWeight: 6,
      lambda: 4,
      earlyStoppingRounds: 30,
      seed: SEED,
      monotone: { active: -1, products_three_plus: 1 },
    },
    evaluation: { metric: "auc", limit: 0.75, margin: 0.001, maxPsi: MAX_PSI, goldenRows: 64 },
    features: featureSpecOf(PROFILES.churn).features,
  };
}

/** The reference model: device fingerprints with a vendor's scores. */
function deviceScores(table: DatasetSettings["device"]): DatasetDocument {
  return {
    version: 1,
    name: "device",
    profile: "device",
    source: table === null ? { kind: "files" } : { kind: "snowflake", ...table },
    target: { name: "IPQS_DEVICE_FP_FRAUD_SCORE", kind: "regression", minimum: 0, maximum: 100 },
    // The score arrives with the fingerprint: it is there from the start or never.
    labels: { unlabelled: "drop", maturityDays: 0 },
    history: { days: 90, maxRows: 2_000_000 },
    split: { by: "time", validation: 0.1, holdout: 0.2 },
    quality: {
      minRows: 1000,
      maxNullRate: 0.3,
      // Desktops have no battery, and most browsers don't reveal it.
      nullRates: { battery_percent: 0.95 },
      // The range that POST /device accepts.
      ranges: Object.fromEntries(NUMBERS.map(({ name, minimum, maximum }) => [name, [minimum, maximum] as const])),
      // Only for binary targets.
      minPositiveShare: 0,
      maxPositiveShare: 1,
      maxDuplicateKeys: 0,
      maxDrift: MAX_DRIFT,
    },
    training: {
      objective: "reg:squarederror",
      rounds: 1400,
      maxDepth: 6,
      learningRate: 0.0769,
      subsample: 0.958,
      // biome-ignore lint/suspicious/noApproximativeNumericConstant: a tuned number of the reference model, not a root of two.
      colsampleByTree: 0.707,
      minChildWeight: 1,
      lambda: 1,
      earlyStoppingRounds: 50,
      seed: SEED,
    },
    evaluation: { metric: "rmse", limit: 12, margin: 0.05, maxPsi: MAX_PSI, goldenRows: 64 },
    features: featureSpecOf(PROFILES.device).features,
  };
}
