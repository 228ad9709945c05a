/** Reads members of a parsed model file; every failure names the member by its path. */
import { refuse } from "./errors";

export type Json = Readonly<Record<string, unknown>>;

export function member(parent: Json, path: string, name: string): unknown {
  if (!Object.hasOwn(parent, name)) refuse(`${join(path, name)} is missing: the file is damaged or not an XGBoost model.`);
  return parent[name];
}

export function object(parent: Json, path: string, name: string): Json {
  const value = member(parent, path, name);
  return isObject(value) ? value : refuse(`${join(path, name)} is ${describe(value)}; an object was expected.`);
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

export function text(parent: Json, path: string, name: string): string {
  const value = member(parent, path, name);
  return typeof value === "string" ? value : refuse(`${join(path, name)} is ${describe(value)}; a text was expected.`);
}

/** A number, or a text holding one: XGBoost writes parameters as text. */
export function integer(parent: Json, path: string, name: string, fallback?: number): number {
  if (fallback !== undefined && !Object.hasOwn(parent, name)) return fallback;
  const value = numeric(member(parent, path, name));
  if (!Number.isSafeInteger(value) || value < 0) {
    refuse(`${join(path, name)} is ${describe(parent[name])}; a whole number was expected.`);
  }
  return value;
}

/** An array of numbers, typed or not, of an expected length; `length` undefined takes any. */
export function numbers(parent: Json, path: string, name: string, length?: number): ArrayLike<number> {
  const value = member(parent, path, name);
  const at = join(path, name);
  if (!isArray(value)) return refuse(`${at} is ${describe(value)}; an array of numbers was expected.`);
  if (length !== undefined && value.length !== length) {
    refuse(`${at} has ${value.length} elements where ${length} were expected: the file is damaged.`);
  }
  if (ArrayBuffer.isView(value)) return value as ArrayLike<number> & ArrayBufferView;
  const items: number[] = [];
  for (let index = 0; index < value.length; index++) {
    const item = value[index];
    const number = typeof item === "number" ? item : item === true ? 1 : item === false ? 0 : nonFinite(item);
    if (number === null) refuse(`${at}[${index}] is ${describe(item)}; a number was expected.`);
    items.push(number);
  }
  return items;
}

/** Elements of an array as values of any kind. */
export function list(parent: Json, path: string, name: string): ArrayLike<unknown> {
  const value = member(parent, path, name);
  return isArray(value) ? value : refuse(`${join(path, name)} is ${describe(value)}; an array was expected.`);
}

/** NaN when the value is no number. */
export function numeric(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

const NON_FINITE: Readonly<Record<string, number>> = { Infinity: Infinity, "-Infinity": -Infinity, NaN: Number.NaN };

/** XGBoost writes bare `Infinity` and `NaN`; the reader quotes them so that JSON can be parsed. */
function nonFinite(item: unknown): number | null {
  return typeof item === "string" && Object.hasOwn(NON_FINITE, item) ? NON_FINITE[item]! : null;
}

function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function describe(value: unknown): string {
  if (isArray(value)) return "an array";
  if (isObject(value)) return "an object";
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
}
