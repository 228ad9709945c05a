import { createHmac, createSecretKey } from "node:crypto";
import type { Classification, JsonSchema } from "../scoring/core/json-schema";

/** Replaces personal values by tokens: the same value gives the same token, and nobody can recover the value without the key. */
export interface Tokeniser {
  /** `tok_` + base64url of the first 16 bytes of HMAC-SHA256. */
  token(value: string): string;
  /** A stored input with its classified fields replaced; other fields are kept. Does not change its argument. */
  protect(input: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/** Remembered tokens: users of the recent past. Ten thousand take about 2 MB. */
const REMEMBERED = 10_000;
const TOKEN_BYTES = 16;

/**
 * `secret` is the text of the token secret, `schema` that of the profile's input (its top level is classified). For profiles without
 * personal fields there is no secret, and asking for a token throws.
 */
export function createTokeniser(secret: string | null, schema: JsonSchema): Tokeniser {
  const key = secret === null ? null : createSecretKey(secret, "utf8");
  const known = new Map<string, string>();
  const classified = classifiedFields(schema);

  const token = (value: string): string => {
    const cachedToken = known.get(value);
    if (cachedToken !== undefined) return cachedToken;
    if (key === null) {
      throw new Error(
        `Schema "${schema.title}" has no personal field, so no token secret was read; classify the field with x-classification.`,
      );
    }
    const made = `tok_${createHmac("sha256", key).update(value).digest().subarray(0, TOKEN_BYTES).toString("base64url")}`;
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value as string);
    known.set(value, made);
    return made;
  };

  const protect = (input: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const output: Record<string, unknown> = { ...input };
    for (const [name, classification] of classified) {
      const value = output[name];
      if (value === undefined || value === null) continue;
      if (classification === "location") output[name] = coarse(value);
      else output[name] = token(typeof value === "string" ? value : JSON.stringify(value));
    }
    return output;
  };

  return { token, protect };
}

/** A location rounded to a tenth of a degree. A value that isn't a number isn't a location and might hold anything, so it is dropped. */
const coarse = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? Math.round(value * 10) / 10 : null;

function classifiedFields(schema: JsonSchema): readonly (readonly [string, Classification])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, { "x-classification": classification }]) =>
    classification === undefined ? [] : [[name, classification] as const],
  );
}
