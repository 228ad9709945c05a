/** `holdout.csv`: rows that training never saw, encoded, with XGBoost's margins for them. */
import { parse } from "csv-parse/sync";
import { fail } from "../common/errors";

export interface Holdout {
  readonly count: number;
  /** Values in the order of the features, row after row, float32; NaN is a missing value. */
  readonly rows: Float32Array;
  readonly labels: Float64Array;
  /** XGBoost's margins. */
  readonly margins: Float32Array;
}

const LEADING = ["key", "label", "margin", "prediction"];

/** Training writes at most 20,000. */
const MAX_ROWS = 100_000;

/**
 * @param where the archive, for messages
 * @throws PipelineError `ModelArtifactInvalid` naming line and column
 */
export function parseHoldout(csv: Uint8Array, features: readonly string[], where: string): Holdout {
  const refuse = (detail: string): never =>
    fail(
      "ModelArtifactInvalid",
      `${where}: holdout.csv: ${detail} Train with the training script of this version (jobs/sagemaker/train.py).`,
    );
  const header = [...LEADING, ...features];
  const labels: number[] = [];
  const margins: number[] = [];
  const values: number[] = [];
  let line = 0;
  const take = (cells: readonly string[]): null => {
    line++;
    if (line === 1) {
      if (cells.join() === header.join()) return null;
      return refuse(`Expected the columns ${header.join(", ")}, got ${cells.join(", ")}.`);
    }
    if (line - 1 > MAX_ROWS) return refuse(`Expected at most ${MAX_ROWS} rows.`);
    labels.push(numberIn(cells[1]!, "label"));
    margins.push(numberIn(cells[2]!, "margin"));
    for (let column = 0; column < features.length; column++) {
      const cell = cells[LEADING.length + column]!;
      values.push(cell === "" ? Number.NaN : numberIn(cell, features[column]!));
    }
    return null;
  };
  const numberIn = (cell: string, column: string): number => {
    const value = cell === "" ? Number.NaN : Number(cell);
    return Number.isFinite(value)
      ? value
      : refuse(`Line ${line}, column ${column}: expected a number, got "${cell.slice(0, 40)}".`);
  };
  try {
    parse(csv, { on_record: take });
  } catch (error) {
    if (error instanceof Error && error.name === "ModelArtifactInvalid") throw error;
    return refuse(`It is not CSV (${error instanceof Error ? error.message : String(error)}).`);
  }
  if (labels.length === 0) return refuse("It has no rows.");
  return {
    count: labels.length,
    rows: Float32Array.from(values),
    labels: Float64Array.from(labels),
    margins: Float32Array.from(margins),
  };
}

/** Describes the first row whose margin differs from XGBoost's in any bit; undefined when all are equal. */
export function marginDifference(found: Float32Array, { margins, count }: Holdout): string | undefined {
  for (let row = 0; row < count; row++) {
    if (!Object.is(found[row], margins[row]))
      return `row ${row + 1} has the margin ${found[row]} where XGBoost gave ${margins[row]}`;
  }
  return undefined;
}
