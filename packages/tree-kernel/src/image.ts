/**
 * The image: a compiled model as it is stored and loaded. 48 bytes of header (magic, length of the description, total length,
 * SHA-256 of all but itself), a JSON description, then sections of binary data, aligned to 16 bytes and little-endian. Loading
 * checks the hash and looks at the sections where they lie; nothing is parsed tree by tree, and the kernels' code comes along.
 */
import { createHash } from "node:crypto";
import type { Feature } from "./ensemble";
import { ModelFileError, refuse } from "./errors";

/** Trees are walked eight at a time. */
export const GROUP = 8;

/** Consecutive groups of trees of one output that are walked alike. */
export interface Run {
  readonly output: number;
  readonly depth: number;
  readonly groups: number;
}

export interface ImageDescription {
  readonly format: 2;
  /** `xgboost 3.2.0`. */
  readonly source: string;
  readonly objective: string;
  /** Margin of each output before any tree. */
  readonly baseMargins: readonly number[];
  readonly features: readonly Feature[];
  /** JSON that tells how raw values become these features. It travels with the model; nothing here reads it. */
  readonly featureSpec?: unknown;
  readonly trees: number;
  /** Nodes of the trees, leaves included, padding excluded. */
  readonly nodes: number;
  readonly depth: number;
  /**
   * `perfect`: each tree is a heap of its group's depth, a node is one number (rank above slot). `pointer`: a node is four words
   * (slot, rank, offset of its left child, value).
   */
  readonly layout: "perfect" | "pointer";
  /**
   * Bytes of a node. 2: an 8-bit rank above the slot's number; 4: a 16-bit rank above the slot's byte offset; 16: the pointer
   * layout's.
   */
  readonly nodeBytes: 2 | 4 | 16;
  /** Bits of a rank: 8 when no feature has more than 255 thresholds, 16, or 32 in the pointer layout. */
  readonly rankBits: 8 | 16 | 32;
  /** Numeric columns as quads of equal search depth. */
  readonly quads: readonly { readonly bits: number; readonly count: number }[];
  readonly numericColumns: number;
  readonly setColumns: number;
  readonly runs: readonly Run[];
  /** Where the kernels' code expects everything. */
  readonly memory: MemoryMap;
  readonly sections: Readonly<Record<SectionName, readonly [offset: number, length: number]>>;
}

/** What the kernels' code depends on. */
export type KernelInput = Omit<ImageDescription, "memory" | "sections">;

/** Places in the kernels' memory, in bytes. */
export interface MemoryMap {
  /** Rows of a block, float32, one after the other. */
  readonly rows: number;
  /** Slots of a single row: one i32 every 16 bytes. */
  readonly slots: number;
  /** Slots of a block: areas with a vector a slot, each for 16 rows (8-bit ranks) or 8 rows (16-bit ranks). */
  readonly vectors: readonly number[];
  /** Index of the leaf that each row of a block fell into. */
  readonly leaves: number;
  /** 0, 2, 4, … each in a vector of 16 bytes: the first leaf below each node of the lowest level. */
  readonly evens: number;
  /** Margins: outputs of a row, or per output the rows of a block. */
  readonly margins: number;
  /** Sections of the image that the kernels read. */
  readonly sections: Readonly<Record<keyof ModelSections, number>>;
  readonly bytes: number;
}

export type SectionName = keyof Sections;

/** What a kernel reads to predict. */
export interface ModelSections {
  /** Feature of each column. */
  readonly columnFeatures: Uint32Array;
  /** 2^bits numbers per numeric column: its thresholds, then NaN, which no value reaches. */
  readonly thresholds: Float32Array;
  /** Per set column: offset of its bits in `setBits` and their number. */
  readonly setDirectory: Uint32Array;
  readonly setBits: Uint8Array;
  /** Perfect trees with nodes of 2 bytes: 2^depth numbers a tree, a 1-based heap. Else empty. */
  readonly shortNodes: Int16Array;
  /** The same with nodes of 4 bytes, or the nodes of the pointer layout. */
  readonly nodes: Int32Array;
  /** Perfect trees: 2^depth values a tree. The pointer layout has them in its nodes. */
  readonly leaves: Float32Array;
  /** Pointer layout: per group its depth and the offsets of its eight roots in `nodes`. */
  readonly roots: Uint32Array;
}

export interface Sections extends ModelSections {
  /** WebAssembly modules of the kernels for one row and for a block of rows; the latter is empty in the pointer layout. */
  readonly singleCode: Uint8Array<ArrayBuffer>;
  readonly batchCode: Uint8Array<ArrayBuffer>;
  /** Cover of each leaf (perfect) or node (pointer). Only explanations read it. Empty when `shortCover` has it. */
  readonly cover: Float32Array;
  /** The same when every cover is a count that fits, as those of a squared error: half the bytes to read, check and keep. */
  readonly shortCover: Uint16Array;
}

export interface Image {
  readonly description: ImageDescription;
  readonly sections: Sections;
  /** SHA-256 of the content, hexadecimal: the model's identity. */
  readonly hash: string;
}

