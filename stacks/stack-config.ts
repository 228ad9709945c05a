/** The shape of a parsed config. */
import type { PolicyDocument } from "../functions/scoring/core/policy-document";
import type { RateDocument } from "../functions/scoring/core/rates";
import type { EventPattern } from "./event-pattern";
import type { SETTINGS, SettingKey } from "./settings";

type ValueOf<S> = S extends { readonly type: "integer" }
  ? number
  : S extends { readonly type: "boolean" }
    ? boolean
    : S extends { readonly type: "policy" }
      ? PolicyDocument
      : S extends { readonly type: "rates" }
        ? RateDocument
        : S extends { readonly type: "eventPattern" }
          ? EventPattern | undefined
          : S extends { readonly type: "enum"; readonly values: readonly (infer V extends string)[] }
            ? V
            : string;

/** A stack's config as the program reads it: flat keys, typed values, frozen. */
export type StackConfig = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> } & {
  /** `aws:region`. */
  readonly region: string;
};

/** Two settings that are each valid but contradict each other. */
export interface Contradiction {
  readonly key: SettingKey;
  readonly expected: string;
  /** A value that would be accepted. */
  readonly fix: string;
}
