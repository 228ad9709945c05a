/** Where everything lies in a kernel's memory. Places are fixed per model, so they are constants in the emitted code. */
import { slotOf } from "../columns";
import { type ImageDescription, type KernelInput, type MemoryMap, MODEL_SECTIONS, type ModelSections } from "../image";

/**
 * Rows of a batch block: three SIMD vectors of bytes, so that a node's slot and rank are fetched once for all. Two cost an eighth more a
 * row, four gain nothing. It is part of the image: another number is another format.
 */
export const BLOCK = 48;

const VECTOR_BYTES = 16;
/** Nodes on the lowest level of the deepest perfect tree. */
const MAX_LOWEST_NODES = 128;
const PAGE_BYTES = 65536;
/** Everything starts a cache line, so that a tree of depth 6 lies in as few as it can. */
const CACHE_LINE = 64;

/** Rows whose ranks fit into one vector. */
export function lanesOf({ rankBits }: Pick<ImageDescription, "rankBits">): number {
  return rankBits === 8 ? 16 : 8;
}

export function memoryMap(description: KernelInput, sections: ModelSections): MemoryMap {
  let end = 0;
  const reserve = (bytes: number): number => {
    const start = end;
    end = Math.ceil((end + bytes) / CACHE_LINE) * CACHE_LINE;
    return start;
  };
  const slotBytes = slotOf(description.numericColumns + description.setColumns, true);
  const areas = description.layout === "perfect" ? BLOCK / lanesOf(description) : 0;
  return {
    rows: reserve(4 * BLOCK * Math.max(1, description.features.length)),
    slots: reserve(slotBytes),
    vectors: Array.from({ length: areas }, () => reserve(slotBytes)),
    leaves: reserve(BLOCK),
    evens: reserve(VECTOR_BYTES * MAX_LOWEST_NODES),
    margins: reserve(4 * BLOCK * description.baseMargins.length),
    sections: {
      columnFeatures: reserve(sections.columnFeatures.byteLength),
      thresholds: reserve(sections.thresholds.byteLength),
      setDirectory: reserve(sections.setDirectory.byteLength),
      setBits: reserve(sections.setBits.byteLength),
      shortNodes: reserve(sections.shortNodes.byteLength),
      nodes: reserve(sections.nodes.byteLength),
      leaves: reserve(sections.leaves.byteLength),
      roots: reserve(sections.roots.byteLength),
    },
    bytes: end,
  };
}

/** A memory with the model's sections and the constants in place. */
export function fillMemory(map: MemoryMap, sections: ModelSections): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(map.bytes / PAGE_BYTES) });
  const bytes = new Uint8Array(memory.buffer);
  for (const name of MODEL_SECTIONS) {
    const { buffer, byteOffset, byteLength } = sections[name];
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), map.sections[name]);
  }
  for (let node = 0; node < MAX_LOWEST_NODES; node++)
    bytes.fill(2 * node, map.evens + VECTOR_BYTES * node, map.evens + VECTOR_BYTES * (node + 1));
  return memory;
}
