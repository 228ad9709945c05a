/** Secrets Manager's password generator. */
import { randomInt } from "node:crypto";
import { AwsError } from "../contracts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

export interface PasswordRules {
  /** 1 to 4096 characters. */
  readonly length: number;
  readonly excludePunctuation: boolean;
  readonly excludeCharacters: string;
}

/** At least one character of every allowed kind, as AWS does by default. Throws InvalidParameterException. */
export function randomPassword(rules: PasswordRules): string {
  const kinds = [LOWER, LOWER.toUpperCase(), DIGITS, ...(rules.excludePunctuation ? [] : [PUNCTUATION])]
    .map((kind) => [...kind].filter((character) => !rules.excludeCharacters.includes(character)))
    .filter((kind) => kind.length > 0);
  if (!Number.isInteger(rules.length) || rules.length < kinds.length || rules.length > 4096 || kinds.length === 0)
    throw new AwsError(
      "InvalidParameterException",
      `PasswordLength must be a whole number from ${kinds.length} to 4096, got ${rules.length}.`,
    );
  const all = kinds.flat();
  const characters = [...kinds, ...Array.from({ length: rules.length - kinds.length }, () => all)].map(
    (kind) => kind[randomInt(kind.length)] ?? "",
  );
  for (let index = characters.length - 1; index > 0; index -= 1) {
    const other = randomInt(index + 1);
    [characters[index], characters[other]] = [characters[other] ?? "", characters[index] ?? ""];
  }
  return characters.join("");
}
