/**
 * What a model's columns mean: name, type, encoder and default of each, in the order in which the model was trained. The spec is part of
 * the dataset, training completes it (categories), and it travels with the model into batch and real-time scoring.
 */

import type { FeatureDefinition, FeatureSet } from "../core/features";
import { isObject } from "../core/json";

/** A feature spec that cannot be used; the message names the member, what it is and what was expected. */
export class FeatureSpecError extends Error {
  readonly code = "FEATURE_SPEC";
}

/** Where an archived record has the value: among its features, or in its stored input. */
export type FeatureOrigin = "features" | "input";

export interface NumericFeature {
  readonly name: string;
  readonly type: "numeric" | "boolean";
  readonly from: FeatureOrigin;
  /** Stands for a missing value; null leaves it missing. */
  readonly default: number | null;
}

/** A categorical feature that the profile has already encoded: the value is the index in `categories`. */
export interface EncodedFeature {
  readonly name: string;
  readonly type: "categorical";
  readonly from: FeatureOrigin;
  readonly encoder: "encoded";
  readonly categories: readonly string[];
  readonly default: number | null;
}

/** A categorical feature given as text. */
export interface OrdinalFeature {
  readonly name: string;
  readonly type: "categorical";
  readonly from: FeatureOrigin;
  readonly encoder: "ordinal";
  /** A value's code is its position. Null until training has fitted it: the distinct values of the training split, by code point. */
  readonly categories: readonly string[] | null;
  /** Code of a value that is not listed; null makes it missing. */
  readonly unknown: number | null;
  /** Stands for a missing value before encoding; null leaves it missing. */
  readonly default: string | null;
}

export type FeatureSpecEntry = NumericFeature | EncodedFeature | OrdinalFeature;

export interface FeatureSpec {
  readonly version: 1;
  readonly features: readonly FeatureSpecEntry[];
}

/** A number in a text cell; `NUMBER_WORDS` are the exceptions. Python's encoder has the same two. */
export const NUMBER_TEXT = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;

/**
 * The spec of a profile's features as they are archived: numbers and flags as they are, closed categories by index, open ones by their
 * text in the input, to be fitted by training. There are no defaults: missing values stay missing.
 */
export function featureSpecOf({ features }: { readonly features: FeatureSet }): FeatureSpec {
  return { version: 1, features: features.definitions.map(entryOf) };
}

function entryOf({ name, categories, open, boolean }: FeatureDefinition): FeatureSpecEntry {
  if (open) {
    return { name, type: "categorical", from: "input", encoder: "ordinal", categories: null, unknown: null, default: null };
  }
  if (categories) return { name, type: "categorical", from: "features", encoder: "encoded", categories, default: null };
  return { name, type: boolean ? "boolean" : "numeric", from: "features", default: null };
}

/**
 * Checks a parsed JSON value. Throws `FeatureSpecError`, which names the first member that is missing, unknown or of the wrong kind, with
 * what was expected. Specs before training (ordinal `categories` null) are valid here; {@link requireFitted} rejects them.
 */
export function parseFeatureSpec(json: unknown): FeatureSpec {
  const spec = objectAt(json, "the feature spec", ["version", "features"]);
  if (spec.version !== 1) refuse(`version is ${shown(spec.version)}; this release reads feature specs of version 1.`);
  return { version: 1, features: parseFeatures(spec.features, "features") };
}

/** Only the entries, as a dataset lists them; `path` names the list in messages. Throws `FeatureSpecError`. */
export function parseFeatures(json: unknown, path: string): FeatureSpecEntry[] {
  if (!Array.isArray(json) || json.length === 0)
    refuse(`${path} is ${shown(json)}; a list with at least one feature was expected.`);
  const features = json.map((entry: unknown, index) => parseEntry(entry, `${path}[${index}]`));
  const seen = new Map<string, number>();
  for (const [index, { name }] of features.entries()) {
    const first = seen.get(name);
    if (first !== undefined) refuse(`${path}[${index}].name is "${name}", like ${path}[${first}].name; name each feature once.`);
    seen.set(name, index);
  }
  return features;
}

/** Throws `FeatureSpecError`, which names the ordinal features whose categories training has not filled in. */
export function requireFitted({ features }: FeatureSpec): void {
  const open = features.filter((feature) => "encoder" in feature && feature.categories === null).map(({ name }) => `"${name}"`);
  if (open.length > 0)
    refuse(`Feature ${open.join(", ")} has no categories yet: take the feature-spec.json that training writes beside its model.`);
}

