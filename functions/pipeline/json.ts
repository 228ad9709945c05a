/**
 * Readers of JSON values: what is declared is what is typed. They collect every problem with its JSON pointer. The documents of the
 * pipelines are read with these instead of compiled schemas, whose one module would weigh on the cold start of every scoring function.
 */
import { problemText } from "../core/problems";
import { didYouMean } from "../core/suggest";
import type { Problem } from "../core/types";

/** The value, or undefined after adding to `found` what is wrong with it. */
export type Read<T> = (value: unknown, pointer: string, found: Problem[]) => T | undefined;

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
/** A reader for each member that has to be there. */
type Required<T> = { readonly [K in Exclude<keyof T, OptionalKeys<T>>]-?: Read<T[K]> };
/** A reader for each member that may be left out. */
type Optional<T> = { readonly [K in OptionalKeys<T>]-?: Read<Exclude<T[K], undefined>> };

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Problems that a message lists; the rest is counted. */
const MAX_LISTED = 20;

export function read<T>(reader: Read<T>, value: unknown): Parsed<T> {
  const found: Problem[] = [];
  const result = reader(value, "", found);
  return result === undefined || found.length > 0 ? { ok: false, problems: found } : { ok: true, value: result };
}

/** As {@link read}, from text. */
export function readText<T>(reader: Read<T>, text: string): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [{ pointer: "", detail: `It is not JSON (${reason}).` }] };
  }
  return read(reader, value);
}

/** One text of the problems: `/features/0/type: Expected …`. */
export function listed(problems: readonly Problem[]): string {
  const rest = problems.length - MAX_LISTED;
  return `${problemText(problems.slice(0, MAX_LISTED))}${rest > 0 ? ` And ${rest} more.` : ""}`;
}

export interface NumberLimits {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

export const number =
  ({ min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false }: NumberLimits = {}): Read<number> =>
  (value, pointer, found) => {
    const fits = typeof value === "number" && Number.isFinite(value) && value >= min && value <= max;
    if (fits && (!integer || Number.isInteger(value))) return value;
    const kind = integer ? "a whole number" : "a number";
    const range =
      min === Number.NEGATIVE_INFINITY ? "" : max === Number.POSITIVE_INFINITY ? ` from ${min}` : ` from ${min} to ${max}`;
    return expected(`${kind}${range}`, value, pointer, found);
  };

/** A count: 0, 1, 2, … */
export const count = number({ min: 0, integer: true });

export interface TextForm {
  readonly pattern: RegExp;
  /** The pattern in words. */
  readonly form: string;
}

export const text =
  (form?: TextForm): Read<string> =>
  (value, pointer, found) => {
    if (typeof value === "string" && (form === undefined || form.pattern.test(value))) return value;
    return expected(form?.form ?? "text", value, pointer, found);
  };

/** One of the values. */
export const oneOf =
  <T extends string | number>(...allowed: readonly T[]): Read<T> =>
  (value, pointer, found) => {
    const match = allowed.find((candidate) => candidate === value);
    return match ?? expected(allowed.map((one) => JSON.stringify(one)).join(" or "), value, pointer, found);
  };

export const nullable =
  <T>(reader: Read<T>): Read<T | null> =>
  (value, pointer, found) =>
    value === null ? null : reader(value, pointer, found);

export const list =
  <T>(item: Read<T>, { min = 0, max = Number.POSITIVE_INFINITY }: NumberLimits = {}): Read<readonly T[]> =>
  (value, pointer, found) => {
    if (!Array.isArray(value)) return expected("a list", value, pointer, found);
    if (value.length < min || value.length > max) {
      const range = max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
      found.push({ pointer, detail: `Expected ${range} elements, got ${value.length}.` });
      return undefined;
    }
    const items: T[] = [];
    for (const [index, one] of value.entries()) {
      const element = item(one, `${pointer}/${index}`, found);
      if (element !== undefined) items.push(element);
    }
    return items.length === value.length ? items : undefined;
  };

/** An object whose members are all alike. */
export const record =
  <T>(item: Read<T>): Read<Readonly<Record<string, T>>> =>
  (value, pointer, found) => {
    if (!isObject(value)) return expected("an object", value, pointer, found);
    const before = found.length;
    const members: Record<string, T> = {};
    for (const [name, one] of Object.entries(value)) {
      const member = item(one, `${pointer}${step(name)}`, found);
      if (member !== undefined) members[name] = member;
    }
    return found.length === before ? members : undefined;
  };

/** An object of these members and no other. */
export const object = <T>(required: Required<T>, optional: Optional<T>): Read<T> => members(required, optional, false);

/** An object of these members; others are passed over. */
export const openObject = <T>(required: Required<T>, optional: Optional<T>): Read<T> => members(required, optional, true);

function members<T>(required: Required<T>, optional: Optional<T>, isOpen: boolean): Read<T> {
  const needed = Object.entries<Read<unknown>>(required);
  const allowed = Object.entries<Read<unknown>>(optional);
  const names = [...needed, ...allowed].map(([name]) => name);
  return (value, pointer, found) => {
    if (!isObject(value)) return expected("an object", value, pointer, found);
    const before = found.length;
    const result: Record<string, unknown> = {};
    for (const [name, reader] of needed) {
      if (Object.hasOwn(value, name)) result[name] = reader(value[name], `${pointer}${step(name)}`, found);
      else found.push({ pointer: `${pointer}${step(name)}`, detail: "This member is required and was not given." });
    }
    for (const [name, reader] of allowed) {
      if (Object.hasOwn(value, name)) result[name] = reader(value[name], `${pointer}${step(name)}`, found);
    }
    for (const name of isOpen ? [] : Object.keys(value)) {
      if (names.includes(name)) continue;
      const detail = `This member is not known; remove it or correct its name.${didYouMean(name, names)}`;
      found.push({ pointer: `${pointer}${step(name)}`, detail });
    }
    // Every member of T has been read by its own reader, which the compiler cannot follow through the names.
    return found.length === before ? (result as T) : undefined;
  };
}

/** Objects that a member of theirs tells apart. */
export const variant =
  <T>(discriminator: string, readers: Readonly<Record<string, Read<T>>>): Read<T> =>
  (value, pointer, found) => {
    if (!isObject(value)) return expected("an object", value, pointer, found);
    const kind = value[discriminator];
    const reader = typeof kind === "string" && Object.hasOwn(readers, kind) ? readers[kind] : undefined;
    if (reader !== undefined) return reader(value, pointer, found);
    const kinds = Object.keys(readers).map((one) => JSON.stringify(one));
    return expected(kinds.join(" or "), kind, `${pointer}${step(discriminator)}`, found);
  };

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expected(what: string, value: unknown, pointer: string, found: Problem[]): undefined {
  found.push({ pointer, detail: `Expected ${what}, got ${shown(value)}.` });
  return undefined;
}

const step = (name: string): string => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** A value for people: short, and never the inside of a structure. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return String(value);
}
