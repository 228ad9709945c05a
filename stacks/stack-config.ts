import type { PolicyOverrides } from "./policies";
import type { SETTINGS, SettingKey } from "./settings";

type ValueOf<S> = S extends { readonly type: "integer" }
  ? number
  : S extends { readonly type: "boolean" }
    ? boolean
    : S extends { readonly type: "policy" }
      ? PolicyOverrides
      : S extends { readonly type: "enum"; readonly values: readonly (infer V extends string)[] }
        ? V
        : string;

/** A stack's config: a value for each setting. */
export type StackConfig = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> } & {
  /** `aws:region`. */
  readonly region: string;
};
