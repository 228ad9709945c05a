/**
 * WebAssembly as bytes (https://webassembly.github.io/spec/core/binary): a writer for function bodies and one for modules.
 * Only what the kernels use. Binary instructions take their operands from functions, so that code reads like the expression.
 */

/** Emits instructions that leave one value on the stack. */
export type Value = () => void;

export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;

export class Code {
  readonly bytes: number[] = [];
  private readonly locals: number[] = [];

  /** @param parameters number of the function's parameters: locals are numbered after them */
  constructor(private readonly parameters: number) {}

  local(type: number): number {
    this.locals.push(type);
    return this.parameters + this.locals.length - 1;
  }

  get(index: number): void {
    this.emit(0x20, ...unsigned(index));
  }

  set(index: number, value: Value): void {
    value();
    this.emit(0x21, ...unsigned(index));
  }

  tee(index: number, value: Value): void {
    value();
    this.emit(0x22, ...unsigned(index));
  }

  i32(value: number): void {
    this.emit(0x41, ...signed(value));
  }

  f32(value: number): void {
    this.emit(0x43, ...new Uint8Array(Float32Array.of(value).buffer));
  }

  private binary(opcode: readonly number[], a: Value, b: Value): void {
    a();
    b();
    this.emit(...opcode);
  }

  add = (a: Value, b: Value): void => this.binary([0x6a], a, b);
  sub = (a: Value, b: Value): void => this.binary([0x6b], a, b);
  and = (a: Value, b: Value): void => this.binary([0x71], a, b);
  shl = (a: Value, bits: number): void => this.binary([0x74], a, () => this.i32(bits));
  shrU = (a: Value, bits: number): void => this.binary([0x76], a, () => this.i32(bits));
  shrUBy = (a: Value, b: Value): void => this.binary([0x76], a, b);
  lessU = (a: Value, b: Value): void => this.binary([0x49], a, b);
  f32Add = (a: Value, b: Value): void => this.binary([0x92], a, b);
  f32AtMost = (a: Value, b: Value): void => this.binary([0x5f], a, b);
  f32AtLeast = (a: Value, b: Value): void => this.binary([0x60], a, b);
  f32Differ = (a: Value, b: Value): void => this.binary([0x5c], a, b);
  bytesAbove = (a: Value, b: Value): void => this.binary([0xfd, 0x27], a, b);
  shortsAbove = (a: Value, b: Value): void => this.binary([0xfd, 0x31], a, b);
  narrow = (a: Value, b: Value): void => this.binary([0xfd, 0x65], a, b);
  vectorAnd = (a: Value, b: Value): void => this.binary([0xfd, 0x4e], a, b);
  bytesSub = (a: Value, b: Value): void => this.binary([0xfd, 0x71], a, b);
  bytesMax = (a: Value, b: Value): void => this.binary([0xfd, 0x79], a, b);
  floatsAdd = (a: Value, b: Value): void => this.binary([0xfd, 0xe4, 0x01], a, b);

  /** `condition ? a : b`, without a branch. */
  select(a: Value, b: Value, condition: Value): void {
    a();
    b();
    condition();
    this.emit(0x1b);
  }

  /** Truncates a float to an unsigned integer; NaN and negative numbers give 0, large ones the largest. */
  truncate(value: Value): void {
    value();
    this.emit(0xfc, 0x01);
  }

  floatsSplat(value: Value): void {
    value();
    this.emit(0xfd, 0x13);
  }

  load = (address: Value, offset: number): void => this.memory([0x28], 2, address, offset);
  load8 = (address: Value, offset: number): void => this.memory([0x2d], 0, address, offset);
  load8Signed = (address: Value, offset: number): void => this.memory([0x2c], 0, address, offset);
  load16 = (address: Value, offset: number): void => this.memory([0x2f], 1, address, offset);
  loadFloat = (address: Value, offset: number): void => this.memory([0x2a], 2, address, offset);
  loadVector = (address: Value, offset: number): void => this.memory([0xfd, 0x00], 4, address, offset);
  splat8 = (address: Value, offset: number): void => this.memory([0xfd, 0x07], 0, address, offset);
  splat16 = (address: Value, offset: number): void => this.memory([0xfd, 0x08], 1, address, offset);
  loadFloatZero = (address: Value, offset: number): void => this.memory([0xfd, 0x5c], 2, address, offset);

