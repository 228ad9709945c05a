import { type FeatureSet, featureText } from "../core/features";

const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/g;

/** Names of the features that a text mentions as `{name}`. */
export function placeholders(text: string): readonly string[] {
  return Array.from(text.matchAll(PLACEHOLDER), (match) => match[1]!);
}

/** Compiles `Travelled {distance_km} km` into a function of the feature vector; unknown values read `unknown`. */
export function compileText(text: string, features: FeatureSet): (vector: Float64Array) => string {
  const parts = text.split(PLACEHOLDER);
  if (parts.length === 1) return () => text;
  // `split` with a group returns text and names alternately.
  const slots = parts.map((part, index) => (index % 2 === 1 ? features.slot(part) : -1));
  const categories = slots.map((slot) => features.definitions[slot]?.categories);
  return (vector) => {
    let out = "";
    for (let index = 0; index < parts.length; index++) {
      out += index % 2 === 0 ? parts[index]! : featureText(vector[slots[index]!]!, categories[index]);
    }
    return out;
  };
}
