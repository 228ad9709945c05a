import { hash } from "node:crypto";
import { canonicalJson } from "./canonical-json";

/** SHA-256 of a text's UTF-8, lower-case hex. For texts this short, one call of `hash` takes half as long as a `Hash` object. */
export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

/** SHA-256 (hex) of a value's canonical JSON: equal values have equal hashes, whatever the order of their members. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value));
}
