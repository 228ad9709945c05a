/**
 * IAM condition operators. An operator that is not here stops the start: a condition that is silently ignored would
 * allow on the laptop what AWS denies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export type ConditionContext = Readonly<Record<string, string>>;

/** `actual` matches one `expected` value of the policy. */
type Test = (actual: string, expected: string) => boolean;

interface Operator {
  readonly test: Test;
  /** Negated operators hold when no value of the policy matches, and when the key is absent. */
  readonly negated: boolean;
}

const equals: Test = (actual, expected) => actual === expected;
const like: Test = (actual, expected) => matchesWildcard(expected, actual);

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { test: equals, negated: false },
  StringNotEquals: { test: equals, negated: true },
  StringLike: { test: like, negated: false },
  StringNotLike: { test: like, negated: true },
  // AWS: ArnEquals and ArnLike behave identically; both match each colon-separated part with wildcards.
  ArnEquals: { test: arnLike, negated: false },
  ArnLike: { test: arnLike, negated: false },
  ArnNotEquals: { test: arnLike, negated: true },
  ArnNotLike: { test: arnLike, negated: true },
  Bool: { test: (actual, expected) => actual.toLowerCase() === expected.toLowerCase(), negated: false },
};

/** `*` any run, `?` any one character; everything else literally. */
export function matchesWildcard(pattern: string, text: string): boolean {
  if (pattern === "*" || pattern === text) return true;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}

export function arnLike(actual: string, expected: string): boolean {
  const [wanted, given] = [splitArn(expected), splitArn(actual)];
  return wanted.length === given.length && wanted.every((part, index) => matchesWildcard(part, given[index] ?? ""));
}

/** Six parts: the resource keeps its own colons. */
function splitArn(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}

function operatorOf(name: string, where: string): Operator {
  const found = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (found !== undefined) return found;
  throw new Error(
    `${where}: the condition operator '${name}' is not supported locally. Use one of ${Object.keys(OPERATORS).join(", ")}.`,
  );
}

/** Throws for an operator that {@link conditionsHold} cannot evaluate. */
export function checkOperators(operators: readonly string[], where: string): void {
  for (const operator of operators) operatorOf(operator, where);
}

/** Whether every operator block and every key in it holds (AWS: AND between keys, OR between values). */
export function conditionsHold(
  conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
  context: ConditionContext,
): boolean {
  const lower = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(conditions).every(([name, block]) => {
    const { test, negated } = operatorOf(name, "policy");
    return Object.entries(block).every(([key, expected]) => {
      const actual = lower.get(key.toLowerCase());
      if (actual === undefined) return negated;
      return expected.some((wanted) => test(actual, wanted)) !== negated;
    });
  });
}
