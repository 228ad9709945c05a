/**
 * JSONPath as Step Functions uses it: names, indexes, slices, wildcards, descendants and filters that compare a member with a
 * literal. A definite path gives one value, any other the list of what it finds. Everything else is refused when the definition
 * is compiled. Source: developer guide, "Using JSONPath paths".
 */
import { runtimeError } from "./errors";

type Nodes = readonly unknown[];
type Step = (nodes: Nodes) => Nodes;

export interface Path {
  readonly text: string;
  /** Starts with `$$`: asks the context object. */
  readonly ofContext: boolean;
  /** At most one value. */
  readonly definite: boolean;
  /** Member names and indexes of a reference path; absent for any other path. */
  readonly reference: readonly (string | number)[] | undefined;
  /** What the path finds; empty when nothing. */
  find(json: unknown): Nodes;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const member =
  (name: string): Step =>
  (nodes) =>
    nodes.flatMap((node) => (isObject(node) && Object.hasOwn(node, name) ? [node[name]] : []));

const element =
  (index: number): Step =>
  (nodes) =>
    nodes.flatMap((node) => {
      if (!Array.isArray(node)) return [];
      const at = index < 0 ? node.length + index : index;
      return at >= 0 && at < node.length ? [node[at] as unknown] : [];
    });

const children: Step = (nodes) =>
  nodes.flatMap((node): Nodes => (Array.isArray(node) ? node : isObject(node) ? Object.values(node) : []));

const descendants: Step = (nodes) => nodes.flatMap((node) => [node, ...descendants(children([node]))]);

const slice =
  (from: number | undefined, to: number | undefined): Step =>
  (nodes) =>
    nodes.flatMap((node): Nodes => (Array.isArray(node) ? node.slice(from, to) : []));

/** @throws Error that names the path and the part of it that is not supported. */
export function compilePath(text: string): Path {
  const fail = (rest: string): never => {
    throw new Error(
      `the path ${text} is not supported at "${rest}"; use $, .name, ['name'], [index], [from:to], [*], ..name and [?(@.name == literal)]`,
    );
  };
  if (!text.startsWith("$")) fail(text);
  const ofContext = text.startsWith("$$");
  const steps: Step[] = [];
  let reference: (string | number)[] | undefined = [];
  let definite = true;
  const indefinite = (step: Step) => {
    steps.push(step);
    reference = undefined;
    definite = false;
  };
  let rest = text.slice(ofContext ? 2 : 1);
  while (rest !== "") {
    const part =
      /^\.\.(?=[^.])|^\.\*|^\.([^\s.[\]()'"*?,:]+)|^\[([^\]'"?][^\]]*)\]|^\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]/.exec(
        rest,
      );
    if (part === null) {
      const filter = /^\[\?\(((?:[^'")]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*)\)\]/.exec(rest);
      if (filter === null) return fail(rest);
      const test = compileFilter(filter[1] ?? "") ?? fail(rest);
      indefinite((nodes) => children(nodes).filter(test));
      rest = rest.slice(filter[0].length);
      continue;
    }
    const [whole, plain, bracket, single, double] = part;
    const name = plain ?? single?.replace(/\\(.)/g, "$1") ?? double?.replace(/\\(.)/g, "$1");
    if (whole === "..") indefinite(descendants);
    else if (whole === ".*" || bracket?.trim() === "*") indefinite(children);
    else if (name !== undefined) {
      steps.push(member(name));
      reference?.push(name);
    } else if (/^\s*-?\d+\s*$/.test(bracket ?? "")) {
      steps.push(element(Number(bracket)));
      if (Number(bracket) < 0) reference = undefined;
      reference?.push(Number(bracket));
    } else {
      const range = /^(-?\d+)?:(-?\d+)?$/.exec(bracket ?? "");
      if (range !== null) indefinite(slice(numberOf(range[1]), numberOf(range[2])));
      else if (/^-?\d+(\s*,\s*-?\d+)+$/.test(bracket ?? "")) {
        const indexes = (bracket ?? "").split(",").map(Number);
        indefinite((nodes) => nodes.flatMap((node) => indexes.flatMap((index) => element(index)([node]))));
      } else fail(rest);
    }
    rest = rest.slice(whole.length);
    // What follows ".." is a step of its own: "..name" is "every descendant", then ".name".
    if (whole === ".." && !rest.startsWith("[")) rest = `.${rest}`;
  }
  const find = (json: unknown) => steps.reduce<Nodes>((nodes, step) => step(nodes), [json]);
  return { text, ofContext, definite, reference: ofContext ? undefined : reference, find };
}

const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text));

type Test = (item: unknown) => boolean;

/** `@.a == 'x' && @.b || …`; undefined for anything else. */
function compileFilter(text: string): Test | undefined {
  const any: Test[] = [];
  for (const alternative of split(text, "||")) {
    const terms = split(alternative, "&&").map(compileTerm);
    if (terms.includes(undefined)) return undefined;
    any.push((item) => terms.every((term) => term?.(item)));
  }
  return (item) => any.some((test) => test(item));
}

/** Splits outside quotes. */
function split(text: string, separator: string): string[] {
  const parts = [""];
  const tokens = text.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|&&|\|\||[\s\S]/g) ?? [];
  for (const token of tokens) {
    if (token === separator) parts.push("");
    else parts.push(`${parts.pop()}${token}`);
  }
  return parts;
}

function compileTerm(text: string): Test | undefined {
  const match =
    /^\s*@((?:\.[\w-]+|\['[^']+'\]|\[\d+\])*)\s*(?:(==|!=|<=|>=|<|>)\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null))?\s*$/.exec(
      text,
    );
  if (match === null) return undefined;
  const path = compilePath(`$${match[1] ?? ""}`);
  const operator = match[2];
  if (operator === undefined) return (item) => path.find(item).length > 0;
  const literal = (match[3] ?? "").startsWith("'")
    ? (match[3] ?? "").slice(1, -1).replace(/\\(.)/g, "$1")
    : (JSON.parse(match[3] ?? "null") as unknown);
  return (item) => {
    const found = path.find(item);
    if (operator === "==") return found.length > 0 && found[0] === literal;
    if (operator === "!=") return found.length === 0 || found[0] !== literal;
    return found.length > 0 && ordered(found[0], literal, operator);
  };
}

/** Numbers with numbers and texts with texts; false for anything else. */
export function ordered(left: unknown, right: unknown, operator: string): boolean {
  const comparable =
    (typeof left === "number" && typeof right === "number") || (typeof left === "string" && typeof right === "string");
  if (!comparable) return false;
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  if (operator === ">") return left > right;
  return left >= right;
}

/** The value of a path. @throws StatesError States.Runtime when a definite path finds nothing. */
export function evaluatePath(path: Path, input: unknown, context: unknown): unknown {
  const found = path.find(path.ofContext ? context : input);
  if (!path.definite) return found;
  if (found.length > 0) return found[0];
  throw runtimeError(
    `The JSONPath '${path.text}' could not be found in the ${path.ofContext ? "context object" : `input '${JSON.stringify(input)}'`}`,
  );
}

/** A copy of `target` with `value` at a reference path; missing objects are made. @returns undefined when the path does not fit. */
export function withValue(
  target: unknown,
  path: readonly (string | number)[],
  value: unknown,
): { readonly json: unknown } | undefined {
  const [head, ...tail] = path;
  if (head === undefined) return { json: value };
  if (typeof head === "number") {
    if (!Array.isArray(target) || head >= target.length) return undefined;
    const inner = withValue(target[head], tail, value);
    return inner && { json: target.map((item: unknown, index) => (index === head ? inner.json : item)) };
  }
  if (target !== undefined && !isObject(target)) return undefined;
  const own = target !== undefined && Object.hasOwn(target, head) ? target[head] : undefined;
  // A value of another kind on the way is replaced, as AWS does, but the state's input itself must be an object.
  const inner = withValue(tail.length > 0 && typeof tail[0] === "string" && !isObject(own) ? {} : own, tail, value);
  return inner && { json: { ...target, [head]: inner.json } };
}
