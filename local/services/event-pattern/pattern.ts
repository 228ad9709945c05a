/**
 * Event patterns, compiled once and matched many times.
 *
 * Semantics (Event Ruler's): fields are ANDed, entries of a leaf array ORed. An array in the event matches when one of its elements
 * does, and all conditions below an array of objects must hold for the same element. Only leaves exist: `exists: false` holds when no
 * scalar lies at the path anywhere in the event, so an object or an empty array counts as absent. Numbers are compared by value (300,
 * 300.0 and 3e2 are equal).
 */
import { isRecord, messageOf } from "../../graph/values";
import { compileMatcher, InvalidEventPattern, isScalar, type Scalar, type ScalarTest } from "./matchers";

export type EventMatcher = (event: unknown) => boolean;

type Compiled =
  | { readonly kind: "leaf"; readonly path: readonly string[]; readonly tests: readonly ScalarTest[]; readonly absent: boolean }
  | { readonly kind: "branch"; readonly children: readonly (readonly [string, Compiled])[] };

/**
 * Compiles a pattern given as a value or as JSON text.
 * @throws InvalidEventPattern naming the field and the reason.
 */
export function compileEventPattern(pattern: unknown): EventMatcher {
  const compiled = compile(typeof pattern === "string" ? parse(pattern) : pattern, []);
  return (event) => matches(compiled, event, event);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidEventPattern("", `not JSON: ${messageOf(error)}`);
  }
}

function compile(pattern: unknown, path: readonly string[]): Compiled {
  const where = path.join(".");
  if (Array.isArray(pattern)) return compileLeaf(pattern, path);
  if (!isRecord(pattern))
    throw new InvalidEventPattern(where, `a pattern is made of objects and arrays, got ${JSON.stringify(pattern)}`);
  const entries = Object.entries(pattern);
  if (entries.length === 0)
    throw new InvalidEventPattern(where, where === "" ? "the pattern is empty" : "empty objects are not allowed");
  if ("$or" in pattern)
    throw new InvalidEventPattern(where, "$or is not supported by the local runtime; make a rule of each case");
  return { kind: "branch", children: entries.map(([key, value]) => [key, compile(value, [...path, key])]) };
}

function compileLeaf(entries: readonly unknown[], path: readonly string[]): Compiled {
  const where = path.join(".");
  if (path.length === 0) throw new InvalidEventPattern(where, "the pattern must be an object");
  if (entries.length === 0) throw new InvalidEventPattern(where, "empty arrays are not allowed");
  const matchers = entries.map((entry) => compileMatcher(entry, where));
  return {
    kind: "leaf",
    path,
    tests: matchers.filter((matcher) => matcher !== "absent"),
    absent: matchers.includes("absent"),
  };
}

function matches(node: Compiled, value: unknown, event: unknown): boolean {
  if (node.kind === "leaf")
    return (
      someScalar(value, (scalar) => node.tests.some((test) => test(scalar))) || (node.absent && !present(event, node.path, 0))
    );
  const holds = (candidate: Record<string, unknown>) =>
    node.children.every(([key, child]) => matches(child, Object.hasOwn(candidate, key) ? candidate[key] : undefined, event));
  // The empty candidate stands for "nothing there": only `exists: false` conditions can hold below it.
  return someObject(value, holds) || holds({});
}

function someScalar(value: unknown, test: (scalar: Scalar) => boolean): boolean {
  if (Array.isArray(value)) return value.some((element) => someScalar(element, test));
  return isScalar(value) && test(value);
}

function someObject(value: unknown, test: (object: Record<string, unknown>) => boolean): boolean {
  if (Array.isArray(value)) return value.some((element) => someObject(element, test));
  return isRecord(value) && test(value);
}

function present(value: unknown, path: readonly string[], depth: number): boolean {
  const key = path[depth];
  if (key === undefined) return someScalar(value, () => true);
  return someObject(value, (object) => Object.hasOwn(object, key) && present(object[key], path, depth + 1));
}
