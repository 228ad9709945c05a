/** Named slots of a feature vector. Their order is that of the definitions; NaN in a slot means "not known". */
export interface FeatureDefinition {
  readonly name: string;
  readonly description: string;
  /** Unit for people: `km`, `s`, `USD`. */
  readonly unit?: string;
  /** Present on a categorical feature: its slot holds the index of the value, or NaN for a value that is not listed. */
  readonly categories?: readonly string[];
  /**
   * A text from an open list: its slot holds `textHash` of the text, or NaN when it is missing. Each model knows the texts that it was
   * trained with; the text itself is in the stored input under the feature's name.
   */
  readonly open?: true;
  /** Yes or no: the slot holds 1 or 0. */
  readonly boolean?: true;
}

/** A profile's features, with their slots by name. */
export interface FeatureSet {
  readonly definitions: readonly FeatureDefinition[];
  readonly size: number;
  /** Slot of a feature, or -1 when there is no such feature. */
  slot(name: string): number;
}

/**
 * Gives each definition the slot of its position. Throws on a name that occurs twice and on a feature of two kinds, which are mistakes
 * in the profile.
 */
export function featureSet(definitions: readonly FeatureDefinition[]): FeatureSet {
  const slots = new Map<string, number>();
  for (const [index, { name, categories, open, boolean }] of definitions.entries()) {
    if (slots.has(name)) throw new Error(`Feature "${name}" is defined twice; give each feature of a profile its own name.`);
    if (+(categories !== undefined) + +(open === true) + +(boolean === true) > 1)
      throw new Error(`Feature "${name}" is of two kinds; give it one of categories, open and boolean.`);
    slots.set(name, index);
  }
  return { definitions, size: definitions.length, slot: (name) => slots.get(name) ?? -1 };
}

/** The values of a feature vector as text, in both forms in which they are stored. */
export interface FeatureText {
  /** By name: the result of `JSON.stringify(featureRecord(…))`. */
  readonly json: string;
  /** By slot, separated by commas; empty where not known. */
  readonly list: string;
}

/** Writes both texts at once: the shortest text of a double is what takes the time, so each is made once. */
export function featureWriter({ definitions, size }: FeatureSet): (features: Float64Array) => FeatureText {
  // Names and values alternate. One array for everything: joining it gives one flat text, where `+=` would leave a tree of 60 pieces behind.
  const parts = definitions.flatMap(({ name }, slot) => [`${slot === 0 ? "{" : ","}${JSON.stringify(name)}:`, ""]);
  parts.push(size === 0 ? "{}" : "}");
  const list = definitions.map(() => "");
  return (features) => {
    let previous = Number.NaN;
    let text = "";
    for (let slot = 0; slot < size; slot++) {
      const value = features[slot]!;
      // Sums and counts over growing windows are often equal.
      if (value !== previous) text = Number.isFinite(value) ? numberText(value) : "";
      previous = value;
      list[slot] = text;
      parts[2 * slot + 1] = text === "" ? "null" : text;
    }
    return { json: parts.join(""), list: list.join() };
  };
}

const SMALL_INTEGERS = Array.from({ length: 256 }, (_, value) => String(value));

/** Counts and flags, most of a vector, need no formatting. */
function numberText(value: number): string {
  const integer = value | 0;
  return integer === value && integer >= 0 && integer < SMALL_INTEGERS.length ? SMALL_INTEGERS[integer]! : String(value);
}

/** The list of {@link FeatureText} as a vector again. */
export const readFeatureList = (list: string): Float64Array =>
  Float64Array.from(list.split(","), (text) => (text === "" ? Number.NaN : Number(text)));

/** Feature values by name, as the archive stores them; unknown ones are null. */
export function featureRecord(set: FeatureSet, features: Float64Array): Record<string, number | null> {
  const record: Record<string, number | null> = {};
  for (let slot = 0; slot < set.size; slot++) {
    const value = features[slot]!;
    record[set.definitions[slot]!.name] = Number.isFinite(value) ? value : null;
  }
  return record;
}

/** A feature's value for people: integers in full, large numbers rounded to integers, small ones with two decimals. */
export function featureText(value: number, categories?: readonly string[]): string {
  if (!Number.isFinite(value)) return "unknown";
  if (categories) return categories[value] ?? "unknown";
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) >= 100) return String(Math.round(value));
  // Arithmetic instead of toFixed: it is several times faster, and leaves no trailing zeros.
  return String(Math.round(value * 100) / 100);
}
