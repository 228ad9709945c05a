/**
 * IAM condition operators. An operator that is not here stops the start: a condition that is silently ignored would
 * allow on the laptop what AWS denies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import { matchesWildcard, unescaped } from "./wildcard";

export type ConditionContext = Readonly<Record<string, string | readonly string[]>>;

/** `actual` matches one `expected` value of the policy. */
type Test = (actual: string, expected: string) => boolean;

interface Operator {
  readonly test: Test;
  /** Negated operators hold when no value of the policy matches, and when the key is absent. */
  readonly negated: boolean;
}

const number =
  (test: (a: number, b: number) => boolean): Test =>
  (actual, expected) => {
    const [a, b] = [Number(actual), Number(expected)];
    return !Number.isNaN(a) && !Number.isNaN(b) && test(a, b);
  };
const instant =
  (test: (a: number, b: number) => boolean): Test =>
  (actual, expected) => {
    const [a, b] = [epochMs(actual), epochMs(expected)];
    return !Number.isNaN(a) && !Number.isNaN(b) && test(a, b);
  };

function epochMs(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

const equals: Test = (actual, expected) => actual === unescaped(expected);
const equalsIgnoreCase: Test = (actual, expected) => actual.toLowerCase() === unescaped(expected).toLowerCase();
const like: Test = (actual, expected) => matchesWildcard(expected, actual);

const POSITIVE: Readonly<Record<string, Test>> = {
  StringEquals: equals,
  StringEqualsIgnoreCase: equalsIgnoreCase,
  StringLike: like,
  // AWS: ArnEquals and ArnLike behave identically; both match each colon-separated part with wildcards.
  ArnEquals: arnLike,
  ArnLike: arnLike,
  Bool: equalsIgnoreCase,
  NumericEquals: number((a, b) => a === b),
  NumericLessThan: number((a, b) => a < b),
  NumericLessThanEquals: number((a, b) => a <= b),
  NumericGreaterThan: number((a, b) => a > b),
  NumericGreaterThanEquals: number((a, b) => a >= b),
  DateEquals: instant((a, b) => a === b),
  DateLessThan: instant((a, b) => a < b),
  DateLessThanEquals: instant((a, b) => a <= b),
  DateGreaterThan: instant((a, b) => a > b),
  DateGreaterThanEquals: instant((a, b) => a >= b),
};
const NEGATED: Readonly<Record<string, Test>> = {
  StringNotEquals: equals,
  StringNotEqualsIgnoreCase: equalsIgnoreCase,
  StringNotLike: like,
  ArnNotEquals: arnLike,
  ArnNotLike: arnLike,
  NumericNotEquals: number((a, b) => a === b),
  DateNotEquals: instant((a, b) => a === b),
};

export function arnLike(actual: string, expected: string): boolean {
  const [wanted, given] = [splitArn(expected), splitArn(actual)];
  return wanted.length === given.length && wanted.every((part, index) => matchesWildcard(part, given[index] ?? ""));
}

/** Six parts: the resource keeps its own colons. */
function splitArn(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}

interface ParsedOperator {
  readonly name: string;
  readonly quantifier: "ForAnyValue" | "ForAllValues" | undefined;
  readonly ifExists: boolean;
}

function parseOperator(text: string, where: string): ParsedOperator {
  const match = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(text);
  const name = match?.[2] ?? "";
  if (!match || !(name === "Null" || Object.hasOwn(POSITIVE, name) || Object.hasOwn(NEGATED, name))) {
    const known = ["Null", ...Object.keys(POSITIVE), ...Object.keys(NEGATED)].join(", ");
    throw new Error(
      `${where}: the condition operator '${text}' is not supported locally. Use one of ${known} (with IfExists, ForAnyValue:, ForAllValues:).`,
    );
  }
  return { name, quantifier: match[1] as ParsedOperator["quantifier"], ifExists: match[3] !== undefined };
}

/** Throws for an operator that {@link conditionsHold} cannot evaluate. */
export function checkOperators(operators: readonly string[], where: string): void {
  for (const operator of operators) parseOperator(operator, where);
}

/** Whether every operator block and every key in it holds (AWS: AND between keys, OR between values). */
export function conditionsHold(
  conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
  context: ConditionContext,
): boolean {
  const lower = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(conditions).every(([operator, block]) => {
    const parsed = parseOperator(operator, "policy");
    return Object.entries(block).every(([key, expected]) => keyHolds(parsed, lower.get(key.toLowerCase()), expected));
  });
}

function keyHolds(
  operator: ParsedOperator,
  actual: string | readonly string[] | undefined,
  expected: readonly string[],
): boolean {
  if (operator.name === "Null") return expected.some((value) => (value.toLowerCase() === "true") === (actual === undefined));
  if (actual === undefined) {
    if (operator.ifExists) return true;
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    if (operator.quantifier !== undefined) return operator.quantifier === "ForAllValues";
    return Object.hasOwn(NEGATED, operator.name);
  }
  const { test, negated } = operatorOf(operator.name);
  const one = (value: string): boolean => expected.some((wanted) => test(value, wanted)) !== negated;
  const values = typeof actual === "string" ? [actual] : actual;
  return operator.quantifier === "ForAnyValue" ? values.some(one) : values.every(one);
}

function operatorOf(name: string): Operator {
  const positive = POSITIVE[name];
  if (positive) return { test: positive, negated: false };
  const negated = NEGATED[name];
  if (negated) return { test: negated, negated: true };
  throw new Error(`The condition operator '${name}' is not supported locally.`);
}
