/** Intrinsic functions. Source: Step Functions developer guide, "Intrinsic functions". */
import { isRecord, messageOf } from "@risk/program-graph";
import { intrinsicFailure } from "./errors";
import { compilePath, evaluatePath } from "./path";

export type Evaluate = (input: unknown, context: unknown) => unknown;

type Implementation = (...values: readonly unknown[]) => unknown;

/** Compiles `States.Name(…)`. @throws Error naming what is wrong. */
export function compileIntrinsic(text: string): Evaluate {
  const parser = new Parser(text);
  const call = parser.call();
  parser.end();
  return call;
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  private fail(reason: string): never {
    throw new Error(`the intrinsic function ${this.text}: ${reason} at position ${this.at}`);
  }

  private take(pattern: RegExp): string | undefined {
    const sticky = new RegExp(pattern.source, "y");
    sticky.lastIndex = this.at;
    const match = sticky.exec(this.text);
    if (match === null) return undefined;
    this.at += match[0].length;
    return match[0];
  }

  end(): void {
    this.take(/\s*/);
    if (this.at < this.text.length) this.fail("unexpected text");
  }

  call(): Evaluate {
    this.take(/\s*/);
    const name = this.take(/States\.[A-Za-z0-9]+/) ?? this.fail("expected States.<name>");
    const implementation = Object.hasOwn(implementations, name) ? implementations[name] : undefined;
    if (implementation === undefined)
      this.fail(`${name} is not supported by the local runtime; supported are ${Object.keys(implementations).join(", ")}`);
    if (this.take(/\s*\(\s*/) === undefined) this.fail("expected (");
    const list: Evaluate[] = [];
    if (this.take(/\)/) === undefined) {
      // The template of States.Format keeps its escapes, which it reads itself: \{ is no placeholder.
      do list.push(this.argument(name === "States.Format" && list.length === 0));
      while (this.take(/\s*,\s*/) !== undefined);
      if (this.take(/\s*\)/) === undefined) this.fail("expected , or )");
    }
    return (input, context) => {
      const values = list.map((value) => value(input, context));
      try {
        return implementation(...values);
      } catch (error) {
        throw intrinsicFailure(`${name}: ${messageOf(error)}`);
      }
    };
  }

  private argument(keepsEscapes: boolean): Evaluate {
    const quoted = this.take(/'(?:[^'\\]|\\.)*'/)?.slice(1, -1);
    if (quoted !== undefined) {
      const value = keepsEscapes ? quoted : quoted.replace(/\\(.)/g, "$1");
      return () => value;
    }
    if (this.text.startsWith("States.", this.at)) return this.call();
    const path = this.take(/\$[^\s,()]*/);
    if (path !== undefined) {
      const compiled = compilePath(path);
      return (input, context) => evaluatePath(compiled, input, context);
    }
    const literal = this.take(/-?\d+(?:\.\d+)?|true|false|null/);
    if (literal === undefined) this.fail("expected a path, a number, true, false, null, 'text' or States.<name>");
    const value = JSON.parse(literal) as unknown;
    return () => value;
  }
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error(`expected a text, got ${JSON.stringify(value)}`);
}

function object(value: unknown): object {
  if (isRecord(value)) return value;
  throw new Error(`expected an object, got ${JSON.stringify(value)}`);
}

function format(template: unknown, ...values: readonly unknown[]): string {
  let used = 0;
  const result = text(template).replace(/\\(.)|\{\}/g, (_match, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const value = values[used++];
    if (typeof value === "object" && value !== null)
      throw new Error("an array or object cannot be formatted; use States.JsonToString");
    return typeof value === "string" ? value : String(JSON.stringify(value));
  });
  if (used !== values.length) throw new Error(`the template has ${used} placeholders for ${values.length} values`);
  return result;
}

function merge(first: unknown, second: unknown, deep: unknown): object {
  if (deep !== false) throw new Error("only shallow merging is supported; the third argument must be false");
  return { ...object(first), ...object(second) };
}

const implementations: Readonly<Record<string, Implementation>> = {
  "States.Format": format,
  "States.StringToJson": (value) => JSON.parse(text(value)) as unknown,
  "States.JsonToString": (value) => JSON.stringify(value),
  "States.JsonMerge": merge,
};
