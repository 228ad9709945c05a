/**
 * Training rows: features that the code in `functions/scoring/profiles` computes from records, so that a model learns from the same numbers
 * that it will see. One line per record: its id, the profile's features in their order (`nan` for a missing value), the label.
 */
import { churn as validateChurn, fraud as validateFraud } from "#validators";
import { accept } from "../../functions/scoring/core/accept";
import type { FeatureDefinition, FeatureSet } from "../../functions/scoring/core/features";
import type { Validate } from "../../functions/scoring/core/json-schema";
import type { Profile } from "../../functions/scoring/core/profile";
import { CHURN } from "../../functions/scoring/profiles/churn";
import { FRAUD } from "../../functions/scoring/profiles/fraud";
import { customer } from "./churn-world";
import { userHistory, WORLD_DAYS, WORLD_START_MS } from "./fraud-world";
import { DAY_MS } from "./honest";

export type Split = "train" | "validation" | "holdout";
export const SPLITS: readonly Split[] = ["train", "validation", "holdout"];

/** Lines of each split, without the header. */
export type Lines = Readonly<Record<Split, readonly string[]>>;

/** Features of what the generated worlds don't have: foreign currencies, refunds and e-mail addresses. A model can learn nothing from them. */
const ABSENT: ReadonlySet<string> = new Set([
  "exchange_rate",
  "rate_age_days",
  "currency_unknown",
  "is_refund",
  "refund_amount",
  "email_alias",
  "refund_count_24h",
  "refund_sum_24h",
]);

/** Header of a profile's files. */
export function headerOf({ features }: Pick<Profile<never, never>, "features">): string {
  return ["id", ...learnt(features).map(({ name }) => name), "label"].join(",");
}

/** The features that models are trained with. */
export const learnt = ({ definitions }: FeatureSet): readonly FeatureDefinition[] =>
  definitions.filter(({ name }) => !ABSENT.has(name));

/** A model is trained on the first 40 of 60 days and evaluated on the last 20, with users that it has not seen. */
const HOLDOUT_FROM_MS = WORLD_START_MS + (WORLD_DAYS * DAY_MS * 2) / 3;

/**
 * Every user's history from the first transaction on. Transactions of holdout users before the holdout's days only build their state;
 * they are not rows of any split, and neither are transactions of training users during those days.
 */
export function fraudRows(options: { readonly seed: number; readonly users: number }): Lines {
  const lines: Record<Split, { readonly atMs: number; readonly line: string }[]> = { train: [], validation: [], holdout: [] };
  const vector = new Float64Array(FRAUD.features.size);
  for (let user = 0; user < options.users; user++) {
    const share = user % 20;
    const split: Split = share < 12 ? "train" : share < 14 ? "validation" : "holdout";
    let state: ReturnType<typeof FRAUD.fold> | null = null;
    for (const { raw, atMs, isFraud } of userHistory(options.seed, user)) {
      const input = accepted(FRAUD, validateFraud, raw);
      if (atMs >= HOLDOUT_FROM_MS === (split === "holdout")) {
        FRAUD.extract(input, state, vector, input.occurredAtMs);
        lines[split].push({ atMs, line: lineOf(input.transactionId, FRAUD.features, vector, isFraud) });
      }
      state = FRAUD.fold(state, input, input.occurredAtMs);
    }
  }
  const sorted = (split: Split) => lines[split].sort((a, b) => a.atMs - b.atMs).map(({ line }) => line);
  return { train: sorted("train"), validation: sorted("validation"), holdout: sorted("holdout") };
}

/** Each customer is one row, so the splits share no customer. */
export function churnRows(options: { readonly seed: number; readonly customers: number }): Lines {
  const lines: Record<Split, string[]> = { train: [], validation: [], holdout: [] };
  for (let index = 0; index < options.customers; index++) {
    const { data, hasLeft } = customer(options.seed, index);
    const share = index % 20;
    lines[share < 12 ? "train" : share < 14 ? "validation" : "holdout"].push(churnLine(String(index), data, hasLeft));
  }
  return lines;
}

/** @throws Error if `POST /predict` would refuse the twelve numbers */
export function churnLine(id: string, data: readonly number[], hasLeft: boolean): string {
  const vector = new Float64Array(CHURN.features.size);
  CHURN.extract(accepted(CHURN, validateChurn, { data }), null, vector, 0);
  return lineOf(id, CHURN.features, vector, hasLeft);
}

function accepted<Input, State>(
  profile: Profile<Input, State>,
  validate: Validate,
  raw: Readonly<Record<string, unknown>>,
): Input {
  const result = accept(profile, validate, raw);
  if (result.ok) return result.input;
  throw new Error(
    `The platform would refuse ${JSON.stringify(raw)}: ${result.problems.map(({ pointer, detail }) => `${pointer} ${detail}`).join(" ")}`,
  );
}

/** Numbers are written so that they read back as the same double. */
function lineOf(id: string, features: FeatureSet, vector: Float64Array, label: boolean): string {
  let line = id;
  for (const [slot, { name }] of features.definitions.entries())
    if (!ABSENT.has(name)) line += Number.isNaN(vector[slot]!) ? ",nan" : `,${vector[slot]!}`;
  return `${line},${+label}`;
}
