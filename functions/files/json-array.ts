/** Cuts the elements out of one JSON array, without holding more than one of them. What an element is, the parser decides. */
import type { Fault, RawRecord, Splitter } from "./records";
import { type FilePlace, START } from "./types";

const [LF, CR, TAB, BLANK] = [0x0a, 0x0d, 0x09, 0x20];
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const NOTHING = Buffer.alloc(0);

const isBlank = (byte: number): boolean => byte === BLANK || byte === LF || byte === CR || byte === TAB;

type State = "before" | "element" | "after" | "broken";

export class JsonArraySplitter implements Splitter {
  private state: State;
  /** Parts of the element so far, from its first byte that isn't blank. */
  private parts: Buffer[] = [];
  private size = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private offset: number;
  private element: number;

  constructor(
    private readonly maxBytes: number,
    from: Pick<FilePlace, "offset" | "line"> = START,
  ) {
    // Inside of the array: the first place that is given out lies after an element.
    this.state = from.line > 0 ? "element" : "before";
    this.offset = from.offset;
    this.element = from.line;
  }

  push(chunk: Uint8Array): RawRecord[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const records: RawRecord[] = [];
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (this.state === "element") {
        if (!this.ends(byte)) continue;
        this.keep(bytes.subarray(start, i));
        const last = byte === CLOSE_ARRAY;
        // A place before the bracket: reading that goes on there finds the end of the array.
        if (!last || this.size > 0) records.push(this.record(this.offset + i + (last ? 0 : 1)));
        if (last) this.state = "after";
        start = i + 1;
      } else if (!isBlank(byte)) {
        if (this.state === "before" && byte === OPEN_ARRAY) {
          this.state = "element";
          start = i + 1;
        } else if (this.state !== "broken") {
          this.state = "broken";
          records.push(this.fault("outside", this.offset + i + 1));
        }
      }
    }
    if (this.state === "element") this.keep(bytes.subarray(start));
    this.offset += bytes.length;
    return records;
  }

  end(): RawRecord[] {
    return this.state === "element" || this.state === "before" ? [this.fault("not_closed", this.offset)] : [];
  }

  /** Whether the byte, which stands outside of strings and brackets, ends the element. */
  private ends(byte: number): boolean {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inString = false;
      return false;
    }
    if (byte === QUOTE) this.inString = true;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.depth++;
    else if (this.depth === 0) return byte === COMMA || byte === CLOSE_ARRAY;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) this.depth--;
    return false;
  }

  private keep(bytes: Buffer): void {
    const from = this.size === 0 ? bytes.findIndex((byte) => !isBlank(byte)) : 0;
    if (from === -1 || from === bytes.length) return;
    this.size += bytes.length - from;
    // The parser cuts blanks off the end; an element that is too large is only counted.
    if (this.size <= this.maxBytes) this.parts.push(bytes.subarray(from));
    else this.parts = [];
  }

  private record(offset: number): RawRecord {
    const fault: Fault | null = this.size > this.maxBytes ? "too_large" : null;
    const [only] = this.parts;
    const bytes = fault !== null || only === undefined ? NOTHING : this.parts.length === 1 ? only : Buffer.concat(this.parts);
    this.parts = [];
    this.size = 0;
    this.element++;
    return { bytes, fault, line: this.element, next: { offset, line: this.element } };
  }

  private fault(fault: Fault, offset: number): RawRecord {
    this.parts = [];
    this.element++;
    return { bytes: NOTHING, fault, line: this.element, next: { offset, line: this.element } };
  }
}
