/** Real time: turns a profile's feature vector into a row of a model's columns, as `encoder` does with raw values. */

import { refuse } from "@risk/tree-kernel";
import { type FeatureDefinition, type FeatureSet, featureText } from "../core/features";
import { textHash } from "../core/text-hash";
import { categoryCodes, missingCode, unknownCode } from "./feature-encoder";
import { type FeatureSpec, type FeatureSpecEntry, requireFitted } from "./feature-spec";

export interface SlotEncoder {
  /** Slot of each column. */
  readonly slots: readonly number[];
  /** Writes the row of the vector that starts at `at`. Allocates nothing. */
  fill(vector: Float64Array, at: number, row: Float32Array): void;
  /** A column's value for people; `value` is its slot's. */
  describe(column: number, value: number): string;
}

/**
 * Built once, when a model is loaded. Columns are found by name; a closed category that the model lists in another order is mapped by
 * its text. Throws `ModelFileError` for a feature that the profile doesn't have or has with another type, and when two categories of a
 * feature have the same hash.
 */
export function slotEncoder(spec: FeatureSpec, features: FeatureSet): SlotEncoder {
  requireFitted(spec);
  const unknown = spec.features.filter(({ name }) => features.slot(name) < 0).map(({ name }) => `"${name}"`);
  if (unknown.length > 0) {
    refuse(
      `The model's feature ${unknown.join(", ")} is not one of the profile's (${features.definitions.map(({ name }) => name).join(", ")}).`,
    );
  }
  const slots = spec.features.map(({ name }) => features.slot(name));
  const columns = spec.features.map((feature, column) => columnOf(feature, features.definitions[slots[column]!]!));
  const width = columns.length;
  const missing = Float32Array.from(columns, (column) => column.missing);
  return {
    slots,
    fill(vector, at, row) {
      for (let column = 0; column < width; column++) {
        const value = vector[at + slots[column]!]!;
        const lookUp = columns[column]!.lookUp;
        // An infinite difference gives NaN, as NaN does: a value that isn't finite in float32 is missing.
        const rounded = Math.fround(value);
        if (rounded - rounded !== 0) row[column] = missing[column]!;
        else row[column] = lookUp === null ? rounded : lookUp.codeOf(value);
      }
    },
    describe: (column, value) => columns[column]!.describe(value),
  };
}

interface Column {
  readonly missing: number;
  /** Null for numbers. */
  readonly lookUp: LookUp | null;
  describe(value: number): string;
}

/** Code of a category by the content of the profile's slot. */
interface LookUp {
  codeOf(value: number): number;
}

function columnOf(feature: FeatureSpecEntry, definition: FeatureDefinition): Column {
  const { name } = feature;
  const isCategorical = definition.open === true || definition.categories !== undefined;
  if ((feature.type === "categorical") !== isCategorical) {
    const kind = isCategorical ? "categorical" : "a number";
    refuse(
      `The model's feature "${name}" is ${feature.type}, the profile's is ${kind}: train the model with the profile's feature spec.`,
    );
  }
  const missing = missingCode(feature);
  if (feature.type !== "categorical") return { missing, lookUp: null, describe: (value) => featureText(value) };
  const codes = categoryCodes(feature);
  const other = unknownCode(feature);
  if (definition.categories !== undefined) {
    const { categories } = definition;
    const lookUp = new IndexTable(
      categories.map((text) => codes.get(text) ?? other),
      other,
    );
    return { missing, lookUp, describe: (value) => featureText(value, categories) };
  }
  const texts = new Map<number, string>();
  for (const text of codes.keys()) {
    const hash = textHash(text);
    const twin = texts.get(hash);
    if (twin !== undefined) {
      refuse(
        `Categories ${JSON.stringify(twin)} and ${JSON.stringify(text)} of feature "${name}" have the same hash, so they cannot be told apart: train the model without one of them.`,
      );
    }
    texts.set(hash, text);
  }
  const lookUp = new HashTable(
    Array.from(texts, ([hash, text]) => [hash, codes.get(text)!] as const),
    other,
  );
  const describe = (value: number): string =>
    Number.isFinite(value) ? (texts.get(value) ?? "a value that the model has not seen") : featureText(value);
  return { missing, lookUp, describe };
}

/** Codes by the index of a closed category. */
class IndexTable implements LookUp {
  private readonly codes: Float32Array;

  constructor(
    codes: readonly number[],
    private readonly other: number,
  ) {
    this.codes = Float32Array.from(codes);
  }

  codeOf(value: number): number {
    const index = value | 0;
    return index === value && index >= 0 && index < this.codes.length ? this.codes[index]! : this.other;
  }
}

/** Codes by hash: open addressing in typed arrays, because a Map would allocate a key of this size for every look-up. */
class HashTable implements LookUp {
  private readonly mask: number;
  /** NaN marks a free place. */
  private readonly keys: Float64Array;
  private readonly codes: Float32Array;

  constructor(
    entries: readonly (readonly [hash: number, code: number])[],
    private readonly other: number,
  ) {
    // At most half full, so a search ends after a step or two.
    const size = 2 ** Math.ceil(Math.log2(2 * entries.length + 2));
    this.mask = size - 1;
    this.keys = new Float64Array(size).fill(Number.NaN);
    this.codes = new Float32Array(size);
    for (const [hash, code] of entries) {
      const place = this.placeOf(hash);
      this.keys[place] = hash;
      this.codes[place] = code;
    }
  }

  codeOf(value: number): number {
    const place = this.placeOf(value);
    return this.keys[place] === value ? this.codes[place]! : this.other;
  }

  /** The slot that holds the key, or the free one where it belongs. The hash spreads keys evenly over its low bits. */
  private placeOf(value: number): number {
    let place = value & this.mask;
    while (this.keys[place] !== value && !Number.isNaN(this.keys[place]!)) place = (place + 1) & this.mask;
    return place;
  }
}