/** Throws `FeatureSpecError` unless the spec is fitted and describes the model's columns one by one, in their order. */
export function requireColumns(spec: FeatureSpec, columns: readonly { readonly name: string }[]): void {
  requireFitted(spec);
  if (spec.features.length !== columns.length)
    refuse(`The feature spec has ${spec.features.length} features, the model ${columns.length}: they do not belong together.`);
  // A model that was trained without names has f0, f1, …; then the spec gives its columns their names.
  if (columns.every(({ name }, index) => name === `f${index}`)) return;
  const wrong = columns.findIndex(({ name }, index) => name !== spec.features[index]!.name);
  if (wrong >= 0) {
    refuse(
      `Column ${wrong + 1} is "${columns[wrong]!.name}" in the model and "${spec.features[wrong]!.name}" in the feature spec: they do not belong together.`,
    );
  }
}

type Members = Readonly<Record<string, unknown>>;

function parseEntry(json: unknown, path: string): FeatureSpecEntry {
  const all = objectAt(json, path);
  const { name, type, from } = all;
  if (typeof name !== "string" || name === "") refuse(`${path}.name is ${shown(name)}; a text was expected.`);
  if (from !== "features" && from !== "input")
    refuse(`${at(path, name, "from")} is ${shown(from)}; features or input was expected.`);
  const common = { name, from } as const;
  if (type === "numeric" || type === "boolean") {
    objectAt(json, path, ["name", "type", "from", "default"]);
    return { ...common, type, default: numberOrNull(all, path, "default") };
  }
  if (type !== "categorical")
    refuse(`${at(path, name, "type")} is ${shown(type)}; numeric, boolean or categorical was expected.`);
  if (all.encoder === "encoded") {
    objectAt(json, path, ["name", "type", "from", "encoder", "categories", "default"]);
    const categories = texts(all, path);
    const number = categories.find((text) => NUMBER_TEXT.test(text));
    if (number !== undefined)
      refuse(`${at(path, name, "categories")} has "${number}", which reads like an index; a word was expected.`);
    if (categories.length === 0) refuse(`${at(path, name, "categories")} is empty; the profile's categories were expected.`);
    const index = numberOrNull(all, path, "default");
    if (index !== null && categories[index] === undefined)
      refuse(
        `${at(path, name, "default")} is ${index}; an index of categories (0 to ${categories.length - 1}) or null was expected.`,
      );
    return { ...common, type, encoder: "encoded", categories, default: index };
  }
  if (all.encoder !== "ordinal")
    refuse(`${at(path, name, "encoder")} is ${shown(all.encoder)}; encoded or ordinal was expected.`);
  objectAt(json, path, ["name", "type", "from", "encoder", "categories", "unknown", "default"]);
  const text = all.default;
  if (text !== null && (typeof text !== "string" || text === ""))
    refuse(`${at(path, name, "default")} is ${shown(text)}; a text or null was expected.`);
  const categories = all.categories === null ? null : texts(all, path);
  return { ...common, type, encoder: "ordinal", categories, unknown: numberOrNull(all, path, "unknown"), default: text };
}

/** Codes are float32 in a row, which holds integers exactly up to here. */
const MAX_CATEGORIES = 2 ** 24;

function texts(entry: Members, path: string): string[] {
  const list = entry.categories;
  const where = at(path, entry.name, "categories");
  if (!Array.isArray(list)) return refuse(`${where} is ${shown(list)}; a list of texts was expected.`);
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (typeof item !== "string" || item === "")
      return refuse(`${where}[${index}] is ${shown(item)}; a text was expected (an empty one counts as missing).`);
    if (seen.has(item)) refuse(`${where}[${index}] is ${shown(item)}, which is there already; list each category once.`);
    seen.add(item);
  }
  if (seen.size > MAX_CATEGORIES) refuse(`${where} has ${seen.size} texts; at most ${MAX_CATEGORIES} can be told apart.`);
  return [...seen];
}

function numberOrNull(entry: Members, path: string, member: string): number | null {
  const value = entry[member];
  if (value === null) return null;
  if (typeof value !== "number" || !Number.isFinite(Math.fround(value)))
    return refuse(`${at(path, entry.name, member)} is ${shown(value)}; a number that float32 can hold, or null, was expected.`);
  return value;
}

/** The object's members; with `members`, exactly these have to be there. */
function objectAt(json: unknown, path: string, members?: readonly string[]): Members {
  if (!isObject(json)) return refuse(`${path} is ${shown(json)}; an object was expected.`);
  if (members === undefined) return json;
  const inside = path.startsWith("the ") ? "" : `${path}.`;
  for (const member of members) if (!Object.hasOwn(json, member)) refuse(`${inside}${member} is missing; add it.`);
  const extra = Object.keys(json).find((member) => !members.includes(member));
  if (extra !== undefined) refuse(`${inside}${extra} is not known; remove it, or use one of ${members.join(", ")}.`);
  return json;
}

/** `features[3].default ("browser")`. */
function at(path: string, name: unknown, member: string): string {
  return typeof name === "string" ? `${path}.${member} ("${name}")` : `${path}.${member}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function refuse(message: string): never {
  throw new FeatureSpecError(message);
}
