/** JSONPath as the definitions use it: `$` or `$$` (the context object) and member names. */
import { isRecord } from "@risk/program-graph";
import { runtimeError } from "./errors";

export interface Path {
  readonly text: string;
  /** Starts with `$$`: asks the context object. */
  readonly ofContext: boolean;
  readonly names: readonly string[];
}

/** @throws Error that names a path in another form. */
export function compilePath(text: string): Path {
  const match = /^\$(\$?)((?:\.[^\s.[\]()'"*?,:$@]+)*)$/.exec(text);
  if (match === null)
    throw new Error(`the path ${text} is not supported by the local runtime; use $ or $$ and member names: $.a.b`);
  return { text, ofContext: match[1] === "$", names: (match[2] ?? "").split(".").slice(1) };
}

/** What is at a path; undefined when nothing is. */
export function lookUp(path: Path, input: unknown, context: unknown): { readonly value: unknown } | undefined {
  let value = path.ofContext ? context : input;
  for (const name of path.names) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return { value };
}

/** @throws StatesError States.Runtime when the path finds nothing. */
export function evaluatePath(path: Path, input: unknown, context: unknown): unknown {
  const found = lookUp(path, input, context);
  if (found !== undefined) return found.value;
  throw runtimeError(
    `The JSONPath '${path.text}' could not be found in the ${path.ofContext ? "context object" : `input '${JSON.stringify(input)}'`}`,
  );
}

/** A copy of `target` with `value` at a path; missing parts of the path become objects. */
export function withValue(target: unknown, [head, ...tail]: readonly string[], value: unknown): unknown {
  if (head === undefined) return value;
  const members = isRecord(target) ? target : {};
  return { ...members, [head]: withValue(Object.hasOwn(members, head) ? members[head] : undefined, tail, value) };
}
