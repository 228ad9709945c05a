/** The rules of a Choice state. Source: Amazon States Language specification, "Choice State". */
import { Fields } from "../../../engine/fields";
import { runtimeError } from "./errors";
import { compilePath, lookUp } from "./path";

export type Rule = (input: unknown, context: unknown) => boolean;

/** Each comparison makes a test of a value out of what the definition compares with. */
const comparisons: Readonly<Record<string, (operand: unknown) => (value: unknown) => boolean>> = {
  // The schema has checked the operands' types, and values of different types are never equal.
  StringEquals: (operand) => (value) => value === operand,
  BooleanEquals: (operand) => (value) => value === operand,
  StringMatches: (operand) => {
    const pattern = compileWildcards(String(operand));
    return (value) => typeof value === "string" && pattern.test(value);
  },
};

/** @throws Error naming the operator or path that is not supported. */
export function compileRule(rule: unknown): Rule {
  const fields = new Fields(rule, "choice");
  const { Next: _next, Comment: _comment, Variable: _variable, ...operators } = Object(rule) as Readonly<Record<string, unknown>>;
  const [operator = "", ...others] = Object.keys(operators);
  const operand = operators[operator];
  if (others.length > 0) throw new Error(`a choice rule needs exactly one operator, got ${Object.keys(operators).join(", ")}`);
  if (operator === "And") {
    const rules = fields.list("And").map(compileRule);
    return (input, context) => rules.every((one) => one(input, context));
  }
  if (operator === "Not") {
    const inner = compileRule(operand);
    return (input, context) => !inner(input, context);
  }
  const test = (Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined)?.(operand);
  if (test === undefined && operator !== "IsPresent") {
    const known = ["And", "Not", "IsPresent", ...Object.keys(comparisons)].join(", ");
    throw new Error(`the choice operator ${operator} is not supported by the local runtime; supported are ${known}`);
  }
  const variable = compilePath(fields.need("Variable"));
  if (test === undefined) return (input, context) => (lookUp(variable, input, context) !== undefined) === operand;
  return (input, context) => {
    const found = lookUp(variable, input, context);
    if (found !== undefined) return test(found.value);
    throw runtimeError(`Invalid path '${variable.text}': The choice state's condition path references an invalid value.`);
  };
}

/** `*` is any run of characters, `\*` a star. */
function compileWildcards(pattern: string): RegExp {
  const source = pattern.replace(/\\([*\\])|(\*)|([.+?^${}()|[\]\\])/g, (match, escaped, star) =>
    escaped !== undefined ? `\\${escaped}` : star !== undefined ? "[^]*" : `\\${match}`,
  );
  return new RegExp(`^${source}$`);
}
