import { AvroFault } from "./fault";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Nesting of arrays, maps and records in the data; a schema may refer to itself. */
export const MAX_DEPTH = 32;
/** Array and map entries of one datum that take no byte (`null`, an empty record): a count alone must not allocate. */
const MAX_FREE_ENTRIES = 1_024;
/** Bytes of texts that are looked through one by one, and of buffers that are kept as a text as well. */
const SHORT = 128;
const SMALL = 256 * 1024;

/**
 * A cursor over one datum in Avro's binary encoding. Every length is checked against the bytes that are left before anything is
 * allocated. Methods throw {@link AvroFault}.
 */
export class AvroBytes {
  position: number;
  /** A number that a double doesn't hold exactly was read where a number is expected. */
  inexact = false;
  /** A float or double was NaN or infinite, which JSON can't say. */
  notFinite = false;
  private depth = 0;
  private freeEntries = 0;
  /** The buffer, a character each byte. */
  private latin1: string | undefined;

  constructor(
    readonly buffer: Buffer,
    start = 0,
    readonly end = buffer.length,
  ) {
    this.position = start;
  }

  /** For the datum behind the one that was read. */
  next(): void {
    this.inexact = false;
    this.notFinite = false;
    this.freeEntries = 0;
    this.depth = 0;
  }

  get left(): number {
    return this.end - this.position;
  }

  byte(): number {
    if (this.position >= this.end) throw new AvroFault("The data ends too early.");
    return this.buffer[this.position++]!;
  }

  /** Moves on by `length` bytes. @returns where they begin */
  take(length: number): number {
    if (length > this.left) throw new AvroFault("The data ends too early.");
    this.position += length;
    return this.position - length;
  }

  boolean(): boolean {
    const byte = this.byte();
    if (byte > 1) throw new AvroFault("A boolean is neither 0 nor 1.");
    return byte === 1;
  }

  int(): number {
    const value = this.long();
    if (typeof value === "bigint" || value !== (value | 0)) throw new AvroFault("An int takes more than 32 bits.");
    return value;
  }

  /** Zigzag variable-length. A number where it is exact, else a bigint. */
  long(): number | bigint {
    const { buffer, end, position: start } = this;
    let position = start;
    let low = 0;
    let high = 0;
    // Four bytes a half: bit operations are 32 bits wide, and nearly every long takes at most eight bytes.
    for (let shift = 0; shift < 56; shift += 7) {
      if (position >= end) throw new AvroFault("The data ends too early.");
      const byte = buffer[position++]!;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else high |= (byte & 0x7f) << (shift - 28);
      if (byte >= 0x80) continue;
      // At most 53 bits with the sign.
      if (high >= 2 ** 26) break;
      this.position = position;
      const half = high * 2 ** 27 + (low >>> 1);
      return (low & 1) === 0 ? half : -half - 1;
    }
    return this.bigLong();
  }

  private bigLong(): number | bigint {
    let bits = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      if (shift === 63n && byte > 1) throw new AvroFault("A long takes more than 64 bits.");
      bits |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const value = (bits >> 1n) ^ -(bits & 1n);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** A number of bytes that are there. */
  length(): number {
    const value = this.long();
    if (typeof value === "bigint" || value < 0 || value > this.left) throw new AvroFault("A length is longer than the data.");
    return value;
  }

  float(): number {
    return this.finite(this.buffer.readFloatLE(this.take(4)));
  }

  double(): number {
    return this.finite(this.buffer.readDoubleLE(this.take(8)));
  }

  private finite(value: number): number {
    if (!Number.isFinite(value)) this.notFinite = true;
    return value;
  }

  text(): string {
    const length = this.length();
    const start = this.take(length);
    if (this.isAscii(start, length)) {
      // Cut out of one text: a call into Node for each string would cost more than all the rest.
      this.latin1 ??= this.buffer.toString("latin1");
      return this.latin1.slice(start, start + length);
    }
    const text = this.buffer.toString("utf8", start, start + length);
    // Node puts U+FFFD for what isn't UTF-8; only then is it worth telling it from one that was sent.
    return text.includes("\ufffd") ? this.strictText(start, length) : text;
  }

  /** Short and in a small buffer, too. */
  private isAscii(start: number, length: number): boolean {
    const { buffer } = this;
    if (length > SHORT || buffer.length > SMALL) return false;
    for (let index = start; index < start + length; index++) if (buffer[index]! >= 0x80) return false;
    return true;
  }

  private strictText(start: number, length: number): string {
    try {
      return decoder.decode(this.buffer.subarray(start, start + length));
    } catch {
      throw new AvroFault("A string is not UTF-8.");
    }
  }

  /** Entries of the next block of an array or a map; 0 after the last one. */
  blockCount(): number {
    const count = this.long();
    if (typeof count === "bigint") throw new AvroFault("A count is longer than the data.");
    if (count >= 0) return count;
    // A negative count is followed by the block's size, for readers that skip it.
    this.length();
    return -count;
  }

  /** To be called after each entry, with the position before it. */
  entryRead(before: number): void {
    if (this.position === before && ++this.freeEntries > MAX_FREE_ENTRIES) {
      throw new AvroFault("A count is longer than the data.");
    }
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH) throw new AvroFault(`The data is nested more than ${MAX_DEPTH} levels deep.`);
  }

  leave(): void {
    this.depth--;
  }
}
