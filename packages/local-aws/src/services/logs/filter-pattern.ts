/**
 * CloudWatch Logs filter patterns: terms, and JSON selectors that compare members, joined by && or by ||. Everything else of the
 * language is refused by name. Source: CloudWatch Logs user guide, "Filter pattern syntax".
 */
import { AwsError } from "../../contracts";
import { matchesWildcard } from "../../permissions/wildcard";

export type LineTest = (line: string) => boolean;

function refuse(pattern: string, reason: string): AwsError {
  return new AwsError("InvalidParameterException", `filterPattern ${pattern}: ${reason}.`);
}

export function compileFilter(pattern: string): LineTest {
  const trimmed = pattern.trim();
  if (trimmed === "") return () => true;
  if (trimmed.startsWith("[") || trimmed.includes("%"))
    throw refuse(
      pattern,
      "space-delimited and regular-expression patterns are not supported by the local runtime; use terms or a JSON selector",
    );
  if (trimmed.startsWith("{")) return jsonFilter(pattern, trimmed);
  const terms = [...trimmed.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map((match) => ({
    sign: match[1],
    text: match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "",
  }));
  const signed = (sign: string) => terms.filter((term) => term.sign === sign);
  const [required, excluded, optional] = [signed(""), signed("-"), signed("?")];
  // AWS ignores ?terms beside other terms.
  const onlyOptional = optional.length === terms.length;
  return (line) =>
    required.every((term) => line.includes(term.text)) &&
    !excluded.some((term) => line.includes(term.text)) &&
    (!onlyOptional || optional.some((term) => line.includes(term.text)));
}

type JsonTest = (value: unknown) => boolean;

const CONDITION = /^\s*\$((?:\.[\w-]+|\[\d+\])+)\s*(!=|<=|>=|[=<>])\s*("(?:[^"\\]|\\.)*"|[^\s"&|()]+)\s*(&&|\|\||$)/;

function jsonFilter(pattern: string, text: string): LineTest {
  if (!text.endsWith("}")) throw refuse(pattern, "a JSON selector ends with }");
  const tests: JsonTest[] = [];
  const joins = new Set<string>();
  let rest = text.slice(1, -1).trim();
  do {
    const [condition = "", path = "", operator = "", operand = "", join = ""] = CONDITION.exec(rest) ?? [];
    if (condition === "")
      throw refuse(pattern, `expected a comparison such as $.level = "ERROR", got "${rest}" (the local runtime knows no other)`);
    tests.push(comparison(pattern, path, operator, operand));
    rest = rest.slice(condition.length);
    if (join !== "") joins.add(join);
    if (join !== "" && rest === "") throw refuse(pattern, `${join} needs a comparison after it`);
  } while (rest !== "");
  if (joins.size > 1) throw refuse(pattern, "&& and || together are not supported by the local runtime");
  const holds: JsonTest = joins.has("||")
    ? (value) => tests.some((test) => test(value))
    : (value) => tests.every((test) => test(value));
  return (line) => {
    const start = line.indexOf("{");
    if (start < 0) return false;
    try {
      return holds(JSON.parse(line.slice(start)));
    } catch {
      // A line that is not JSON never matches a JSON selector.
      return false;
    }
  };
}

const numberTests: Readonly<Record<string, (actual: number, wanted: number) => boolean>> = {
  "=": (actual, wanted) => actual === wanted,
  "!=": (actual, wanted) => actual !== wanted,
  "<": (actual, wanted) => actual < wanted,
  "<=": (actual, wanted) => actual <= wanted,
  ">": (actual, wanted) => actual > wanted,
  ">=": (actual, wanted) => actual >= wanted,
};

function comparison(pattern: string, path: string, operator: string, operand: string): JsonTest {
  const keys = [...path.matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map((match) => match[1] ?? match[2] ?? "");
  const read = (value: unknown) =>
    keys.reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
          ? (inner as Record<string, unknown>)[key]
          : undefined,
      value,
    );
  const number = operand.startsWith('"') ? Number.NaN : Number(operand);
  if (!Number.isNaN(number)) {
    return (value) => {
      const actual = read(value);
      return typeof actual === "number" && (numberTests[operator]?.(actual, number) ?? false);
    };
  }
  if (operator !== "=" && operator !== "!=") throw refuse(pattern, `${operator} needs a number, got ${operand}`);
  const text = operand.startsWith('"') ? operand.slice(1, -1).replace(/\\(.)/g, "$1") : operand;
  return (value) => {
    const actual = read(value);
    return (
      (typeof actual === "string" || typeof actual === "boolean") &&
      matchesWildcard(text.replaceAll("?", "\u0000"), String(actual).replaceAll("?", "\u0000")) === (operator === "=")
    );
  };
}
