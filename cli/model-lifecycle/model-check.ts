/** Compares an image with the model's own trees, on rows that probe the model. */

import { type Ensemble, loadTrees, ModelFileError, oracleMargins } from "@risk/tree-kernel";
import { parse } from "csv-parse/sync";

export interface Check {
  readonly what: string;
  readonly rows: number;
  /** One line per kernel, row and output that differs. */
  readonly differing: readonly string[];
}

/** More rows find nothing new and take seconds on large models, because the plain walk is slow. */
const MAX_PROBES = 2000;

/** Compares every kernel, row by row and in a batch, with the walk over the trees, bit for bit. */
export function checkImage(what: string, image: Uint8Array, ensemble: Ensemble, rows: Float32Array): Check {
  const width = ensemble.features.length;
  const outputs = ensemble.baseMargins.length;
  const count = Math.floor(rows.length / width);
  const differing: string[] = [];
  const expected = new Float32Array(count * outputs);
  for (let row = 0; row < count; row++)
    expected.set(oracleMargins(ensemble, rows.subarray(row * width, (row + 1) * width)), row * outputs);
  for (const kernel of ["wasm", "typescript"] as const) {
    const model = loadTrees(image, { kernel });
    if (model.description.features.length !== width || model.outputs !== outputs) {
      throw new ModelFileError(
        `The image has ${model.description.features.length} features and ${model.outputs} outputs, the model has ${width} and ${outputs}: they don't belong together.`,
      );
    }
    const batch = model.marginsBatch(rows, count);
    for (let row = 0; row < count; row++) {
      const single = model.margins(rows.subarray(row * width, (row + 1) * width));
      for (let output = 0; output < outputs; output++) {
        const want = expected[row * outputs + output]!;
        for (const [way, got] of [["alone", single[output]!] as const, ["in a batch", batch[row * outputs + output]!] as const]) {
          if (!Object.is(got, want))
            differing.push(`${kernel}, row ${row} ${way}, output ${output}: ${got} where the trees give ${want}`);
        }
      }
    }
  }
  return { what, rows: count, differing };
}

/** Rows with values at, just below and just above the thresholds, members and neighbours of category sets, and odd values. */
export function probingRows(ensemble: Ensemble): Float32Array {
  const candidates: number[][] = ensemble.features.map(() => [
    Number.NaN,
    0,
    -0,
    Infinity,
    -Infinity,
    3.4028234663852886e38,
    2 ** 24,
  ]);
  for (const tree of ensemble.trees) {
    for (let node = 0; node < tree.left.length; node++) {
      if (tree.left[node]! < 0) continue;
      const threshold = tree.value[node]!;
      const values = tree.categories.has(node)
        ? [...tree.categories.get(node)!].flatMap((c) => [c, c + 1, c + 0.5])
        : neighbours(threshold);
      candidates[tree.feature[node]!]!.push(...values);
    }
  }
  const most = candidates.reduce((length, values) => Math.max(length, values.length), 0);
  const count = Math.min(MAX_PROBES, most);
  // Each feature steps through its values with its own stride, so that rows combine them differently.
  return Float32Array.from({ length: count * ensemble.features.length }, (_, index) => {
    const feature = index % ensemble.features.length;
    const row = Math.floor(index / ensemble.features.length);
    const values = candidates[feature]!;
    return values[(row * (2 * feature + 1) + feature) % values.length]!;
  });
}

function neighbours(value: number): number[] {
  const bits = new Int32Array(Float32Array.of(value).buffer)[0]!;
  const near = [bits - 1, bits + 1].map((around) => new Float32Array(Int32Array.of(around).buffer)[0]!);
  return [value, ...near];
}

/** Rows of a CSV file with a header of feature names; other columns are ignored. @throws ModelFileError with line and column */
export function csvRows(bytes: Uint8Array, ensemble: Ensemble): Float32Array {
  const records: string[][] = parse(Buffer.from(bytes), {
    relax_column_count: true,
    skip_empty_lines: true,
    bom: true,
    trim: true,
  });
  const header = records[0] ?? [];
  const columns = ensemble.features.map(({ name }) => header.indexOf(name));
  const missing = ensemble.features.filter((_, index) => columns[index]! < 0).map(({ name }) => name);
  if (missing.length > 0) {
    throw new ModelFileError(
      `The header has no column ${missing.map((name) => `"${name}"`).join(", ")}; it needs one for each feature of the model.`,
    );
  }
  return Float32Array.from(
    records.slice(1).flatMap((cells, index) =>
      columns.map((column, feature) => {
        const cell = cells[column] ?? "";
        const value = cell === "" || cell.toLowerCase() === "nan" ? Number.NaN : Number(cell);
        if (Number.isNaN(value) && cell !== "" && cell.toLowerCase() !== "nan") {
          throw new ModelFileError(
            `Row ${index + 2}, column "${ensemble.features[feature]!.name}" is ${JSON.stringify(cell)}; a number was expected.`,
          );
        }
        return value;
      }),
    ),
  );
}
