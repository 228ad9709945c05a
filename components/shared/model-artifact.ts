export { modelKey, modelPrefix } from "../../functions/scoring/models/artifact-key";

/** A model that ships with the program. */
export interface ShippedModel {
  /** Profile that it scores, such as `churn`. */
  readonly profile: string;
  /** Name in config and commands, unique in the profile: `churn-trees-1`. */
  readonly name: string;
  /** File, relative to the project's root. */
  readonly file: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
}
