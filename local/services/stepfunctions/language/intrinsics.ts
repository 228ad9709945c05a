/**
 * Intrinsic functions. Source: Step Functions developer guide, "Intrinsic functions"; limits and inclusive bounds are its own.
 */
import { createHash, randomInt, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { intrinsicFailure, StatesError } from "./errors";
import { compilePath, evaluatePath } from "./path";

export type Evaluate = (input: unknown, context: unknown) => unknown;

/** An argument; `raw` is a literal text with its escapes, which States.Format reads itself. */
interface Argument {
  readonly value: Evaluate;
  readonly raw: string | undefined;
}

type Implementation = (...values: readonly unknown[]) => unknown;

const maxTextLength = 10_000;

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
    if (implementation === undefined) this.fail(`${name} is unknown; known are ${Object.keys(implementations).join(", ")}`);
    if (this.take(/\s*\(\s*/) === undefined) this.fail("expected (");
    const list: Argument[] = [];
    if (this.take(/\)/) === undefined) {
      do list.push(this.argument());
      while (this.take(/\s*,\s*/) !== undefined);
      if (this.take(/\s*\)/) === undefined) this.fail("expected , or )");
    }
    return (input, context) => {
      const values = list.map(({ value, raw }, index) =>
        // Only the template of States.Format needs its escapes: \{ is no placeholder.
        name === "States.Format" && index === 0 && raw !== undefined ? raw : value(input, context),
      );
      return run(name, implementation, values);
    };
  }

  private argument(): Argument {
    const quoted = this.take(/'(?:[^'\\]|\\.)*'/);
    if (quoted !== undefined) {
      const raw = quoted.slice(1, -1);
      const value = raw.replace(/\\(.)/g, "$1");
      return { value: () => value, raw };
    }
    if (this.text.startsWith("States.", this.at)) return { value: this.call(), raw: undefined };
    const path = this.take(/\$(?:\[[^\]]*\]|[^\s,()[\]])*/);
    if (path !== undefined) {
      const compiled = compilePath(path);
      return { value: (input, context) => evaluatePath(compiled, input, context), raw: undefined };
    }
    const literal = this.take(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/);
    if (literal === undefined) this.fail("expected a path, a number, true, false, null, 'text' or States.<name>");
    const value = JSON.parse(literal) as unknown;
    return { value: () => value, raw: undefined };
  }
}

function run(name: string, implementation: Implementation, values: readonly unknown[]): unknown {
  try {
    return implementation(...values);
  } catch (error) {
    if (error instanceof StatesError && error.error !== "States.IntrinsicFailure") throw error;
    throw intrinsicFailure(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function check<T>(value: unknown, is: (value: unknown) => value is T, expected: string): T {
  if (is(value)) return value;
  throw new Error(`expected ${expected}, got ${JSON.stringify(value)}`);
}

const text = (value: unknown) => check(value, (one): one is string => typeof one === "string", "a text");
const list = (value: unknown) => check(value, (one): one is unknown[] => Array.isArray(one), "an array");
const number = (value: unknown) => check(value, (one): one is number => typeof one === "number", "a number");
const integer = (value: unknown) => check(value, (one): one is number => Number.isInteger(one), "an integer");
const object = (value: unknown) =>
  check(value, (one): one is object => typeof one === "object" && one !== null && !Array.isArray(one), "an object");

function shortText(value: unknown): string {
  const checked = text(value);
  if (checked.length > maxTextLength) throw new Error(`the text is longer than ${maxTextLength} characters`);
  return checked;
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

function range(first: unknown, last: unknown, by: unknown): number[] {
  const [from, to, step] = [integer(first), integer(last), integer(by)];
  if (step === 0) throw new Error("the step must not be 0");
  const length = Math.max(0, Math.floor((to - from) / step) + 1);
  if (length > 1000) throw new Error("the range has more than 1000 elements");
  return Array.from({ length }, (_unused, index) => from + index * step);
}

function hash(data: unknown, algorithm: unknown): string {
  const names: Readonly<Record<string, string>> = {
    MD5: "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
  };
  const name = names[text(algorithm)];
  if (name === undefined) throw new Error(`the algorithm must be one of ${Object.keys(names).join(", ")}`);
  return createHash(name)
    .update(typeof data === "string" ? shortText(data) : JSON.stringify(data))
    .digest("hex");
}

/** `first` inclusive, `last` exclusive; the same seed gives the same number. */
function random(first: unknown, last: unknown, seed: unknown): number {
  const [from, to] = [integer(first), integer(last)];
  if (to <= from) throw new Error("the end must be greater than the start");
  if (seed === undefined) return randomInt(from, to);
  const digest = createHash("sha256")
    .update(String(integer(seed)))
    .digest();
  return from + (digest.readUIntBE(0, 6) % (to - from));
}

function partition(values: unknown, size: unknown): unknown[][] {
  const [items, length] = [list(values), integer(size)];
  if (length < 1) throw new Error("the chunk size must be at least 1");
  return Array.from({ length: Math.ceil(items.length / length) }, (_unused, index) =>
    items.slice(index * length, (index + 1) * length),
  );
}

function item(values: unknown, index: unknown): unknown {
  const [items, at] = [list(values), integer(index)];
  if (at < 0 || at >= items.length) throw new Error(`the index ${at} is outside an array of ${items.length}`);
  return items[at];
}

function merge(first: unknown, second: unknown, deep: unknown): object {
  if (deep !== false) throw new Error("only shallow merging is supported; the third argument must be false");
  return { ...object(first), ...object(second) };
}

function splitText(whole: unknown, delimiters: unknown): string[] {
  const separators = new Set(text(delimiters));
  const parts = [""];
  for (const character of text(whole)) {
    if (separators.has(character)) parts.push("");
    else parts.push(`${parts.pop()}${character}`);
  }
  return parts.filter((part) => part !== "");
}

const implementations: Readonly<Record<string, Implementation>> = {
  "States.Format": format,
  "States.StringToJson": (value) => JSON.parse(text(value)) as unknown,
  "States.JsonToString": (value) => JSON.stringify(value),
  "States.Array": (...values) => values,
  "States.ArrayPartition": partition,
  "States.ArrayContains": (values, wanted) => list(values).some((value) => isDeepStrictEqual(value, wanted)),
  "States.ArrayRange": range,
  "States.ArrayGetItem": item,
  "States.ArrayLength": (values) => list(values).length,
  "States.ArrayUnique": (values) =>
    list(values).filter((value, index, all) => all.findIndex((other) => isDeepStrictEqual(value, other)) === index),
  "States.Base64Encode": (value) => Buffer.from(shortText(value)).toString("base64"),
  "States.Base64Decode": (value) => Buffer.from(shortText(value), "base64").toString(),
  "States.Hash": hash,
  "States.JsonMerge": merge,
  "States.MathRandom": random,
  "States.MathAdd": (left, right) => Math.round(number(left)) + Math.round(number(right)),
  "States.StringSplit": splitText,
  "States.UUID": () => randomUUID(),
};
