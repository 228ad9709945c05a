import type { FeatureDefinition } from "../core/features";
import type { Comparison, Condition, PolicyDocument } from "../core/policy-document";
import type { AnyProfile } from "../core/profile";
import { didYouMean } from "../core/suggest";
import type { Problem } from "../core/types";
import { modelNames } from "../models/registry";
import { rangesOf } from "./limits";
import { placeholders } from "./text";

/** Deeper conditions are a mistake, and recursion over them stays safe. */
const MAX_DEPTH = 6;

/** Checks what the schema can't: known names, weights within the profile's scale, bands in a total order. */
export function checkPolicy(document: PolicyDocument, profile: AnyProfile): readonly Problem[] {
  if (document.profile !== profile.id) {
    return [
      { pointer: "/profile", detail: `Expected "${profile.id}", the profile that loads this policy, got "${document.profile}".` },
    ];
  }
  return [...checkModel(document, profile), ...checkRules(document, profile), ...checkBands(document, profile)];
}

function checkModel({ model }: PolicyDocument, profile: AnyProfile): readonly Problem[] {
  const names = modelNames(model.kind, profile.id);
  if (model.kind === "rules-only") {
    return "name" in model ? [{ pointer: "/model/name", detail: 'A model of kind "rules-only" has no name; remove it.' }] : [];
  }
  if (names.includes(model.name)) return [];
  const got = model.name === undefined ? "nothing" : `"${model.name}"`;
  const known = names.length > 0 ? `one of ${names.join(", ")}` : "another kind: this one has no models for the profile";
  return [{ pointer: "/model/name", detail: `Expected ${known}, got ${got}.${didYouMean(model.name ?? "", names)}` }];
}

function checkRules(document: PolicyDocument, profile: AnyProfile): readonly Problem[] {
  const found: Problem[] = [];
  const seen = new Set<string>();
  const features = profile.features.definitions.map((definition) => definition.name);
  const [lightest, heaviest] = rangesOf(profile.scale).weights;
  for (const [index, rule] of document.rules.entries()) {
    const pointer = `/rules/${index}`;
    if (seen.has(rule.id))
      found.push({ pointer: `${pointer}/id`, detail: `Rule "${rule.id}" occurs twice; give each rule its own id.` });
    seen.add(rule.id);
    if (rule.weight < lightest || rule.weight > heaviest) {
      const what = profile.scale.combine === "noisy-or" ? "a probability" : "points";
      const detail = `Expected ${what} from ${lightest} to ${heaviest}, got ${rule.weight}.`;
      found.push({ pointer: `${pointer}/weight`, detail });
    }
    for (const name of placeholders(rule.text)) {
      const definition = profile.features.definitions[profile.features.slot(name)];
      if (definition === undefined) {
        found.push({ pointer: `${pointer}/text`, detail: `There is no feature "${name}".${didYouMean(name, features)}` });
      } else if (definition.open) {
        const detail = `"${name}" is compared by its hash, so its text cannot be shown; write the sentence without it.`;
        found.push({ pointer: `${pointer}/text`, detail });
      }
    }
    checkCondition(rule.when, `${pointer}/when`, 1, document, profile, found);
  }
  return found;
}

function checkCondition(
  condition: Condition,
  pointer: string,
  depth: number,
  document: PolicyDocument,
  profile: AnyProfile,
  found: Problem[],
): void {
  if (depth > MAX_DEPTH) {
    found.push({ pointer, detail: `Conditions nest at most ${MAX_DEPTH} deep; split the rule.` });
    return;
  }
  const members = Object.keys(condition);
  const isComparison = members.length === 3 && ["field", "op", "value"].every((name) => Object.hasOwn(condition, name));
  const isGroup = members.length === 1 && ["all", "any", "not"].includes(members[0]!);
  if (!isComparison && !isGroup) {
    found.push({ pointer, detail: `Expected field, op and value, or one of all, any, not; got ${members.join(", ")}.` });
  } else if ("field" in condition) {
    checkComparison(condition, pointer, document, profile, found);
  } else if ("not" in condition) {
    checkCondition(condition.not, `${pointer}/not`, depth + 1, document, profile, found);
  } else {
    const [name, parts] = "all" in condition ? (["all", condition.all] as const) : (["any", condition.any] as const);
    for (const [index, part] of parts.entries()) {
      checkCondition(part, `${pointer}/${name}/${index}`, depth + 1, document, profile, found);
    }
  }
}

function checkComparison(
  { field, op, value }: Comparison,
  pointer: string,
  document: PolicyDocument,
  profile: AnyProfile,
  found: Problem[],
): void {
  const { definitions } = profile.features;
  const slot = profile.features.slot(field);
  if (slot < 0) {
    const names = definitions.map((definition) => definition.name);
    found.push({ pointer: `${pointer}/field`, detail: `There is no feature "${field}".${didYouMean(field, names)}` });
    return;
  }
  if (typeof value === "string" && value.startsWith("$")) {
    const thresholds = Object.keys(document.thresholds ?? {});
    const name = value.slice(1);
    if (thresholds.includes(name)) return;
    found.push({ pointer: `${pointer}/value`, detail: `There is no threshold "${name}".${didYouMean(name, thresholds)}` });
    return;
  }
  const detail = valueProblem(definitions[slot]!, op, value);
  if (detail !== null) found.push({ pointer: `${pointer}/value`, detail });
}

function valueProblem({ name, categories, open }: FeatureDefinition, op: string, value: number | string): string | null {
  if (open) {
    if (typeof value !== "string") return `Expected text for "${name}", got ${value}.`;
    return isEquality(op) ? null : `Texts have no order: use == or != with "${name}", not ${op}.`;
  }
  if (!categories) {
    return typeof value === "number" ? null : `Expected a number or a threshold ("$name") for "${name}", got "${value}".`;
  }
  if (typeof value !== "string") return `Expected one of the categories of "${name}", got ${value}.`;
  if (!categories.includes(value)) return `"${name}" has no category "${value}".${didYouMean(value, categories)}`;
  return isEquality(op) ? null : `Categories have no order: use == or != with "${name}", not ${op}.`;
}

const isEquality = (op: string): boolean => op === "==" || op === "!=";

function checkBands({ bands }: PolicyDocument, profile: AnyProfile): readonly Problem[] {
  const found: Problem[] = [];
  const names = new Set<string>();
  const minima = new Set<number>();
  for (const [index, { name, min }] of bands.entries()) {
    if (names.has(name))
      found.push({ pointer: `/bands/${index}/name`, detail: `Band "${name}" occurs twice; give each band its own name.` });
    if (minima.has(min))
      found.push({ pointer: `/bands/${index}/min`, detail: `Two bands start at ${min}; give each its own start.` });
    if (min > profile.scale.max) {
      found.push({
        pointer: `/bands/${index}/min`,
        detail: `Expected at most ${profile.scale.max}, the end of the scale, got ${min}.`,
      });
    }
    names.add(name);
    minima.add(min);
  }
  if (!minima.has(0)) found.push({ pointer: "/bands", detail: "Expected one band with min 0, so that every score has a band." });
  return found;
}
