/**
 * The subset of CBOR (RFC 8949) that Smithy's RPC v2 protocol uses: integers, floats, strings, byte strings, arrays,
 * maps, booleans, null and tag 1 (epoch seconds). Indefinite lengths are accepted, never produced.
 */
import { AwsError } from "../contracts";

/** An instant; encoded as tag 1 so that clients parse it as a timestamp. */
export class EpochSeconds {
  constructor(readonly seconds: number) {}
}

const BREAK = Symbol("break");

/** Decodes one item. Byte strings become base64 and instants epoch seconds, as in the JSON protocols. */
export function decodeCbor(bytes: Buffer): unknown {
  const reader = new CborReader(bytes);
  const value = reader.item();
  if (value === BREAK || !reader.atEnd()) throw malformed("one complete item");
  return value;
}

function malformed(expected: string): AwsError {
  return new AwsError("SerializationException", `The request body is not valid CBOR: expected ${expected}.`, 400);
}

class CborReader {
  private offset = 0;
  private depth = 0;

  constructor(private readonly bytes: Buffer) {}

  atEnd(): boolean {
    return this.offset === this.bytes.length;
  }

  item(): unknown {
    const initial = this.take(1).readUInt8();
    const major = initial >> 5;
    const info = initial & 31;
    if (major === 7) return this.simple(info);
    if (info === 31) return this.indefinite(major);
    const argument = this.argument(info);
    if (major === 0) return argument;
    if (major === 1) return -1 - argument;
    if (major === 2) return this.take(argument).toString("base64");
    if (major === 3) return this.take(argument).toString("utf8");
    if (major === 6) return this.item();
    return this.nested(() => (major === 4 ? this.array(argument) : this.map(argument)));
  }

  private take(length: number): Buffer {
    const end = this.offset + length;
    if (end > this.bytes.length) throw malformed(`${length} more bytes at offset ${this.offset}`);
    const slice = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return slice;
  }

  private argument(info: number): number {
    if (info < 24) return info;
    if (info === 24) return this.take(1).readUInt8();
    if (info === 25) return this.take(2).readUInt16BE();
    if (info === 26) return this.take(4).readUInt32BE();
    if (info === 27) return Number(this.take(8).readBigUInt64BE());
    throw malformed(`a length, got additional information ${info}`);
  }

  /** Bounded, so that a hostile body cannot exhaust the stack. */
  private nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > 64) throw malformed("at most 64 nested levels");
    const value = read();
    this.depth -= 1;
    return value;
  }

  private array(length: number): unknown[] {
    const items: unknown[] = [];
    for (let index = 0; index < length; index += 1) items.push(this.item());
    return items;
  }

  private map(length: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (let index = 0; index < length; index += 1) entries.push([String(this.item()), this.item()]);
    return Object.fromEntries(entries);
  }

  private indefinite(major: number): unknown {
    return this.nested(() => {
      const items: unknown[] = [];
      for (let next = this.item(); next !== BREAK; next = this.item()) items.push(next);
      if (major === 4) return items;
      if (major === 3) return items.join("");
      if (major === 2) return Buffer.concat(items.map((part) => Buffer.from(String(part), "base64"))).toString("base64");
      if (major !== 5 || items.length % 2 !== 0) throw malformed("pairs in a map");
      const entries: [string, unknown][] = [];
      for (let index = 0; index < items.length; index += 2) entries.push([String(items[index]), items[index + 1]]);
      return Object.fromEntries(entries);
    });
  }

  private simple(info: number): unknown {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22 || info === 23) return null;
    if (info === 25) return halfFloat(this.take(2).readUInt16BE());
    if (info === 26) return this.take(4).readFloatBE();
    if (info === 27) return this.take(8).readDoubleBE();
    if (info === 31) return BREAK;
    throw malformed(`a known simple value, got ${info}`);
  }
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Encodes JSON-like values and {@link EpochSeconds}. */
export function encodeCbor(value: unknown): Buffer {
  const parts: Buffer[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: unknown, parts: Buffer[]): void {
  if (value === null || value === undefined) parts.push(Buffer.from([0xf6]));
  else if (typeof value === "boolean") parts.push(Buffer.from([value ? 0xf5 : 0xf4]));
  else if (typeof value === "number") writeNumber(value, parts);
  else if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8");
    parts.push(head(3, bytes.length), bytes);
  } else if (value instanceof EpochSeconds) {
    parts.push(Buffer.from([0xc1]));
    writeNumber(value.seconds, parts);
  } else if (Array.isArray(value)) {
    parts.push(head(4, value.length));
    for (const item of value) write(item, parts);
  } else {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    parts.push(head(5, entries.length));
    for (const [key, item] of entries) {
      write(key, parts);
      write(item, parts);
    }
  }
}

function writeNumber(value: number, parts: Buffer[]): void {
  if (Number.isSafeInteger(value)) {
    parts.push(value >= 0 ? head(0, value) : head(1, -1 - value));
    return;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xfb;
  bytes.writeDoubleBE(value, 1);
  parts.push(bytes);
}

function head(major: number, argument: number): Buffer {
  const type = major << 5;
  if (argument < 24) return Buffer.from([type | argument]);
  if (argument < 0x100) return Buffer.from([type | 24, argument]);
  if (argument < 0x10000) return Buffer.from([type | 25, argument >> 8, argument & 0xff]);
  const bytes = Buffer.alloc(argument < 0x100000000 ? 5 : 9);
  bytes[0] = type | (bytes.length === 5 ? 26 : 27);
  if (bytes.length === 5) bytes.writeUInt32BE(argument, 1);
  else bytes.writeBigUInt64BE(BigInt(argument), 1);
  return bytes;
}
