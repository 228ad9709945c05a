/**
 * Turns a raw record into a row of a model's columns, according to the model's feature spec. This is the definition: training and batch
 * scoring (both in Python) and real time (`slotEncoder`) give the same row, and tests check all three with the same cases.
 *
 * A value is missing when it is absent, null, an empty text, or a number that float32 can't hold (NaN, ±Infinity, overflow). A missing
 * value is replaced by the feature's default, which is encoded like any value; without a default it is NaN.
 *  - numeric, boolean: a number stays itself, true is 1, false is 0. Text from a file is read in the same way: spaces, tabs and line ends
 *    around it are dropped; `true`, `false`, `nan`, `inf`, `infinity` are known in any case; everything else must be a decimal number.
 *  - encoded: a category's index, as a number or as text like above, or the category itself. Anything else is NaN.
 *  - ordinal: the position of the text in `categories`, exactly as written; a text that is not listed is `unknown`. Whole numbers and
 *    booleans stand for their text (`7`, `true`).
 * A row is float32, as XGBoost keeps it.
 */
import { type FeatureSpec, type FeatureSpecEntry, NUMBER_TEXT, requireFitted } from "./feature-spec";

export type RawValue = string | number | boolean | null | undefined;

/** Raw values by feature name; may contain other names too. */
export type RawRecord = Readonly<Record<string, RawValue>>;

/** A raw value that its feature cannot take, such as words for a number. */
export class FeatureValueError extends Error {
  readonly code = "FEATURE_VALUE";
}

export interface FeatureEncoder {
  /** Columns, in the row's order. */
  readonly names: readonly string[];
  /** Writes the row of a record into `out` (default: a new array) from `start` (default 0). Throws {@link FeatureValueError}. */
  encode(record: RawRecord, out?: Float32Array, start?: number): Float32Array;
  /** The same for values in the order of the columns. Also throws {@link FeatureValueError} for the wrong number of values. */
  encodeValues(values: readonly RawValue[], out?: Float32Array, start?: number): Float32Array;
}

/** Throws `FeatureSpecError` when the spec's ordinal features are not fitted. */
export function encoder(spec: FeatureSpec): FeatureEncoder {
  requireFitted(spec);
  const names = spec.features.map(({ name }) => name);
  const columns = spec.features.map(columnEncoder);
  const width = columns.length;
  return {
    names,
    encode(record, out = new Float32Array(width), start = 0) {
      for (let column = 0; column < width; column++) {
        const name = names[column]!;
        out[start + column] = columns[column]!(Object.hasOwn(record, name) ? record[name] : null);
      }
      return out;
    },
    encodeValues(values, out = new Float32Array(width), start = 0) {
      if (values.length !== width)
        throw new FeatureValueError(`A row has ${values.length} values where ${width} were expected: ${names.join(", ")}.`);
      for (let column = 0; column < width; column++) out[start + column] = columns[column]!(values[column]);
      return out;
    },
  };
}

type ColumnEncoder = (value: RawValue) => number;

function columnEncoder(feature: FeatureSpecEntry): ColumnEncoder {
  if (feature.type !== "categorical") {
    const missing = orNaN(feature.default);
    return (value) => {
      const number = numberIn(feature.name, value);
      return Number.isNaN(number) ? missing : number;
    };
  }
  const codes = categoryCodes(feature);
  if (feature.encoder === "encoded") {
    const missing = missingCode(feature);
    const count = feature.categories.length;
    return (value) => {
      const code = typeof value === "string" ? codes.get(value) : undefined;
      if (code !== undefined) return code;
      const index = numberIn(feature.name, value);
      if (Number.isNaN(index)) return missing;
      return Number.isInteger(index) && index >= 0 && index < count ? index : Number.NaN;
    };
  }
  const missing = missingCode(feature);
  const unknown = unknownCode(feature);
  return (value) => {
    const text = textIn(feature.name, value);
    return text === null ? missing : (codes.get(text) ?? unknown);
  };
}

/** Code of each category's text. The feature is fitted. */
export function categoryCodes({ categories }: { readonly categories: readonly string[] | null }): ReadonlyMap<string, number> {
  return new Map((categories ?? []).map((text, code) => [text, code]));
}

type CategoricalFeature = Extract<FeatureSpecEntry, { type: "categorical" }>;

/** The row's value for a missing value of a feature. */
export function missingCode(feature: FeatureSpecEntry): number {
  if (typeof feature.default !== "string") return orNaN(feature.default);
  // Only ordinal features have a text as default.
  const ordinal = feature as CategoricalFeature;
  return categoryCodes(ordinal).get(feature.default) ?? unknownCode(ordinal);
}

/** The row's value for a text that is not listed. */
export function unknownCode(feature: CategoricalFeature): number {
  return feature.encoder === "ordinal" ? orNaN(feature.unknown) : Number.NaN;
}

const orNaN = (value: number | null): number => value ?? Number.NaN;

const NUMBER_WORDS: Readonly<Record<string, number>> = {
  true: 1,
  false: 0,
  nan: Number.NaN,
  inf: Number.NaN,
  "+inf": Number.NaN,
  "-inf": Number.NaN,
  infinity: Number.NaN,
  "+infinity": Number.NaN,
  "-infinity": Number.NaN,
};

/** The number that a raw value stands for, rounded to float32; NaN when it is missing. */
function numberIn(name: string, value: RawValue): number {
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value !== "string") return finite(Number(value));
  const text = value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (text === "") return Number.NaN;
  if (NUMBER_TEXT.test(text)) return finite(Number(text));
  const word = text.toLowerCase();
  if (Object.hasOwn(NUMBER_WORDS, word)) return NUMBER_WORDS[word]!;
  throw new FeatureValueError(
    `Feature "${name}" is ${shown(value)}; a number, true or false was expected: correct the record, or leave the value out.`,
  );
}

function finite(value: number): number {
  const rounded = Math.fround(value);
  return Number.isFinite(rounded) ? rounded : Number.NaN;
}

/** The text that a raw value stands for; null when it is missing. Fractions are refused, because languages write them differently. */
function textIn(name: string, value: RawValue): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (!Number.isFinite(value)) return null;
  // 0 and -0 are the same number, and have the same text.
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  throw new FeatureValueError(`Feature "${name}" is ${value}; a text was expected: send the category as text.`);
}

function shown(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}
