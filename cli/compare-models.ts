/** `npm run compare-models`: what rules, champion and challengers would have decided about labelled rows. */
import { createReadStream, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { loadTrees } from "@risk/tree-kernel";
import { policy as validatePolicy } from "#validators";
import { decide } from "../functions/scoring/core/decide";
import type { Model } from "../functions/scoring/core/model";
import type { CompiledPolicy } from "../functions/scoring/core/policy";
import type { PolicyDocument } from "../functions/scoring/core/policy-document";
import type { AnyProfile } from "../functions/scoring/core/profile";
import { RULES_ONLY } from "../functions/scoring/models/rules-only";
import { treeModel } from "../functions/scoring/models/tree-model";
import { compilePolicy } from "../functions/scoring/policy/compile";
import { profileById } from "../functions/scoring/profiles";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import type { ShippedModel } from "./train";
import { headerOf, learnt } from "./training/rows";

const COMMAND: CommandLine = {
  usage: "npm run compare-models -- [options]",
  about:
    "Scores labelled rows with the rules alone, each model alone, and each model in front of the rules, as the platform would.\n" +
    "Prints ranking, alerts and cost: the reviews of all alerts, plus the amounts of the fraud that raised no alert.",
  options: {
    profile: { type: "string", value: "ID", help: "Profile of the rows and models.", default: "fraud" },
    rows: {
      type: "string",
      value: "CSV",
      help: "Labelled rows. Default: .local/training/<profile>-holdout.csv, which npm run train writes.",
    },
    index: { type: "string", value: "FILE", help: "Index of the models to compare.", default: "models/index.json" },
    strength: {
      type: "string",
      value: "0…1",
      help: "Also tries the rules at this strength: 0 is no rules, 1 is full strength.",
      default: "0.5",
    },
    review: { type: "string", value: "COST", help: "Cost of reviewing one alert.", default: "15" },
    missed: { type: "string", value: "COST", help: "Cost of a miss in a profile without amounts.", default: "500" },
  },
  examples: ["npm run compare-models", "npm run compare-models -- --profile churn --review 5"],
};

export interface LabelledRows {
  /** Vectors of the profile's features, one after the other. */
  readonly vectors: Float64Array;
  readonly labels: Uint8Array;
}

export interface Comparison {
  readonly what: string;
  /** Chance that a positive row scores above a negative one. */
  readonly auc: number;
  readonly alerts: number;
  /** Precision: share of alerts that are right. Recall: share of positive rows that raise an alert. */
  readonly precision: number;
  readonly recall: number;
  readonly cost: number;
  readonly scores: Float64Array;
}

export interface Costs {
  readonly review: number;
  readonly missed: number;
}

/** Reads rows of `training-data`: `id`, the features that models learn, `label`; the others aren't known. @throws UsageError if the header is different */
export async function readRows(file: string, profile: AnyProfile): Promise<LabelledRows> {
  const slots = learnt(profile.features).map(({ name }) => profile.features.slot(name));
  const expected = headerOf(profile);
  const values: number[] = [];
  const labels: number[] = [];
  let header: string | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (header === undefined) {
      header = line;
      if (header !== expected)
        throw new UsageError(`${file}: expected the columns ${expected}, got ${header}. Generate it again with npm run train.`);
      continue;
    }
    const cells = line.split(",");
    const vector = new Array<number>(profile.features.size).fill(Number.NaN);
    for (const [index, slot] of slots.entries()) vector[slot] = Number(cells[index + 1]);
    values.push(...vector);
    labels.push(Number(cells[slots.length + 1]));
  }
  return { vectors: Float64Array.from(values), labels: Uint8Array.from(labels) };
}

/** The default policy with each rule's weight w weakened to 1 − (1−w)^strength, which scales its share of a score by that factor. */
export function policyOf(profile: AnyProfile, strength: number): CompiledPolicy {
  const { defaultPolicy } = profile;
  const weaken = (weight: number): number => 1 - (1 - weight) ** strength;
  const document: PolicyDocument = {
    ...defaultPolicy,
    model: { kind: "rules-only" },
    rules: defaultPolicy.rules.map((rule) => ({ ...rule, weight: weaken(rule.weight) })),
  };
  const compiled = compilePolicy(document, profile, validatePolicy);
  if (!compiled.ok) throw new Error(compiled.problems.map(({ pointer, detail }) => `${pointer} ${detail}`).join("\n"));
  return compiled.policy;
}

