/** The kinds of settings of a stack, and how each is declared. */

/** A default of `undefined` makes the setting required. */
export type Setting =
  | {
      readonly type: "string";
      readonly pattern: RegExp;
      readonly expected: string;
      readonly default?: string;
      readonly example: string;
      readonly description: string;
    }
  | {
      readonly type: "enum";
      readonly values: readonly string[];
      readonly default?: string;
      readonly example: string;
      readonly description: string;
    }
  | {
      readonly type: "integer";
      readonly minimum: number;
      readonly maximum: number;
      readonly multipleOf?: number;
      readonly default?: number;
      readonly example: string;
      readonly description: string;
    }
  | { readonly type: "boolean"; readonly default?: boolean; readonly example: string; readonly description: string }
  /** Overrides of a policy document; absent means none. */
  | { readonly type: "policy"; readonly profile: "lead" | "churn" | "fraud" | "device"; readonly description: string }
  /** A table of exchange rates; absent means the default one. */
  | { readonly type: "rates"; readonly description: string }
  /** An EventBridge pattern; absent means the component's own. */
  | { readonly type: "eventPattern"; readonly description: string };

export const text = (pattern: RegExp, expected: string, example: string, description: string, fallback?: string) =>
  ({
    type: "string",
    pattern,
    expected,
    example,
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  }) as const;

export const integer = (minimum: number, maximum: number, description: string, fallback?: number) =>
  ({
    type: "integer",
    minimum,
    maximum,
    example: String(fallback ?? minimum),
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  }) as const;

export const flag = (description: string, fallback?: boolean) =>
  ({
    type: "boolean",
    example: String(fallback ?? true),
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  }) as const;

export const choice = <const V extends string>(values: readonly V[], description: string, fallback?: V) =>
  ({
    type: "enum",
    values,
    example: fallback ?? values[0] ?? "",
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
  }) as const;
