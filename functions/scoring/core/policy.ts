import type { Model } from "./model";
import type { PolicyBand } from "./policy-document";
import type { AnyProfile } from "./profile";

export interface CompiledRule {
  readonly id: string;
  readonly weight: number;
  /** What a contribution is proportional to: −ln(1−weight) for noisy-or, the weight itself for points. */
  readonly effect: number;
  /** The rule's text with the features' values filled in. */
  describe(features: Float64Array): string;
}

/** A policy that is ready to decide: nothing has to be parsed or looked up by name any more. */
export interface CompiledPolicy {
  readonly version: string;
  readonly profile: AnyProfile;
  readonly model: Model;
  /** In the document's order; bit `i` of a mask stands for rule `i`. */
  readonly rules: readonly CompiledRule[];
  /** Lowest first. */
  readonly bands: readonly PolicyBand[];
  readonly thresholds: Readonly<Record<string, number>>;
  /** Bit mask of the rules that fire. Allocates nothing. */
  evaluate(features: Float64Array): number;
  bandOf(score: number): string;
  /** Whether scores of the band are published as high risk. */
  isAlert(band: string): boolean;
  /** Codes of the rules in a mask, in the document's order, without those with `flag: false`. */
  flagsOf(fired: number): readonly string[];
}
