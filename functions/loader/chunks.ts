/** Splits the objects to load into transactions. */
import { type Compression, compressionOf } from "../shared/ndjson";
import type { CreatedObject } from "./notification";
import { type LoadTarget, targetOf } from "./targets";

export interface Chunk {
  readonly target: LoadTarget;
  /** One for all objects: COPY takes one. */
  readonly compression: Compression;
  readonly objects: readonly CreatedObject[];
}

/** Objects without a target are left out. Sorted by key, so that equal sets give equal chunks. */
export function planChunks(
  objects: readonly CreatedObject[],
  limits: { readonly maxObjects: number; readonly maxBytes: number },
): Chunk[] {
  const chunks: Chunk[] = [];
  const groups = new Map<string, Chunk & { readonly objects: CreatedObject[] }>();
  for (const object of objects) {
    const target = targetOf(object.key);
    if (target === undefined) continue;
    const compression = compressionOf(object.key);
    const group = groups.get(`${target.table} ${compression}`);
    if (group !== undefined) group.objects.push(object);
    else groups.set(`${target.table} ${compression}`, { target, compression, objects: [object] });
  }
  for (const { objects: members, ...kind } of groups.values()) {
    let batch: CreatedObject[] = [];
    let bytes = 0;
    for (const object of members.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))) {
      if (batch.length > 0 && (batch.length >= limits.maxObjects || bytes + object.sizeBytes > limits.maxBytes)) {
        chunks.push({ ...kind, objects: batch });
        batch = [];
        bytes = 0;
      }
      batch.push(object);
      bytes += object.sizeBytes;
    }
    if (batch.length > 0) chunks.push({ ...kind, objects: batch });
  }
  return chunks;
}

/** Two halves, to find the object that makes a load fail; undefined for a single object. */
export function halves(chunk: Chunk): readonly [Chunk, Chunk] | undefined {
  if (chunk.objects.length < 2) return undefined;
  const middle = Math.ceil(chunk.objects.length / 2);
  return [
    { ...chunk, objects: chunk.objects.slice(0, middle) },
    { ...chunk, objects: chunk.objects.slice(middle) },
  ];
}