/** Decides on every row with a model and a policy's rules. */
export function compare(what: string, rows: LabelledRows, model: Model, policy: CompiledPolicy, costs: Costs): Comparison {
  const { labels, vectors } = rows;
  const { size, slot } = policy.profile.features;
  const amountSlot = slot("amount");
  const scores = new Float64Array(labels.length);
  let alerts = 0;
  let hits = 0;
  let positives = 0;
  let cost = 0;
  for (let row = 0; row < labels.length; row++) {
    const features = vectors.subarray(row * size, (row + 1) * size);
    const modelScore = { score: model.score(features), version: model.version, contributions: [] };
    const { score, band } = decide(policy, features, modelScore);
    scores[row] = score;
    positives += labels[row]!;
    if (policy.isAlert(band)) {
      alerts++;
      hits += labels[row]!;
      cost += costs.review;
    } else if (labels[row] === 1) {
      cost += amountSlot < 0 ? costs.missed : features[amountSlot]!;
    }
  }
  return { what, auc: areaUnderCurve(scores, labels), alerts, precision: hits / alerts, recall: hits / positives, cost, scores };
}

/** Ties count half. NaN without positive rows, or without negative ones. */
export function areaUnderCurve(scores: Float64Array, labels: Uint8Array): number {
  const order = Uint32Array.from(scores, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);
  let negatives = 0;
  let positives = 0;
  let wins = 0;
  for (let first = 0; first < order.length; ) {
    let end = first;
    let tiedPositives = 0;
    while (end < order.length && scores[order[end]!] === scores[order[first]!]) tiedPositives += labels[order[end++]!]!;
    const tiedNegatives = end - first - tiedPositives;
    wins += tiedPositives * (negatives + tiedNegatives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    first = end;
  }
  return wins / (positives * negatives);
}

/** Share of rows that two candidates put into the same band, and the mean difference of their scores. */
export function agreement(one: Comparison, other: Comparison, policy: CompiledPolicy) {
  let same = 0;
  let apart = 0;
  for (let row = 0; row < one.scores.length; row++) {
    same += +(policy.bandOf(one.scores[row]!) === policy.bandOf(other.scores[row]!));
    apart += Math.abs(one.scores[row]! - other.scores[row]!);
  }
  return { sameBand: same / one.scores.length, meanDifference: apart / one.scores.length };
}

/** @returns the exit status */
export async function main(argv: readonly string[] = process.argv.slice(2), print: (line: string) => void = console.log) {
  const parsed = parseCommandLine(COMMAND, argv);
  const number = (name: string, max: number): number => {
    const value = Number(parsed.text(name));
    if (!(value >= 0 && value <= max)) throw new UsageError(`--${name}: expected 0 to ${max}, got "${parsed.text(name)}".`);
    return value;
  };
  const costs = { review: number("review", 1e9), missed: number("missed", 1e9) };
  const strength = number("strength", 1);
  const profile = profileById(parsed.text("profile") ?? "");
  const file = parsed.text("rows") ?? `.local/training/${profile.id}-holdout.csv`;
  const indexFile = parsed.text("index") ?? "";
  // cli/train.ts writes it.
  const index = JSON.parse(readFileSync(indexFile, "utf8")) as readonly ShippedModel[];
  const rows = await readRows(file, profile);
  const [none, weaker, full] = [policyOf(profile, 0), policyOf(profile, strength), policyOf(profile, 1)];

  const rulesAlone = full.rules.length === 0 ? [] : [compare("rules alone", rows, RULES_ONLY, full, costs)];
  const inFront: Comparison[] = [];
  const rest = index
    .filter((entry) => entry.profile === profile.id)
    .flatMap((entry) => {
      const trees = loadTrees(readFileSync(join(dirname(indexFile), entry.file)));
      const model = treeModel(trees, profile.features, { version: entry.name });
      const alone = compare(`${entry.name} alone`, rows, model, none, costs);
      if (full.rules.length === 0) {
        inFront.push(alone);
        return [alone];
      }
      const both = compare(`${entry.name} + rules`, rows, model, full, costs);
      inFront.push(both);
      return [alone, compare(`${entry.name} + rules at ${strength}`, rows, model, weaker, costs), both];
    });

  const positives = rows.labels.reduce((sum, label) => sum + label, 0);
  print(`${file}: ${rows.labels.length} rows, ${positives} positive; a review costs ${costs.review}\n`);
  print(`| ${"".padEnd(28)} | AUC    | alerts | precision | recall | cost    |\n|---|---|---|---|---|---|`);
  for (const { what, auc, alerts, precision, recall, cost } of [...rulesAlone, ...rest]) {
    const cells = [auc.toFixed(4), String(alerts), precision.toFixed(3), recall.toFixed(3), cost.toFixed(0)];
    print(`| ${what.padEnd(28)} | ${cells.join(" | ")} |`);
  }
  const [champion, ...challengers] = inFront;
  for (const challenger of challengers) {
    const { sameBand, meanDifference } = agreement(champion!, challenger, full);
    print(
      `\n${challenger.what} against ${champion!.what}: same band on ${(100 * sameBand).toFixed(2)} % of rows, mean difference ${meanDifference.toFixed(5)}`,
    );
  }
  return 0;
}

if (require.main === module) runCommand(() => main());
