/** Why each rule of a policy fired or didn't, condition by condition: for people who ask about one decision. */
import { type FeatureDefinition, type FeatureSet, featureText } from "../core/features";
import type { Comparison, Condition, Operator, PolicyDocument, PolicyRule } from "../core/policy-document";
import { constant } from "./program";

/** One comparison with the value that it met. */
export interface ComparisonOutcome {
  readonly kind: "comparison";
  readonly field: string;
  readonly op: Operator;
  /** The feature's value: a number, the name of a category, null when it isn't known. Of a text from an open list, its hash. */
  readonly actual: number | string | null;
  /** What it was compared with. */
  readonly expected: number | string;
  /** Name of the threshold that `expected` comes from. */
  readonly threshold?: string;
  readonly holds: boolean;
  /** True where the rule needs that the comparison does not hold (inside `not`). */
  readonly negated: boolean;
  /**
   * Distance between value and bound of a number whose comparison is not as the rule needs it. 0: it is exactly at a bound that it
   * would have to pass. Absent when it is as needed, and for values without a distance: unknown ones, categories, texts.
   */
  readonly missedBy?: number;
}

/** The outcome of several conditions together. */
export interface GroupOutcome {
  readonly kind: "all" | "any" | "not";
  readonly holds: boolean;
  readonly negated: boolean;
  readonly parts: readonly ConditionOutcome[];
}

export type ConditionOutcome = ComparisonOutcome | GroupOutcome;

export interface RuleOutcome {
  readonly id: string;
  readonly weight: number;
  readonly fired: boolean;
  readonly condition: ConditionOutcome;
}

/** The outcome of every rule for one feature vector, in the document's order. The document has been checked: every name is known. */
export function explainRules(
  { rules, thresholds = {} }: PolicyDocument,
  features: FeatureSet,
  vector: Float64Array,
): readonly RuleOutcome[] {
  const explain = (condition: Condition, negated: boolean): ConditionOutcome => {
    if ("field" in condition) return compared(condition, negated, features, thresholds, vector);
    if ("not" in condition) {
      const part = explain(condition.not, !negated);
      return { kind: "not", holds: !part.holds, negated, parts: [part] };
    }
    const [kind, conditions] = "all" in condition ? (["all", condition.all] as const) : (["any", condition.any] as const);
    const parts = conditions.map((part) => explain(part, negated));
    const holds = kind === "all" ? parts.every((part) => part.holds) : parts.some((part) => part.holds);
    return { kind, holds, negated, parts };
  };
  return rules.map(({ id, weight, when }: PolicyRule): RuleOutcome => {
    const condition = explain(when, false);
    return { id, weight, fired: condition.holds, condition };
  });
}

function compared(
  { field, op, value }: Comparison,
  negated: boolean,
  features: FeatureSet,
  thresholds: Readonly<Record<string, number>>,
  vector: Float64Array,
): ComparisonOutcome {
  const slot = features.slot(field);
  const definition = features.definitions[slot]!;
  const feature = vector[slot]!;
  const bound = constant(value, definition, thresholds);
  const holds = satisfies(op, feature, bound);
  const named = typeof value === "string" && value.startsWith("$");
  const missed = holds === negated && !isListed(definition) && Number.isFinite(feature);
  return {
    kind: "comparison",
    field,
    op,
    actual: actualOf(feature, definition),
    expected: named ? bound : value,
    ...(named ? { threshold: value.slice(1) } : {}),
    holds,
    negated,
    ...(missed ? { missedBy: Math.abs(feature - bound) } : {}),
  };
}

const isListed = ({ categories, open }: FeatureDefinition): boolean => categories !== undefined || open === true;

function actualOf(feature: number, { categories }: FeatureDefinition): number | string | null {
  if (!Number.isFinite(feature)) return null;
  return categories === undefined ? feature : featureText(feature, categories);
}

/** As the compiled program compares: an unknown value satisfies nothing. */
function satisfies(op: Operator, feature: number, bound: number): boolean {
  switch (op) {
    case ">":
      return feature > bound;
    case ">=":
      return feature >= bound;
    case "<":
      return feature < bound;
    case "<=":
      return feature <= bound;
    case "==":
      return feature === bound;
    case "!=":
      return feature < bound || feature > bound;
  }
}
