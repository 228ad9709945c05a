import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical-json";

/** SHA-256 of a text's UTF-8, lower-case hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** SHA-256 (hex) of a value's canonical JSON: equal for equal values whatever the order of their members. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value));
}
