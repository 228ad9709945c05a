/**
 * Universal Binary JSON (https://ubjson.org, draft 12), the format of XGBoost's `.ubj` files: the whole of JSON plus arrays with
 * a fixed type and count. Typed arrays of numbers come back as typed arrays, everything else as plain values.
 */
import { refuse } from "./errors";

export type UbjValue = null | boolean | number | string | ArrayLike<UbjValue> | { readonly [key: string]: UbjValue };

/** Deeper than any model file; stops a hostile file before it exhausts the stack. */
const MAX_DEPTH = 64;

const SIZES: Readonly<Record<string, number>> = { i: 1, U: 1, I: 2, u: 2, l: 4, m: 4, L: 8, M: 8, d: 4, D: 8 };

/** Decodes one UBJSON value that fills `bytes`. Throws `ModelFileError` with the byte offset of the first fault. */
export function parseUbj(bytes: Uint8Array): UbjValue {
  const reader = new Reader(bytes);
  const value = reader.value(reader.marker("a value"), 0);
  reader.end();
  return value;
}

class Reader {
  private readonly view: DataView;
  private readonly text = new TextDecoder("utf-8", { fatal: true });
  private offset = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end(): void {
    while (this.offset < this.bytes.length && this.peek() === "N") this.offset++;
    if (this.offset < this.bytes.length) {
      refuse(
        `UBJSON ends at byte ${this.offset}, but the file has ${this.bytes.length} bytes: it holds something else after the model.`,
      );
    }
  }

  marker(expected: string): string {
    do this.need(1, expected);
    while (this.bytes[this.offset++] === NO_OP);
    return String.fromCharCode(this.bytes[this.offset - 1]!);
  }

  value(marker: string, depth: number): UbjValue {
    if (depth > MAX_DEPTH)
      refuse(`UBJSON nests deeper than ${MAX_DEPTH} levels at byte ${this.offset}: this is not a model file.`);
    switch (marker) {
      case "Z":
        return null;
      case "T":
        return true;
      case "F":
        return false;
      case "S":
      case "H":
        return this.string();
      case "C":
        return String.fromCharCode(this.number("U"));
      case "[":
        return this.array(depth);
      case "{":
        return this.object(depth);
      default:
        return this.number(marker);
    }
  }

  private array(depth: number): UbjValue {
    const { type, count } = this.container("]");
    if (type !== null && count !== null && SIZES[type] !== undefined) return this.numbers(type, count);
    const items: UbjValue[] = [];
    if (count === null) {
      for (let marker = this.marker("an array item or ]"); marker !== "]"; marker = this.marker("an array item or ]")) {
        items.push(this.value(marker, depth + 1));
      }
    } else {
      for (let index = 0; index < count; index++) items.push(this.value(type ?? this.marker("an array item"), depth + 1));
    }
    return items;
  }

  private object(depth: number): UbjValue {
    const { type, count } = this.container("}");
    const entries: [string, UbjValue][] = [];
    for (let index = 0; count === null || index < count; index++) {
      if (count === null) {
        this.need(1, "a key or }");
        if (this.peek() === "}") {
          this.offset++;
          break;
        }
      }
      const key = this.string();
      entries.push([key, this.value(type ?? this.marker(`the value of "${key}"`), depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  /** The optional `$type` and `#count` after an opening bracket. */
  private container(closing: string): { type: string | null; count: number | null } {
    this.need(1, `a container's content or ${closing}`);
    let type: string | null = null;
    if (this.peek() === "$") {
      this.offset++;
      type = this.marker("an element type");
      this.need(1, "# and a count");
      if (this.peek() !== "#") refuse(`UBJSON has an element type without a count at byte ${this.offset}: the file is damaged.`);
    }
    if (this.peek() !== "#") return { type, count: null };
    this.offset++;
    const count = this.length("a count");
    // Every element but a typed null takes at least a byte, so a count beyond the file is damage, not a huge array.
    if (count > this.bytes.length - this.offset) this.need(count, `${count} elements`);
    return { type, count };
  }

  private numbers(type: string, count: number): ArrayLike<number> {
    const start = this.offset;
    this.need(SIZES[type]! * count, `${count} numbers of type ${type}`);
    this.offset += SIZES[type]! * count;
    const { view } = this;
    switch (type) {
      case "d":
        return Float32Array.from({ length: count }, (_, index) => view.getFloat32(start + 4 * index));
      case "l":
        return Int32Array.from({ length: count }, (_, index) => view.getInt32(start + 4 * index));
      case "U":
        return this.bytes.slice(start, start + count);
      default:
        this.offset = start;
        return Float64Array.from({ length: count }, () => this.number(type));
    }
  }

  private number(type: string): number {
    const size = SIZES[type];
    if (size === undefined) {
      refuse(
        `UBJSON has the unknown type ${JSON.stringify(type)} at byte ${this.offset - 1}: the file is damaged or not a model file.`,
      );
    }
    this.need(size, `a number of type ${type}`);
    const at = this.offset;
    this.offset += size;
    switch (type) {
      case "i":
        return this.view.getInt8(at);
      case "U":
        return this.view.getUint8(at);
      case "I":
        return this.view.getInt16(at);
      case "u":
        return this.view.getUint16(at);
      case "l":
        return this.view.getInt32(at);
      case "m":
        return this.view.getUint32(at);
      case "L":
        return this.integer(this.view.getBigInt64(at), at);
      case "M":
        return this.integer(this.view.getBigUint64(at), at);
      case "d":
        return this.view.getFloat32(at);
      default:
        return this.view.getFloat64(at);
    }
  }

  private integer(value: bigint, at: number): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      refuse(`UBJSON has the integer ${value} at byte ${at}, beyond what any model needs: the file is damaged.`);
    return number;
  }

  private length(what: string): number {
    const at = this.offset;
    const length = this.number(this.marker(what));
    if (length < 0 || !Number.isInteger(length)) refuse(`UBJSON has ${length} for ${what} at byte ${at}: the file is damaged.`);
    return length;
  }

  private string(): string {
    const length = this.length("a string's length");
    this.need(length, `a string of ${length} bytes`);
    const at = this.offset;
    this.offset += length;
    try {
      return this.text.decode(this.bytes.subarray(at, this.offset));
    } catch {
      return refuse(`UBJSON has a string that is not UTF-8 at byte ${at}: the file is damaged.`);
    }
  }

  private peek(): string {
    return String.fromCharCode(this.bytes[this.offset] ?? 0);
  }

  private need(size: number, what: string): void {
    if (this.offset + size > this.bytes.length) {
      refuse(
        `UBJSON ends at byte ${this.bytes.length} where ${what} should stand (byte ${this.offset}): the file is truncated; copy or save it again.`,
      );
    }
  }
}

const NO_OP = "N".charCodeAt(0);
