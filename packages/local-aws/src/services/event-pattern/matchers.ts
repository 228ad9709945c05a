/**
 * The leaf operators of an event pattern. Source of the rules: Amazon EventBridge user guide, "Comparison operators",
 * and the open-source Event Ruler that EventBridge runs.
 */
import { isRecord } from "@risk/program-graph";
import { parseCidr } from "./cidr";
import { InvalidEventPattern } from "./errors";
import { wildcard } from "./wildcard";

export type Scalar = string | number | boolean | null;
export type ScalarTest = (value: Scalar) => boolean;

/** One entry of a leaf array. `absent` entries (`exists: false`) look at the event, not at a value. */
export type LeafMatcher = { readonly kind: "value"; readonly test: ScalarTest } | { readonly kind: "absent" };

const numericBound = 5e9;

/** Compiles one entry of a leaf array; `path` is only for messages. Throws {@link InvalidEventPattern}. */
export function compileMatcher(entry: unknown, path: string): LeafMatcher {
  if (entry === null || typeof entry === "string" || typeof entry === "boolean" || typeof entry === "number") {
    return { kind: "value", test: (value) => value === entry };
  }
  if (Array.isArray(entry) || typeof entry !== "object") {
    throw new InvalidEventPattern(path, "an entry must be a string, a number, a boolean, null or an operator object");
  }
  const keys = Object.keys(entry);
  const operator = keys[0];
  if (operator === undefined || keys.length !== 1) {
    throw new InvalidEventPattern(path, `an operator object has exactly one key, got ${keys.length} (${keys.join(", ")})`);
  }
  const operand: unknown = (entry as Record<string, unknown>)[operator];
  if (operator === "exists") {
    if (typeof operand !== "boolean") throw new InvalidEventPattern(path, "exists must be true or false");
    return operand ? { kind: "value", test: () => true } : { kind: "absent" };
  }
  return { kind: "value", test: compileOperator(operator, operand, path) };
}

function compileOperator(operator: string, operand: unknown, path: string): ScalarTest {
  switch (operator) {
    case "prefix":
    case "suffix":
      return affix(operator, operand, path);
    case "equals-ignore-case": {
      const folded = text(operand, operator, path).toLowerCase();
      return onText((value) => value.toLowerCase() === folded);
    }
    case "wildcard": {
      const expression = wildcard(text(operand, operator, path), path);
      return onText((value) => expression.test(value));
    }
    case "numeric":
      return numeric(operand, path);
    case "cidr": {
      const contains = parseCidr(text(operand, operator, path), path);
      return onText(contains);
    }
    case "anything-but":
      return anythingBut(operand, path);
    default:
      throw new InvalidEventPattern(
        path,
        `unrecognized operator "${operator}"; known are prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr, exists`,
      );
  }
}

function onText(test: (value: string) => boolean): ScalarTest {
  return (value) => typeof value === "string" && test(value);
}

function text(operand: unknown, operator: string, path: string): string {
  if (typeof operand !== "string") throw new InvalidEventPattern(path, `${operator} must be a string`);
  return operand;
}

function affix(operator: "prefix" | "suffix", operand: unknown, path: string): ScalarTest {
  const has = (value: string, part: string) => (operator === "prefix" ? value.startsWith(part) : value.endsWith(part));
  if (typeof operand === "string") return onText((value) => has(value, operand));
  if (isRecord(operand) && Object.keys(operand).length === 1 && "equals-ignore-case" in operand) {
    const folded = text(operand["equals-ignore-case"], `${operator}.equals-ignore-case`, path).toLowerCase();
    return onText((value) => has(value.toLowerCase(), folded));
  }
  throw new InvalidEventPattern(path, `${operator} must be a string or {"equals-ignore-case": string}`);
}

function numeric(operand: unknown, path: string): ScalarTest {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0) {
    throw new InvalidEventPattern(path, 'numeric must be an array of comparisons such as [">", 0, "<=", 5]');
  }
  const comparisons: { sign: string; bound: number }[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const sign: unknown = operand[index];
    const bound: unknown = operand[index + 1];
    if (sign !== "=" && sign !== "<" && sign !== "<=" && sign !== ">" && sign !== ">=") {
      throw new InvalidEventPattern(path, `unrecognized numeric operator ${JSON.stringify(sign)}; known are =, <, <=, >, >=`);
    }
    if (typeof bound !== "number") throw new InvalidEventPattern(path, `numeric operator ${sign} needs a number`);
    if (Math.abs(bound) > numericBound) {
      throw new InvalidEventPattern(path, `numeric value ${bound} must be between -5.0E9 and 5.0E9, inclusive`);
    }
    comparisons.push({ sign, bound });
  }
  const [first, second] = comparisons;
  if (second !== undefined && first !== undefined) {
    const isRange = comparisons.length === 2 && first.sign.startsWith(">") && second.sign.startsWith("<");
    if (!isRange)
      throw new InvalidEventPattern(path, "a numeric range is a lower bound (> or >=) and then an upper one (< or <=)");
    if (first.bound >= second.bound) throw new InvalidEventPattern(path, "bottom of the numeric range must be less than its top");
  }
  return (value) => typeof value === "number" && comparisons.every(({ sign, bound }) => compare(value, sign, bound));
}

function compare(value: number, sign: string, bound: number): boolean {
  switch (sign) {
    case "=":
      return value === bound;
    case "<":
      return value < bound;
    case "<=":
      return value <= bound;
    case ">":
      return value > bound;
    default:
      return value >= bound;
  }
}

function anythingBut(operand: unknown, path: string): ScalarTest {
  if (isRecord(operand)) {
    const entries = Object.entries(operand);
    const [operator, inner] = entries[0] ?? ["", undefined];
    if (entries.length !== 1 || !["prefix", "suffix", "equals-ignore-case", "wildcard"].includes(operator)) {
      throw new InvalidEventPattern(path, "anything-but takes prefix, suffix, equals-ignore-case or wildcard inside");
    }
    const items: unknown[] = Array.isArray(inner) ? inner : [inner];
    if (items.length === 0) throw new InvalidEventPattern(path, `anything-but.${operator} must not be an empty list`);
    const tests = items.map((item) => {
      if (item === "" && operator !== "wildcard")
        throw new InvalidEventPattern(path, `anything-but.${operator} must not be an empty string`);
      if (typeof item !== "string")
        throw new InvalidEventPattern(path, `anything-but.${operator} must be a string or a list of strings`);
      return compileOperator(operator, item, path);
    });
    return (value) => !tests.some((test) => test(value));
  }
  const items: unknown[] = Array.isArray(operand) ? operand : [operand];
  const allText = items.every((item) => typeof item === "string");
  const allNumbers = items.every((item) => typeof item === "number");
  if (items.length === 0 || !(allText || allNumbers)) {
    throw new InvalidEventPattern(path, "anything-but must be a string, a number, or a list of only strings or only numbers");
  }
  const excluded = new Set<unknown>(items);
  return (value) => !excluded.has(value);
}
