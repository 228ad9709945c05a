/** The champion on the challenger's rows: finds columns by name and translates categories between the two encodings. Pure. */

import type { TreeEvaluator } from "@risk/tree-kernel";
import type { FeatureSpec, FeatureSpecEntry } from "../../scoring/models/feature-spec";
import { featureSpecIn } from "../../scoring/models/tree-image";
import type { Holdout } from "./holdout";

export type ChampionRows =
  | { readonly ok: true; readonly rows: Float32Array }
  /** Why the two can't be compared. */
  | { readonly ok: false; readonly reason: string };

/** Translates one column's value from the new encoding into the champion's. */
type Recode = (value: number) => number;

const AS_IT_IS: Recode = (value) => value;

/**
 * The rows in the champion's encoding. Where the new encoding doesn't know a category of the champion's, the champion sees a missing
 * value: the rows carry codes, not texts.
 * @param spec meaning of the holdout's columns, fitted
 */
export function championRows(champion: TreeEvaluator, spec: FeatureSpec, { rows, count }: Holdout): ChampionRows {
  const featureSpec = featureSpecIn(champion);
  const width = spec.features.length;
  const columns: { readonly at: number; readonly recode: Recode }[] = [];
  for (const { name } of featureSpec?.features ?? champion.description.features) {
    const at = spec.features.findIndex((feature) => feature.name === name);
    if (at < 0) return { ok: false, reason: `it needs ${name}, which the new training set does not have` };
    const recode = recoding(
      spec.features[at]!,
      featureSpec?.features.find((feature) => feature.name === name),
    );
    if (recode === undefined) return { ok: false, reason: `it encodes ${name} in another way, and its image does not say how` };
    columns.push({ at, recode });
  }
  const out = new Float32Array(count * columns.length);
  for (let row = 0; row < count; row++) {
    for (const [index, { at, recode }] of columns.entries()) {
      out[row * columns.length + index] = recode(rows[row * width + at]!);
    }
  }
  return { ok: true, rows: out };
}

/** Undefined when the codes of the two encodings can't be related. */
function recoding(from: FeatureSpecEntry, to: FeatureSpecEntry | undefined): Recode | undefined {
  const [names, codes] = [categoriesOf(from), categoriesOf(to)];
  if (names === undefined && codes === undefined) return AS_IT_IS;
  // Models from before feature specs have the profile's own codes, which "encoded" keeps.
  if (to === undefined) return from.type === "categorical" && from.encoder === "encoded" ? AS_IT_IS : undefined;
  if (names === undefined || codes === undefined) return undefined;
  const unknown = to.type === "categorical" && to.encoder === "ordinal" ? (to.unknown ?? Number.NaN) : Number.NaN;
  const table = names.map((name) => {
    const code = codes.indexOf(name);
    return code < 0 ? unknown : code;
  });
  return (value) => table[value] ?? Number.NaN;
}

const categoriesOf = (feature: FeatureSpecEntry | undefined): readonly string[] | undefined =>
  feature?.type === "categorical" ? (feature.categories ?? []) : undefined;