const MAGIC = "RSTREES1";
const HASH_AT = 16;
const HEADER_BYTES = 48;
const SECTION_TYPES = {
  columnFeatures: Uint32Array,
  thresholds: Float32Array,
  setDirectory: Uint32Array,
  setBits: Uint8Array,
  shortNodes: Int16Array,
  nodes: Int32Array,
  leaves: Float32Array,
  roots: Uint32Array,
  singleCode: Uint8Array,
  batchCode: Uint8Array,
  cover: Float32Array,
  shortCover: Uint16Array,
} as const;

/** The sections that go into the kernels' memory, in its order. */
export const MODEL_SECTIONS = [
  "columnFeatures",
  "thresholds",
  "setDirectory",
  "setBits",
  "shortNodes",
  "nodes",
  "leaves",
  "roots",
] as const;

const SECTION_NAMES: readonly SectionName[] = [...MODEL_SECTIONS, "singleCode", "batchCode", "cover", "shortCover"];

/** Bytes of an image. The same model always gives the same bytes. */
export function encodeImage(description: Omit<ImageDescription, "sections">, sections: Sections): Uint8Array {
  let length = 0;
  const places: Partial<Record<SectionName, readonly [number, number]>> = {};
  for (const name of SECTION_NAMES) {
    places[name] = [length, sections[name].byteLength];
    length = align(length + sections[name].byteLength);
  }
  const text = new TextEncoder().encode(JSON.stringify({ ...description, sections: places }));
  const dataStart = align(HEADER_BYTES + text.length);
  const bytes = new Uint8Array(dataStart + length);
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, text.length, true);
  view.setUint32(12, bytes.length, true);
  bytes.set(text, HEADER_BYTES);
  for (const name of SECTION_NAMES) {
    const { buffer, byteOffset, byteLength } = sections[name];
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), dataStart + places[name]![0]);
  }
  bytes.set(digestOf(bytes), HASH_AT);
  return bytes;
}

/** Checks and opens an image. Throws `ModelFileError` when it is truncated, damaged or of another format. */
export function openImage(bytes: Uint8Array): Image {
  if (bytes.length < HEADER_BYTES || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) {
    refuse(`The file is no compiled model: it does not start with ${MAGIC}. Compile one with: npm run model -- compile FILE`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textLength = view.getUint32(8, true);
  const total = view.getUint32(12, true);
  if (total !== bytes.length)
    refuse(`The compiled model has ${bytes.length} bytes where ${total} were expected: it is truncated; copy it again.`);
  const digest = digestOf(bytes);
  if (!digest.equals(bytes.subarray(HASH_AT, HEADER_BYTES))) {
    refuse(`The compiled model's content does not match its hash: it is damaged; copy or compile it again.`);
  }
  const description = parseDescription(bytes.subarray(HEADER_BYTES, HEADER_BYTES + textLength));
  // Views need their alignment; a buffer cut from a larger one may not have it.
  const aligned = bytes.byteOffset % 16 === 0 ? bytes : bytes.slice();
  const start = aligned.byteOffset + align(HEADER_BYTES + textLength);
  const section = <Name extends SectionName>(name: Name): Sections[Name] => {
    const [offset, length] = description.sections[name];
    const type = SECTION_TYPES[name];
    // The table above pairs each name with its own array type, which the compiler cannot follow through an index.
    return new type(aligned.buffer as ArrayBuffer, start + offset, length / type.BYTES_PER_ELEMENT) as Sections[Name];
  };
  return {
    description,
    hash: digest.toString("hex"),
    sections: {
      columnFeatures: section("columnFeatures"),
      thresholds: section("thresholds"),
      setDirectory: section("setDirectory"),
      setBits: section("setBits"),
      shortNodes: section("shortNodes"),
      nodes: section("nodes"),
      leaves: section("leaves"),
      roots: section("roots"),
      singleCode: section("singleCode"),
      batchCode: section("batchCode"),
      cover: section("cover"),
      shortCover: section("shortCover"),
    },
  };
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes.subarray(0, HASH_AT)).update(bytes.subarray(HEADER_BYTES)).digest();
}

/** The hash has been checked, so a description that parses was written by {@link encodeImage}. */
function parseDescription(bytes: Uint8Array): ImageDescription {
  const description: ImageDescription = JSON.parse(new TextDecoder().decode(bytes));
  if (description.format !== 2) {
    throw new ModelFileError(
      `The compiled model has format ${description.format}; this version reads format 2. Compile the model again.`,
    );
  }
  return description;
}

export function align(offset: number): number {
  return (offset + 15) & ~15;
}

/** What is added to a rank before it is stored: 8-bit ranks are compared as signed bytes. */
export function rankBias(description: Pick<ImageDescription, "rankBits">): number {
  return description.rankBits === 8 ? -128 : 0;
}

/** The rank in the right slot of a missing value: above every threshold. */
export function missingRight(description: Pick<ImageDescription, "rankBits">): number {
  return 2 ** (description.rankBits - 1) - 1;
}

/** Bits that a node's slot takes below its rank. */
export function rankShift({ nodeBytes }: Pick<ImageDescription, "nodeBytes">): 0 | 8 | 16 {
  return nodeBytes === 16 ? 0 : nodeBytes === 4 ? 16 : 8;
}
