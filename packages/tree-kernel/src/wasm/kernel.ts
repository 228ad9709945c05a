/** The WebAssembly kernel: puts the image into a memory, runs the code that came with it, moves rows in and margins out. */
import type { Image } from "../image";
import type { Kernel } from "../kernel";
import { BLOCK, fillMemory } from "./memory";

/** Blocks are computed whole: below this many rows, row by row is faster (for 1400 trees 155 µs a block against 7.8 µs a row). */
const LEAST_BATCH = 20;

/** Whether the engine has WebAssembly; every Node.js that runs this has, unless started with `--jitless`. */
export function hasWasm(): boolean {
  return typeof WebAssembly === "object";
}

export function wasmKernel({ description, sections }: Image): Kernel {
  const { features, baseMargins, layout, memory: map } = description;
  const memory = fillMemory(map, sections);
  const width = features.length;
  const outputs = baseMargins.length;
  const rowArea = new Float32Array(memory.buffer, map.rows, BLOCK * width);
  const marginArea = new Float32Array(memory.buffer, map.margins, BLOCK * outputs);
  const single = instantiate(sections.singleCode, memory, "single");
  let batch: (() => void) | undefined;

  const one = (out: Float32Array, at: number): void => {
    single();
    for (let output = 0; output < outputs; output++) out[at + output] = marginArea[output]!;
  };
  const rowByRow = (rows: Float32Array | Float64Array, first: number, count: number, out: Float32Array): void => {
    for (let row = first; row < count; row++) {
      rowArea.set(rows.subarray(row * width, (row + 1) * width));
      one(out, row * outputs);
    }
  };

  return {
    name: "wasm",
    margins(row, out, at) {
      for (let feature = 0; feature < width; feature++) rowArea[feature] = row[feature]!;
      one(out, at);
    },
    marginsBatch(rows, count, out) {
      if (layout !== "perfect") return rowByRow(rows, 0, count, out);
      let first = 0;
      for (; count - first >= LEAST_BATCH; first += BLOCK) {
        batch ??= instantiate(sections.batchCode, memory, "batch");
        const taken = Math.min(BLOCK, count - first);
        rowArea.set(rows.subarray(first * width, (first + taken) * width));
        batch();
        for (let output = 0; output < outputs; output++) {
          for (let row = 0; row < taken; row++) out[(first + row) * outputs + output] = marginArea[BLOCK * output + row]!;
        }
      }
      rowByRow(rows, first, count, out);
    },
  };
}

function instantiate(code: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory, name: string): () => void {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  // The only export of a module that this folder emits; the image's hash has been checked.
  return instance.exports[name] as () => void;
}
