/** Overrides of a policy from stack config, checked name by name. */

import { isObject } from "../functions/scoring/core/json";
import type { PolicyDocument } from "../functions/scoring/core/policy-document";
import type { AnyProfile } from "../functions/scoring/core/profile";
import { didYouMean } from "../functions/scoring/core/suggest";
import { rangesOf } from "../functions/scoring/policy/limits";
import { type ConfigPath, removeCommand, setCommand } from "./commands";

/** Thresholds by name, weights by rule, lowest scores by band. */
const GROUPS = ["thresholds", "weights", "bands"] as const;
type Group = (typeof GROUPS)[number];
type Overrides = { readonly [G in Group]?: Readonly<Record<string, number>> };

const isGroup = (name: string): name is Group => GROUPS.some((group) => group === name);

/** `pulumi config set --path` stores fractions as text, so numbers may be quoted. */
const asNumber = (value: unknown): number =>
  typeof value === "string" && value.trim() !== "" ? Number(value) : typeof value === "number" ? value : Number.NaN;

/**
 * The profile's policy with a stack's overrides. An overridden policy has no version: the functions show a hash of the document instead,
 * so that two different policies never have the same version.
 * @param at where the overrides are, `["risk:fraud", "policy"]`
 * @param raw JSON of `{"thresholds": {name: number}, "weights": {rule: number}, "bands": {band: lowest score}}`
 * @returns what could be read, and a line for every problem: names that the policy doesn't have would silently change nothing, and
 *   numbers out of range would stop the functions
 */
export function parsePolicyOverrides(
  stack: string,
  at: ConfigPath,
  raw: string,
  profile: AnyProfile,
): { readonly policy: PolicyDocument; readonly problems: readonly string[] } {
  const { defaultPolicy } = profile;
  const document = parseJson(raw);
  if (!isObject(document)) {
    const problem = removal(stack, at, `expected an object of ${GROUPS.join(", ")}, got ${raw}.`);
    return { policy: defaultPolicy, problems: [problem] };
  }
  const problems: string[] = [];
  const overrides: Record<string, Record<string, number>> = {};
  for (const [group, members] of Object.entries(document)) {
    const path: ConfigPath = [...at, group];
    if (!isGroup(group)) {
      problems.push(removal(stack, path, `expected one of ${GROUPS.join(", ")}.${didYouMean(group, GROUPS)}`));
    } else if (!isObject(members)) {
      problems.push(removal(stack, path, `expected an object of names and numbers, got ${JSON.stringify(members)}.`));
    } else {
      overrides[group] = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, asNumber(member)]));
      problems.push(...memberProblems(stack, path, group, members, profile));
    }
  }
  if (problems.length === 0) problems.push(...bandProblems(stack, at, overrides, profile));
  return { policy: withOverrides(defaultPolicy, overrides), problems };
}

/** What may be overridden, with the policy's own values. */
const overridable = (policy: PolicyDocument): Readonly<Record<Group, Readonly<Record<string, number>>>> => ({
  thresholds: policy.thresholds ?? {},
  weights: Object.fromEntries(policy.rules.map(({ id, weight }) => [id, weight])),
  bands: Object.fromEntries(policy.bands.map(({ name, min }) => [name, min])),
});

function withOverrides(policy: PolicyDocument, { thresholds = {}, weights = {}, bands = {} }: Overrides): PolicyDocument {
  if ([thresholds, weights, bands].every((group) => Object.keys(group).length === 0)) return policy;
  const { version: _replaced, ...document } = policy;
  return {
    ...document,
    thresholds: { ...policy.thresholds, ...thresholds },
    rules: policy.rules.map((rule) => ({ ...rule, weight: weights[rule.id] ?? rule.weight })),
    bands: policy.bands.map((band) => ({ ...band, min: bands[band.name] ?? band.min })),
  };
}

const removal = (stack: string, path: ConfigPath, problem: string): string =>
  `${path.join(".")}: ${problem} Fix: ${removeCommand(stack, path)}`;

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

function memberProblems(
  stack: string,
  at: ConfigPath,
  group: Group,
  members: Readonly<Record<string, unknown>>,
  profile: AnyProfile,
): string[] {
  const known = overridable(profile.defaultPolicy)[group];
  const [minimum, maximum] = rangesOf(profile.scale)[group];
  return Object.entries(members).flatMap(([name, member]) => {
    const path: ConfigPath = [...at, name];
    const usual = Object.hasOwn(known, name) ? known[name] : undefined;
    if (usual === undefined) {
      const hint = didYouMean(name, Object.keys(known)) || ` It has no ${group}.`;
      return [removal(stack, path, `the ${profile.id} policy has no such name.${hint}`)];
    }
    const number = asNumber(member);
    if (number >= minimum && number <= maximum) return [];
    const fix = setCommand(stack, path, String(usual));
    return [`${path.join(".")}: expected a number from ${minimum} to ${maximum}, got ${JSON.stringify(member)}. Fix: ${fix}`];
  });
}

/** Bands keep their order and start at 0: a score without a band, or a "high" below "medium", must be a typing error. */
function bandProblems(stack: string, at: ConfigPath, overrides: Overrides, profile: AnyProfile): string[] {
  const bands = profile.defaultPolicy.bands.map(({ name, min }) => ({ name, min: overrides.bands?.[name] ?? min }));
  const inOrder = bands.every(({ min }, index) => (index === 0 ? min === 0 : min > (bands[index - 1]?.min ?? 0)));
  if (inOrder) return [];
  const expected = bands.map(({ name }, index) => (index === 0 ? `${name} = 0` : name)).join(" < ");
  const got = bands.map(({ name, min }) => `${name} ${min}`).join(", ");
  return [removal(stack, [...at, "bands"], `expected ${expected}, got ${got}.`)];
}
