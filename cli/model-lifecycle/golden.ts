/** Reads golden rows from `models/golden/<profile>.json`, with the margins that XGBoost gave at training. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface GoldenRow {
  /** In the order of the model's features. */
  readonly row: readonly number[];
  readonly margin: number;
}

export interface Golden {
  /** Empty if the model has no golden rows. */
  rowsOf(profile: string, model: string, features: readonly string[]): readonly GoldenRow[];
}

interface GoldenFile {
  readonly features: readonly string[];
  /** null is a missing value. */
  readonly rows: readonly (readonly (number | null)[])[];
  readonly margins: Readonly<Record<string, readonly number[]>>;
}

export function goldenIn(root: string): Golden {
  return {
    rowsOf(profile, model, features) {
      const path = join(root, "models", "golden", `${profile}.json`);
      if (!existsSync(path)) return [];
      const file: GoldenFile = JSON.parse(readFileSync(path, "utf8"));
      const margins = file.margins[model] ?? [];
      const columns = features.map((feature) => file.features.indexOf(feature));
      return margins.map((margin, index) => ({
        row: columns.map((column) => file.rows[index]?.[column] ?? Number.NaN),
        margin,
      }));
    },
  };
}