  /** Replaces one of four floats of a vector by a loaded one. */
  loadLane(address: Value, offset: number, vector: Value, lane: number): void {
    address();
    vector();
    this.emit(0xfd, 0x56, 2, ...unsigned(offset), lane);
  }

  store = (address: Value, offset: number, value: Value): void => this.write([0x36], 2, address, offset, value);
  store8 = (address: Value, offset: number, value: Value): void => this.write([0x3a], 0, address, offset, value);
  store16 = (address: Value, offset: number, value: Value): void => this.write([0x3b], 1, address, offset, value);
  storeFloat = (address: Value, offset: number, value: Value): void => this.write([0x38], 2, address, offset, value);
  storeVector = (address: Value, offset: number, value: Value): void => this.write([0xfd, 0x0b], 4, address, offset, value);

  /** Runs the body until the condition after it fails: at least once. */
  repeat(body: () => void, again: Value): void {
    this.emit(0x03, 0x40);
    body();
    again();
    this.emit(0x0d, 0x00, 0x0b);
  }

  call(index: number, ...values: Value[]): void {
    for (const value of values) value();
    this.emit(0x10, ...unsigned(index));
  }

  /** The body with its locals, as the code section holds it. */
  body(): number[] {
    const declared = this.locals.flatMap((type) => [1, type]);
    const content = [...unsigned(this.locals.length), ...declared, ...this.bytes, 0x0b];
    return [...unsigned(content.length), ...content];
  }

  private memory(opcode: readonly number[], alignment: number, address: Value, offset: number): void {
    address();
    this.emit(...opcode, alignment, ...unsigned(offset));
  }

  private write(opcode: readonly number[], alignment: number, address: Value, offset: number, value: Value): void {
    address();
    value();
    this.emit(...opcode, alignment, ...unsigned(offset));
  }

  private emit(...bytes: number[]): void {
    this.bytes.push(...bytes);
  }
}

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

/** A module whose memory is imported as `env.memory` and whose functions call each other by index. */
export class ModuleWriter {
  private readonly types: number[][] = [];
  private readonly bodies: number[][] = [];
  private readonly exported: number[][] = [];

  /** @returns the function's index */
  define(type: FunctionType, write: (code: Code) => void, exportAs?: string): number {
    const code = new Code(type.parameters.length);
    write(code);
    const index = this.bodies.length;
    this.types.push([0x60, ...vector(type.parameters.map((t) => [t])), ...vector(type.results.map((t) => [t]))]);
    this.bodies.push(code.body());
    if (exportAs !== undefined) this.exported.push([...name(exportAs), 0x00, ...unsigned(index)]);
    return index;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const memory = [...name("env"), ...name("memory"), 0x02, 0x00, 0x01];
    const indices = this.bodies.map((_, index) => unsigned(index));
    const sections: [number, number[]][] = [
      [1, vector(this.types)],
      [2, vector([memory])],
      [3, vector(indices)],
      [7, vector(this.exported)],
      [10, vector(this.bodies)],
    ];
    const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    return Uint8Array.from([...header, ...sections.flatMap(([id, content]) => [id, ...unsigned(content.length), ...content])]);
  }
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): number[] {
  return [...unsigned(text.length), ...new TextEncoder().encode(text)];
}

/** LEB128 of a number from 0 to 2^32 - 1. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}

/** LEB128 of a number of 32 bits with a sign. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f;
    if ((rest >> 6 === 0 && byte < 0x40) || (rest >> 6 === -1 && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}
