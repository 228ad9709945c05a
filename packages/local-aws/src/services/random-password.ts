/** Secrets Manager's password generator. */
import { randomInt } from "node:crypto";
import { AwsError } from "../contracts";

const KINDS = ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"];
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/** At least one character of every kind, as AWS does by default. Throws InvalidParameterException. */
export function randomPassword(length: number, excludePunctuation: boolean): string {
  const kinds = excludePunctuation ? KINDS : [...KINDS, PUNCTUATION];
  if (!Number.isInteger(length) || length < kinds.length || length > 4096)
    throw new AwsError(
      "InvalidParameterException",
      `PasswordLength must be a whole number from ${kinds.length} to 4096, got ${length}.`,
    );
  const characters = kinds.join("");
  for (;;) {
    const password = Array.from({ length }, () => characters[randomInt(characters.length)]);
    if (kinds.every((kind) => password.some((character) => kind.includes(character ?? "")))) return password.join("");
  }
}
