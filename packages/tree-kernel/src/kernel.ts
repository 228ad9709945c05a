/** What walks the trees. Every kernel gives the same bits; they differ in speed and in what they need from the machine. */
export interface Kernel {
  /** `wasm` or `typescript`. */
  readonly name: "wasm" | "typescript";
  /**
   * Margins of one row of features (NaN: missing) into `out[at … at + outputs)`.
   * Values are rounded to float32 first, as XGBoost does.
   */
  margins(row: ArrayLike<number>, out: Float32Array, at: number): void;
  /** Margins of `count` rows that lie one after the other, into `out`, row by row. */
  marginsBatch(rows: Float32Array | Float64Array, count: number, out: Float32Array): void;
}
