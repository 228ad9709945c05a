import { hash } from "node:crypto";
import { canonicalJson } from "./canonical-json";

/** SHA-256 of a text's UTF-8, lower-case hex. One call of `hash` takes half the time of a `Hash` object for texts this short. */
export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

/** SHA-256 (hex) of a value's canonical JSON: equal for equal values whatever the order of their members. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value));
}
