/**
 * What an archive key stands for. An event may only move from one key to another when nobody can write the first one any more, or it
 * would be in two objects: an invocation that was given up, or one in another shard, may still be on its way to write. S3 decides who comes
 * first, because every object is written with `If-None-Match: *`: whoever moves events closes their key with an object without lines.
 */
import { EMPTY_LINES } from "../shared/ndjson";
import type { ObjectStore } from "../shared/object-store";
import { alternativeKey } from "./batch-key";

/** `free`: not written yet. `archived`: holds its events. `closed`: holds no event, now and for good. */
export type KeyState = "free" | "closed" | "archived";

export async function keyState(key: string, objects: ObjectStore): Promise<KeyState> {
  const size = await objects.size(key);
  if (size === null) return "free";
  return size > EMPTY_LINES.length ? "archived" : "closed";
}

/** Closes a key unless it is archived. */
export async function closeKey(key: string, objects: ObjectStore): Promise<Exclude<KeyState, "free">> {
  if ((await objects.putIfAbsent(key, EMPTY_LINES)) === "created") return "closed";
  return (await keyState(key, objects)) === "archived" ? "archived" : "closed";
}

export async function freeKey(key: string, objects: ObjectStore): Promise<string> {
  let candidate = key;
  for (let number = 2; (await keyState(candidate, objects)) !== "free"; number++) candidate = alternativeKey(key, number);
  return candidate;
}

/** Another delivery has an event of the object in hand; the next delivery finds out what became of it. */
export class InOtherHandsError extends Error {
  readonly code = "in_other_hands";

  constructor(key: string) {
    super(`Another delivery is archiving events of ${key}; the next delivery finds out which.`);
    this.name = "InOtherHandsError";
  }
}
