import type { FeatureDefinition, FeatureSet } from "../core/features";
import type { Condition, Operator } from "../core/policy-document";
import { NO_RULES, withRule } from "../core/rule-mask";
import { textHash } from "../core/text-hash";

/**
 * Conditions become one branching program over typed arrays: instruction `i` compares `features[field[i]]` with
 * `value[i]` and continues at `onTrue[i]` or `onFalse[i]`. Measured with ten rules: 0.07 µs; nested closures take 0.15 µs, since their
 * calls stop being inlined after the fourth shape. Generated source takes 0.02 µs, but then whoever may write the policy parameter
 * would be one escaping mistake away from running code.
 */
const OPERATORS: Readonly<Record<Operator, number>> = { ">": 0, ">=": 1, "<": 2, "<=": 3, "==": 4, "!=": 5 };

/** Targets of a rule's last jump. */
const FIRED = -1;
const NOT_FIRED = -2;

interface Instruction {
  readonly operator: number;
  readonly slot: number;
  readonly value: number;
  readonly onTrue: number;
  readonly onFalse: number;
}

/**
 * Compiles the conditions of at most 31 rules; the result returns the bit mask of those that hold. The document has been checked:
 * every name is known.
 */
export function compileConditions(
  conditions: readonly Condition[],
  features: FeatureSet,
  thresholds: Readonly<Record<string, number>>,
): (vector: Float64Array) => number {
  const instructions: Instruction[] = [];

  /** Emits code for a condition whose outcome continues at the given places, and returns where that code starts. */
  const emit = (condition: Condition, onTrue: number, onFalse: number): number => {
    if ("all" in condition) return condition.all.reduceRight((next, part) => emit(part, next, onFalse), onTrue);
    if ("any" in condition) return condition.any.reduceRight((next, part) => emit(part, onTrue, next), onFalse);
    if ("not" in condition) return emit(condition.not, onFalse, onTrue);
    const slot = features.slot(condition.field);
    const value = constant(condition.value, features.definitions[slot]!, thresholds);
    return instructions.push({ operator: OPERATORS[condition.op], slot, value, onTrue, onFalse }) - 1;
  };
  const starts = Int32Array.from(conditions, (condition) => emit(condition, FIRED, NOT_FIRED));

  const operator = Uint8Array.from(instructions, (instruction) => instruction.operator);
  const slot = Uint16Array.from(instructions, (instruction) => instruction.slot);
  const value = Float64Array.from(instructions, (instruction) => instruction.value);
  const onTrue = Int32Array.from(instructions, (instruction) => instruction.onTrue);
  const onFalse = Int32Array.from(instructions, (instruction) => instruction.onFalse);
  const count = starts.length;

  return (vector) => {
    let mask = NO_RULES;
    for (let rule = 0; rule < count; rule++) {
      let at = starts[rule]!;
      do {
        const feature = vector[slot[at]!]!;
        const bound = value[at]!;
        let holds: boolean;
        switch (operator[at]) {
          case 0:
            holds = feature > bound;
            break;
          case 1:
            holds = feature >= bound;
            break;
          case 2:
            holds = feature < bound;
            break;
          case 3:
            holds = feature <= bound;
            break;
          case 4:
            holds = feature === bound;
            break;
          default:
            // NaN differs from everything, but an unknown value satisfies no comparison.
            holds = feature < bound || feature > bound;
        }
        at = holds ? onTrue[at]! : onFalse[at]!;
      } while (at >= 0);
      if (at === FIRED) mask = withRule(mask, rule);
    }
    return mask;
  };
}

/** The number that a comparison uses: of a threshold, a category, or a text from an open list. */
export function constant(
  value: number | string,
  { categories, open }: FeatureDefinition,
  thresholds: Readonly<Record<string, number>>,
): number {
  if (typeof value === "number") return value;
  if (value.startsWith("$")) return thresholds[value.slice(1)]!;
  return open ? textHash(value) : (categories?.indexOf(value) ?? -1);
}
