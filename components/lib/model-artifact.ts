/** A model that ships with the program. */
export interface ShippedModel {
  /** Profile that it scores, `churn`. */
  readonly profile: string;
  /** Name that config and commands use, unique in the profile: `churn-trees-1`. */
  readonly name: string;
  /** File, relative to the project's root. */
  readonly file: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
}

/** Below it lie the models of a profile. */
export const modelPrefix = (profile: string): string => `models/${profile}/`;

/** Key of a model in the bucket. The content decides it, so an object never changes and two uploads of one model are one object. */
export const modelKey = (profile: string, sha256: string): string => `${modelPrefix(profile)}${sha256}.rsm`;
