/** A loaded model: predictions and their contributions, on the fastest kernel that the machine has. */
import { type Contributor, contributor } from "./contributions";
import { typescriptKernel } from "./fallback";
import { type Image, type ImageDescription, openImage } from "./image";
import type { Kernel } from "./kernel";
import { applyLink, type Objective, objectiveNamed } from "./objective";
import { hasWasm, wasmKernel } from "./wasm/kernel";

export interface TreeEvaluator {
  /** Features, objective, number of trees and so on. */
  readonly description: ImageDescription;
  readonly objective: Objective;
  /** SHA-256 of the image's content, hexadecimal. */
  readonly hash: string;
  readonly kernel: Kernel["name"];
  /** Numbers per row: classes of a multi-class model, else 1. */
  readonly outputs: number;
  /**
   * Margins of a row of `description.features` values, float32, bit-identical to XGBoost's `predict(output_margin=True)`.
   * NaN is a missing value. The returned array is new unless `out` is given.
   */
  margins(row: ArrayLike<number>, out?: Float32Array): Float32Array;
  /** Predictions of a row: margins through the objective's link (`multi:softmax` answers the class in every output). */
  predict(row: ArrayLike<number>, out?: Float32Array): Float32Array;
  /** Margins of `count` rows that lie one after the other; `out` has `count · outputs` places, row by row. */
  marginsBatch(rows: Float32Array | Float64Array, count: number, out?: Float32Array): Float32Array;
  predictBatch(rows: Float32Array | Float64Array, count: number, out?: Float32Array): Float32Array;
  /** Turns the margins of one row into its predictions, in place. */
  applyLink(margins: Float32Array): Float32Array;
  /** Shares of each feature in a margin; see {@link Contributor}. */
  readonly contributions: Contributor;
}

export interface LoadOptions {
  /** `typescript` does without WebAssembly. Default: WebAssembly when the machine has it. */
  readonly kernel?: Kernel["name"];
}

/** Loads an image made by `compile`. Throws `ModelFileError` when it is damaged. */
export function loadTrees(bytes: Uint8Array, options: LoadOptions = {}): TreeEvaluator {
  const image = openImage(bytes);
  return evaluator(image, options.kernel ?? (hasWasm() ? "wasm" : "typescript"));
}

function evaluator(image: Image, name: Kernel["name"]): TreeEvaluator {
  const { description } = image;
  const kernel = name === "wasm" ? wasmKernel(image) : typescriptKernel(image);
  const objective = objectiveNamed(description.objective);
  const outputs = description.baseMargins.length;
  const width = description.features.length;
  const one = (row: ArrayLike<number>, out: Float32Array): Float32Array => {
    if (row.length !== width) throw new RangeError(`A row has ${width} features, but ${row.length} values were given.`);
    kernel.margins(row, out, 0);
    return out;
  };
  const many = (rows: Float32Array | Float64Array, count: number, out: Float32Array): Float32Array => {
    if (rows.length < count * width || out.length < count * outputs) {
      throw new RangeError(
        `${count} rows have ${count * width} values and ${count * outputs} margins; there are ${rows.length} values and room for ${out.length} margins.`,
      );
    }
    kernel.marginsBatch(rows, count, out);
    return out;
  };
  const linked = (margins: Float32Array, count: number): Float32Array => {
    for (let row = 0; row < count; row++) applyLink(objective.link, margins, row * outputs, outputs);
    return margins;
  };
  return {
    description,
    objective,
    hash: image.hash,
    kernel: kernel.name,
    outputs,
    margins: (row, out = new Float32Array(outputs)) => one(row, out),
    predict: (row, out = new Float32Array(outputs)) => linked(one(row, out), 1),
    marginsBatch: (rows, count, out = new Float32Array(count * outputs)) => many(rows, count, out),
    predictBatch: (rows, count, out = new Float32Array(count * outputs)) => linked(many(rows, count, out), count),
    applyLink: (margins) => linked(margins, 1),
    contributions: contributor(image, kernel),
  };
}
