import { readNotification } from "../loader/notification";
import { isObject } from "../scoring/core/json";
import type { IncomingFile } from "./types";

/** The rest of a file, as a message of the queue. */
export const continuationText = (file: IncomingFile): string => JSON.stringify({ continue: file });

/**
 * The files that a message names; none for S3's test message.
 * @throws Error when the message is neither a notification nor the rest of a file: it goes to the dead letters
 */
export function readMessage(body: string): readonly IncomingFile[] {
  const rest = continuationOf(body);
  if (rest !== null) return [rest];
  const notification = readNotification(body);
  if (notification.kind === "unreadable") throw new Error(`The message can't be read: ${notification.problem}.`);
  if (notification.kind === "test") return [];
  return notification.objects.map(({ key, etag, version = null }) => ({ key, etag, version }));
}

function continuationOf(body: string): IncomingFile | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  const file = isObject(value) ? value.continue : undefined;
  if (!isObject(file) || typeof file.key !== "string" || typeof file.etag !== "string") return null;
  return { key: file.key, etag: file.etag, version: typeof file.version === "string" ? file.version : null };
}
