/**
 * Event patterns, compiled once and matched many times.
 *
 * Semantics (Event Ruler's): fields are ANDed, entries of a leaf array ORed, `$or` alternatives ORed. An array in the event matches
 * when one of its elements does, and all conditions below an array of objects must hold for the same element. Only
 * leaves exist: `exists: false` holds when no scalar lies at the path anywhere in the event, so an object or an empty
 * array counts as absent. Numbers are compared by value (300, 300.0 and 3e2 are equal). A key with dots is the same as the nested
 * path, in patterns and in events: "Considerations when creating event patterns" of the EventBridge user guide.
 */
import { isRecord, messageOf } from "@risk/program-graph";
import { withoutDots } from "./dotted-keys";
import { InvalidEventPattern } from "./errors";
import { compileMatcher, type LeafMatcher, type Scalar, type ScalarTest } from "./matchers";

export type EventMatcher = (event: unknown) => boolean;

/** AWS refuses a pattern whose `$or`s multiply to more alternatives than this. */
const maximumAlternatives = 1000;

type Tree = Map<string, Node>;
type Node =
  | { readonly kind: "leaf"; readonly path: readonly string[]; readonly entries: readonly unknown[] }
  | { readonly kind: "branch"; readonly tree: Tree };

type Compiled =
  | { readonly kind: "leaf"; readonly path: readonly string[]; readonly tests: readonly ScalarTest[]; readonly absent: boolean }
  | { readonly kind: "branch"; readonly children: readonly (readonly [string, Compiled])[] };

/**
 * Compiles a pattern given as a value or as JSON text.
 * @throws InvalidEventPattern naming the field and the reason.
 */
export function compileEventPattern(pattern: unknown): EventMatcher {
  const value = typeof pattern === "string" ? parse(pattern) : pattern;
  const alternatives = expand(value, [], true).map(compileTree);
  return (event) => {
    const nested = withoutDots(event);
    return alternatives.some((alternative) => matches(alternative, nested, nested));
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidEventPattern("", `not JSON: ${messageOf(error)}`);
  }
}

/** Multiplies `$or`s out: each returned tree is a plain conjunction. */
function expand(pattern: unknown, path: readonly string[], top: boolean): Tree[] {
  const where = path.join(".");
  if (!isRecord(pattern)) throw new InvalidEventPattern(where, "filter is not an object");
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new InvalidEventPattern(where, top ? "the pattern is empty" : "empty objects are not allowed");
  let trees: Tree[] = [new Map()];
  for (const [key, value] of entries) {
    trees = product(trees, key === "$or" ? either(value, path) : field(key, value, path), where);
  }
  return trees;
}

function either(value: unknown, path: readonly string[]): Tree[] {
  const where = [...path, "$or"].join(".");
  if (!Array.isArray(value) || value.length < 2)
    throw new InvalidEventPattern(where, "$or must be an array of at least two objects");
  return value.flatMap((alternative) => expand(alternative, path, false));
}

function field(key: string, value: unknown, path: readonly string[]): Tree[] {
  const dot = key.indexOf(".");
  if (dot >= 0) return field(key.slice(0, dot), { [key.slice(dot + 1)]: value }, path);
  const inner = [...path, key];
  const where = inner.join(".");
  if (Array.isArray(value)) {
    if (value.length === 0) throw new InvalidEventPattern(where, "empty arrays are not allowed");
    return [new Map([[key, { kind: "leaf", path: inner, entries: value }]])];
  }
  if (isRecord(value)) return expand(value, inner, false).map((tree) => new Map([[key, { kind: "branch", tree }]]));
  throw new InvalidEventPattern(where, `"${key}" must be an object or an array, got ${JSON.stringify(value)}`);
}

function product(left: readonly Tree[], right: readonly Tree[], where: string): Tree[] {
  if (left.length * right.length > maximumAlternatives) {
    throw new InvalidEventPattern(where, `the $or alternatives multiply to more than ${maximumAlternatives}`);
  }
  return left.flatMap((one) => right.map((other) => merge(one, other, where)));
}

function merge(left: Tree, right: Tree, where: string): Tree {
  const merged: Tree = new Map(left);
  for (const [key, node] of right) {
    const present = merged.get(key);
    if (present === undefined) merged.set(key, node);
    else if (present.kind === "branch" && node.kind === "branch") {
      merged.set(key, { kind: "branch", tree: merge(present.tree, node.tree, where) });
    } else throw new InvalidEventPattern(where, `path "${key}" is constrained twice`);
  }
  return merged;
}

function compileTree(tree: Tree): Compiled {
  return { kind: "branch", children: [...tree].map(([key, node]) => [key, compileNode(node)] as const) };
}

function compileNode(node: Node): Compiled {
  if (node.kind === "branch") return compileTree(node.tree);
  const matchers: LeafMatcher[] = node.entries.map((entry) => compileMatcher(entry, node.path.join(".")));
  return {
    kind: "leaf",
    path: node.path,
    tests: matchers.flatMap((matcher) => (matcher.kind === "value" ? [matcher.test] : [])),
    absent: matchers.some((matcher) => matcher.kind === "absent"),
  };
}

function matches(node: Compiled, value: unknown, event: unknown): boolean {
  if (node.kind === "leaf") {
    return (
      someScalar(value, (scalar) => node.tests.some((test) => test(scalar))) || (node.absent && !present(event, node.path, 0))
    );
  }
  const holds = (candidate: Record<string, unknown>) =>
    node.children.every(([key, child]) => matches(child, Object.hasOwn(candidate, key) ? candidate[key] : undefined, event));
  // The empty candidate stands for "nothing there": only `exists: false` conditions can hold below it.
  return someObject(value, holds) || holds({});
}

function someScalar(value: unknown, test: (scalar: Scalar) => boolean): boolean {
  if (Array.isArray(value)) return value.some((element) => someScalar(element, test));
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return test(value);
  return false;
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
