/** Splits the objects to load into transactions. */
import type { CreatedObject } from "./notification";
import { type LoadTarget, targetOf } from "./targets";

export interface Chunk {
  readonly target: LoadTarget;
  readonly objects: readonly CreatedObject[];
}

/** Objects without a target are left out. Sorted by key, so that equal sets give equal chunks. */
export function planChunks(
  objects: readonly CreatedObject[],
  limits: { readonly maxObjects: number; readonly maxBytes: number },
): Chunk[] {
  const chunks: Chunk[] = [];
  const byTarget = new Map<LoadTarget, CreatedObject[]>();
  for (const object of objects) {
    const target = targetOf(object.key);
    if (target !== undefined) addTo(byTarget, target, object);
  }
  for (const [target, members] of byTarget) {
    let batch: CreatedObject[] = [];
    let bytes = 0;
    for (const object of members.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))) {
      if (batch.length > 0 && (batch.length >= limits.maxObjects || bytes + object.sizeBytes > limits.maxBytes)) {
        chunks.push({ target, objects: batch });
        batch = [];
        bytes = 0;
      }
      batch.push(object);
      bytes += object.sizeBytes;
    }
    if (batch.length > 0) chunks.push({ target, objects: batch });
  }
  return chunks;
}

/** Two halves, to find the object that makes a load fail; undefined for a single object. */
export function halves(chunk: Chunk): readonly [Chunk, Chunk] | undefined {
  if (chunk.objects.length < 2) return undefined;
  const middle = Math.ceil(chunk.objects.length / 2);
  return [
    { target: chunk.target, objects: chunk.objects.slice(0, middle) },
    { target: chunk.target, objects: chunk.objects.slice(middle) },
  ];
}

function addTo(groups: Map<LoadTarget, CreatedObject[]>, target: LoadTarget, object: CreatedObject): void {
  const group = groups.get(target);
  if (group === undefined) groups.set(target, [object]);
  else group.push(object);
}
