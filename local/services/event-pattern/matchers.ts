/**
 * The leaf operators of an event pattern. Source of the rules: Amazon EventBridge user guide, "Comparison operators",
 * and the open-source Event Ruler that EventBridge runs.
 */
import { AwsError } from "../../contracts";

export type Scalar = string | number | boolean | null;
export type ScalarTest = (value: Scalar) => boolean;

/** One entry of a leaf array. `absent` entries (`exists: false`) look at the event, not at a value. */
export type LeafMatcher = ScalarTest | "absent";

/** A pattern that AWS would refuse; `path` is the field inside the pattern, e.g. `detail.score`. */
export class InvalidEventPattern extends AwsError {
  constructor(path: string, reason: string) {
    super("InvalidEventPatternException", `Event pattern is not valid. Reason: ${reason}${path === "" ? "" : ` (at ${path})`}`);
  }
}

const numericBound = 5e9;
const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "=": (value, bound) => value === bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};

export function isScalar(value: unknown): value is Scalar {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** Compiles one entry of a leaf array; `path` is only for messages. Throws {@link InvalidEventPattern}. */
export function compileMatcher(entry: unknown, path: string): LeafMatcher {
  if (isScalar(entry)) return (value) => value === entry;
  if (Array.isArray(entry) || typeof entry !== "object")
    throw new InvalidEventPattern(path, "an entry must be a string, a number, a boolean, null or an operator object");
  const [[operator, operand] = ["", undefined], ...more] = Object.entries(entry ?? {}) as [string, unknown][];
  if (operator === "" || more.length > 0)
    throw new InvalidEventPattern(path, `an operator object has exactly one key, got ${Object.keys(entry ?? {}).join(", ")}`);
  switch (operator) {
    case "exists":
      if (typeof operand !== "boolean") throw new InvalidEventPattern(path, "exists must be true or false");
      return operand ? () => true : "absent";
    case "prefix":
      if (typeof operand !== "string") throw new InvalidEventPattern(path, "prefix must be a string");
      return (value) => typeof value === "string" && value.startsWith(operand);
    case "numeric":
      return numeric(operand, path);
    case "anything-but":
      return anythingBut(operand, path);
    default:
      throw new InvalidEventPattern(
        path,
        `operator "${operator}" is not supported by the local runtime; supported are prefix, anything-but, numeric, exists`,
      );
  }
}

function numeric(operand: unknown, path: string): ScalarTest {
  const parts: unknown[] = Array.isArray(operand) ? operand : [];
  if (parts.length === 0 || parts.length % 2 !== 0)
    throw new InvalidEventPattern(path, 'numeric must be an array of comparisons such as [">", 0, "<=", 5]');
  const tests = Array.from({ length: parts.length / 2 }, (_, index) => {
    const [sign, bound] = [String(parts[2 * index]), parts[2 * index + 1]];
    const compare = comparisons[sign];
    if (compare === undefined)
      throw new InvalidEventPattern(path, `unrecognized numeric operator "${sign}"; known are =, <, <=, >, >=`);
    if (typeof bound !== "number") throw new InvalidEventPattern(path, `numeric operator ${sign} needs a number`);
    if (Math.abs(bound) > numericBound)
      throw new InvalidEventPattern(path, `numeric value ${bound} must be between -5.0E9 and 5.0E9, inclusive`);
    return { sign, bound, compare };
  });
  const [lower, upper] = tests;
  if (lower !== undefined && upper !== undefined) {
    if (tests.length !== 2 || !lower.sign.startsWith(">") || !upper.sign.startsWith("<"))
      throw new InvalidEventPattern(path, "a numeric range is a lower bound (> or >=) and then an upper one (< or <=)");
    if (lower.bound >= upper.bound) throw new InvalidEventPattern(path, "bottom of the numeric range must be less than its top");
  }
  return (value) => typeof value === "number" && tests.every(({ bound, compare }) => compare(value, bound));
}

function anythingBut(operand: unknown, path: string): ScalarTest {
  const items: unknown[] = Array.isArray(operand) ? operand : [operand];
  const oneType = ["string", "number"].some((type) => items.every((item) => typeof item === type));
  if (items.length === 0 || !oneType)
    throw new InvalidEventPattern(path, "anything-but must be a string, a number, or a list of only strings or only numbers");
  const excluded = new Set(items);
  return (value) => !excluded.has(value);
}
