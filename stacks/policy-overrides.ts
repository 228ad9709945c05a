/** Overrides of a policy as stack config writes them, checked name by name. */
import type { AnyProfile } from "../functions/core/profile";
import { didYouMean } from "../functions/core/suggest";
import { removeCommand, setCommand } from "./commands";
import { overridable, type PolicyOverrides } from "./policies";

const GROUPS = ["thresholds", "weights", "bands"] as const;
type Group = (typeof GROUPS)[number];

const isGroup = (name: string): name is Group => GROUPS.some((group) => group === name);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `pulumi config set --path` stores fractions as text, so numbers may come in quotes. */
const asNumber = (value: unknown): number =>
  typeof value === "string" && value.trim() !== "" ? Number(value) : typeof value === "number" ? value : Number.NaN;

/**
 * @param key full key, `risk:fraud.policy`
 * @param raw JSON of `{"thresholds": {name: number}, "weights": {rule: number}, "bands": {band: lowest score}}`
 * @returns what could be read, and a line for every problem: names that the policy has not would silently change nothing, and
 *   numbers out of range would stop the functions
 */
export function parseOverrides(
  stack: string,
  key: string,
  raw: string,
  profile: AnyProfile,
): { readonly value: PolicyOverrides; readonly problems: readonly string[] } {
  const document = parseJson(raw);
  const remove = (path: string) => `Fix: ${removeCommand(stack, path)}`;
  const set = (path: string, value: number) => `Fix: ${setCommand(stack, path, String(value))}`;
  if (!isRecord(document)) {
    const problem = `${key}: expected an object of ${GROUPS.join(", ")}, got ${raw}. ${remove(key)}`;
    return { value: {}, problems: [problem] };
  }
  const problems: string[] = [];
  const value: Record<string, Record<string, number>> = {};
  for (const [group, members] of Object.entries(document)) {
    const path = `${key}.${group}`;
    if (!isGroup(group)) {
      const hint = didYouMean(group, GROUPS);
      problems.push(`${path}: expected one of ${GROUPS.join(", ")}.${hint} ${remove(path)}`);
    } else if (!isRecord(members)) {
      problems.push(`${path}: expected an object of names and numbers, got ${JSON.stringify(members)}. ${remove(path)}`);
    } else {
      value[group] = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, asNumber(member)]));
      problems.push(...memberProblems(path, group, members, profile, { remove, set }));
    }
  }
  if (problems.length === 0) problems.push(...bandProblems(key, value, profile, remove));
  return { value, problems };
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

interface Fixes {
  readonly remove: (path: string) => string;
  readonly set: (path: string, value: number) => string;
}

function memberProblems(
  path: string,
  group: Group,
  members: Readonly<Record<string, unknown>>,
  profile: AnyProfile,
  { remove, set }: Fixes,
): string[] {
  const known = overridable(profile.defaultPolicy)[group];
  const [minimum, maximum] = rangeOf(group, profile.scale);
  return Object.entries(members).flatMap(([name, member]) => {
    const usual = known[name];
    if (usual === undefined) {
      const hint = didYouMean(name, Object.keys(known)) || ` It has no ${group}.`;
      return [`${path}.${name}: the ${profile.id} policy has no such name.${hint} ${remove(`${path}.${name}`)}`];
    }
    const number = asNumber(member);
    if (number >= minimum && number <= maximum) return [];
    const got = JSON.stringify(member);
    return [`${path}.${name}: expected a number from ${minimum} to ${maximum}, got ${got}. ${set(`${path}.${name}`, usual)}`];
  });
}

function rangeOf(group: Group, scale: AnyProfile["scale"]): readonly [number, number] {
  if (group === "bands") return [0, scale.max];
  if (group === "thresholds") return [-1e12, 1e12];
  return scale.combine === "noisy-or" ? [0, 0.999] : [-100, 100];
}

/** Bands keep their order and start at 0: a score without a band, or a "high" below "medium", is a slip of the keyboard. */
function bandProblems(key: string, overrides: PolicyOverrides, profile: AnyProfile, remove: Fixes["remove"]): string[] {
  const bands = profile.defaultPolicy.bands.map(({ name, min }) => ({ name, min: overrides.bands?.[name] ?? min }));
  const inOrder = bands.every(({ min }, index) => (index === 0 ? min === 0 : min > (bands[index - 1]?.min ?? 0)));
  if (inOrder) return [];
  const expected = bands.map(({ name }, index) => (index === 0 ? `${name} = 0` : name)).join(" < ");
  const got = bands.map(({ name, min }) => `${name} ${min}`).join(", ");
  return [`${key}.bands: expected ${expected}, got ${got}. ${remove(`${key}.bands`)}`];
}
