/** The rules of a Choice state. Source: Amazon States Language specification, "Choice State". */
import { runtimeError } from "./errors";
import { compilePath, evaluatePath, ordered, type Path } from "./path";

export type Rule = (input: unknown, context: unknown) => boolean;

const symbols: Readonly<Record<string, string>> = {
  LessThan: "<",
  LessThanEquals: "<=",
  GreaterThan: ">",
  GreaterThanEquals: ">=",
};

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  String: (value) => typeof value === "string",
  Numeric: (value) => typeof value === "number",
  Boolean: (value) => typeof value === "boolean",
  Timestamp: isTimestamp,
};

/** RFC 3339 with an upper-case T, as the specification asks. */
export function isTimestamp(value: unknown): value is string {
  return (
    typeof value === "string" &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  );
}

/** @throws Error naming the operator or path that is not supported. */
export function compileRule(rule: Readonly<Record<string, unknown>>): Rule {
  const list = (value: unknown) => (Array.isArray(value) ? value.map((one) => compileRule(recordOf(one))) : []);
  if (rule.And !== undefined) {
    const rules = list(rule.And);
    return (input, context) => rules.every((one) => one(input, context));
  }
  if (rule.Or !== undefined) {
    const rules = list(rule.Or);
    return (input, context) => rules.some((one) => one(input, context));
  }
  if (rule.Not !== undefined) {
    const inner = compileRule(recordOf(rule.Not));
    return (input, context) => !inner(input, context);
  }
  const operators = Object.keys(rule).filter((key) => !["Variable", "Next", "Comment"].includes(key));
  const [operator] = operators;
  if (operator === undefined || operators.length > 1 || typeof rule.Variable !== "string")
    throw new Error(`a choice rule needs Variable and exactly one comparison, got ${Object.keys(rule).join(", ")}`);
  return compileComparison(compilePath(rule.Variable), operator, rule[operator]);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function compileComparison(variable: Path, operator: string, operand: unknown): Rule {
  if (operator === "IsPresent")
    return (input, context) => variable.find(variable.ofContext ? context : input).length > 0 === operand;
  const read: (input: unknown, context: unknown) => unknown = (input, context) => {
    const found = variable.find(variable.ofContext ? context : input);
    if (found.length === 0 && variable.definite)
      throw runtimeError(`Invalid path '${variable.text}': The choice state's condition path references an invalid value.`);
    return variable.definite ? found[0] : found;
  };
  if (operator === "IsNull") return (input, context) => (read(input, context) === null) === operand;
  const isType = /^Is(String|Numeric|Boolean|Timestamp)$/.exec(operator)?.[1];
  if (isType !== undefined) return (input, context) => types[isType]?.(read(input, context)) === operand;
  if (operator === "StringMatches") {
    const matches = compileWildcards(String(operand));
    return (input, context) => {
      const value = read(input, context);
      return typeof value === "string" && matches.test(value);
    };
  }
  const parts = /^(String|Numeric|Boolean|Timestamp)(Equals|LessThan|GreaterThan|LessThanEquals|GreaterThanEquals)(Path)?$/.exec(
    operator,
  );
  const type = parts === null ? undefined : types[parts[1] ?? ""];
  if (parts === null || type === undefined) throw new Error(`the comparison ${operator} is not supported`);
  const compare = comparison(parts[1] ?? "", parts[2] ?? "");
  const operandPath = parts[3] === undefined ? undefined : compilePath(String(operand));
  return (input, context) => {
    const left = read(input, context);
    const right = operandPath === undefined ? operand : evaluatePath(operandPath, input, context);
    return type(left) && type(right) && compare(left, right);
  };
}

function comparison(type: string, name: string): (left: unknown, right: unknown) => boolean {
  const instant = (value: unknown) => (type === "Timestamp" ? Date.parse(String(value)) : value);
  const symbol = symbols[name];
  if (symbol === undefined) return (left, right) => instant(left) === instant(right);
  return (left, right) => ordered(instant(left), instant(right), symbol);
}

/** `*` is any run of characters, `\*` a star. */
function compileWildcards(pattern: string): RegExp {
  const source = pattern.replace(/\\([*\\])|(\*)|([.+?^${}()|[\]\\])/g, (match, escaped, star) =>
    escaped !== undefined ? `\\${escaped}` : star !== undefined ? "[^]*" : `\\${match}`,
  );
  return new RegExp(`^${source}$`);
}
