/** Which policy a replay scores with: as decided, the one in force, or a file, with some of its numbers changed. */
import { existsSync, readFileSync } from "node:fs";
import { policy as validatePolicy } from "#validators";
import type { Versions } from "../../functions/replay/versions";
import { isObject } from "../../functions/scoring/core/json";
import type { PolicyDocument } from "../../functions/scoring/core/policy-document";
import { problemText } from "../../functions/scoring/core/problems";
import { didYouMean } from "../../functions/scoring/core/suggest";
import { compilePolicy } from "../../functions/scoring/policy/compile";
import { UsageError } from "../options";

/** Stands for the policy in force instead of a file's name. */
export const CURRENT = "current";

export interface PolicyChoice {
  /** `--policy`. */
  readonly policy: string | undefined;
  /** `--set`: `thresholds.high_amount=400`. */
  readonly sets: readonly string[];
}

/** The profile that a policy file is for. @throws UsageError when it can't be read */
export function profileOfFile(file: string): string {
  const { profile } = readPolicy(file);
  return String(profile);
}

/** Text of the policy to score with, undefined for the one that decided. @throws UsageError with every problem of the policy */
export function chosenPolicy({ policy, sets }: PolicyChoice, { profile, inForce }: Versions): string | undefined {
  if (policy === undefined && sets.length === 0) return undefined;
  const base = policy === undefined || policy === CURRENT ? inForce.document : readPolicy(policy);
  const document = sets.length === 0 ? base : withNumbers(base as PolicyDocument, sets);
  const compiled = compilePolicy(document, profile, validatePolicy);
  if (!compiled.ok) throw new UsageError(`The policy to replay with is invalid: ${problemText(compiled.problems)}`);
  return JSON.stringify(document);
}

function readPolicy(file: string): Readonly<Record<string, unknown>> {
  if (!existsSync(file)) throw new UsageError(`--policy: ${file} does not exist; name a file with a policy, or "${CURRENT}".`);
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new UsageError(`--policy: ${file} is not JSON; write one policy document.`);
  }
  if (!isObject(document)) throw new UsageError(`--policy: expected one JSON object in ${file}.`);
  return document;
}

/** The same groups as `risk:<profile>.policy` in stack config. A changed policy has no version: its hash tells it from others. */
function withNumbers({ version: _replaced, ...document }: PolicyDocument, sets: readonly string[]): PolicyDocument {
  let { thresholds = {}, rules, bands } = document;
  for (const set of sets) {
    const { group, name, value } = readSet(set);
    if (group === "thresholds") {
      known(set, name, Object.keys(thresholds));
      thresholds = { ...thresholds, [name]: value };
    } else if (group === "weights") {
      known(
        set,
        name,
        rules.map(({ id }) => id),
      );
      rules = rules.map((rule) => (rule.id === name ? { ...rule, weight: value } : rule));
    } else {
      known(
        set,
        name,
        bands.map((band) => band.name),
      );
      bands = bands.map((band) => (band.name === name ? { ...band, min: value } : band));
    }
  }
  return { ...document, thresholds, rules, bands };
}

function readSet(set: string) {
  const match = /^(thresholds|weights|bands)\.([A-Za-z0-9_]+)=(.+)$/.exec(set);
  const value = Number(match?.[3]);
  if (match === null || !Number.isFinite(value))
    throw new UsageError(`--set: expected thresholds.NAME=NUMBER, weights.RULE=NUMBER or bands.BAND=NUMBER, got "${set}".`);
  return { group: match[1]!, name: match[2]!, value };
}

function known(set: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw new UsageError(`--set ${set}: the policy has no such name.${didYouMean(name, names)}`);
}
