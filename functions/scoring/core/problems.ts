import type { JsonSchema, SchemaError } from "./json-schema";
import { KEY_PATTERN, KEY_RULE } from "./key-text";
import type { Problem } from "./types";

/** Problems listed for one record; the others are counted. A hostile record could otherwise cause thousands. */
const MAX_PROBLEMS = 50;
/** No profile has half as many fields. */
const MAX_MEMBERS = 200;
/** Largest array or string that reaches the schema at all; every limit in the schemas is lower. */
const MAX_ITEMS = 1000;
const MAX_TEXT = 8192;

/**
 * Checks the size of a record before the schema does: that collects every error, and would take its time over a million members.
 * Looks at the top level only, because no schema accepts anything nested deeper than an array of numbers.
 */
export function boundsProblems(record: object): readonly Problem[] {
  const found: Problem[] = [];
  let members = 0;
  for (const name in record) {
    if (++members > MAX_MEMBERS) {
      return [{ pointer: "", detail: `Expected at most ${MAX_MEMBERS} members, got more.` }];
    }
    const value = (record as Readonly<Record<string, unknown>>)[name];
    if (typeof value === "string" && value.length > MAX_TEXT) {
      found.push(unmet(pointerTo(name), `Expected at most ${MAX_TEXT} characters`, String(value.length)));
    } else if (Array.isArray(value) && value.length > MAX_ITEMS) {
      found.push(unmet(pointerTo(name), `Expected at most ${MAX_ITEMS} elements`, String(value.length)));
    }
    if (found.length >= MAX_PROBLEMS) break;
  }
  return found;
}

/**
 * Ajv's errors as problems: a JSON pointer, what was expected and what was found. `raw` is the value that was validated, `schema` its
 * schema. Of a field that it classifies (personal, location) only the type is named, because problems are logged.
 */
export function problems(errors: readonly SchemaError[], raw: unknown, schema: JsonSchema = {}): readonly Problem[] {
  const found = errors.slice(0, MAX_PROBLEMS).map((error) => describe(error, raw, schema));
  if (errors.length > MAX_PROBLEMS)
    found.push({ pointer: "", detail: `${errors.length - MAX_PROBLEMS} more problems are not listed.` });
  return found;
}

/** One text for logs: `/amount: Expected …, got …. /user_id: …`. */
export function problemText(list: readonly Problem[]): string {
  return list.map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail)).join(" ");
}

/**
 * The same for quarantine: which fields, and what was expected of them. Nothing of the input is quoted, neither values nor names that the
 * schema doesn't know, because a misplaced value may be anybody's name.
 */
export function expectationText(list: readonly Problem[], { properties = {} }: JsonSchema): string {
  const lines = list.map(({ pointer, detail, expected = detail }) => {
    const name = pointer.split("/")[1];
    if (name === undefined) return expected;
    return Object.hasOwn(properties, unescaped(name))
      ? `/${name}: ${expected}`
      : `A field that the schema does not know: ${expected}`;
  });
  return [...new Set(lines)].join(" ");
}

function describe(error: SchemaError, raw: unknown, schema: JsonSchema): Problem {
  const { instancePath: pointer, keyword, params } = error;
  const value = valueAt(raw, pointer);
  const got = isClassified(schema, pointer) ? typeOf(value) : shown(value);
  switch (keyword) {
    case "required":
      return {
        pointer: `${pointer}${pointerTo(String(params.missingProperty))}`,
        detail: "This field is required and was not given.",
      };
    case "additionalProperties": {
      const name = String(params.additionalProperty);
      return { pointer: `${pointer}${pointerTo(name)}`, detail: "This field is not known; remove it or correct its name." };
    }
    case "propertyNames":
      return {
        pointer: `${pointer}${pointerTo(String(params.propertyName))}`,
        detail: "This name is not allowed; use a-z, 0-9 and _.",
      };
    case "type":
      return unmet(pointer, `Expected ${typeNames(params.type)}`, got);
    case "enum":
      return unmet(pointer, `Expected one of ${(params.allowedValues as readonly unknown[]).map(shown).join(", ")}`, got);
    case "const":
      return unmet(pointer, `Expected ${shown(params.allowedValue)}`, got);
    case "false schema":
      return { pointer, detail: "This field does not belong here; remove it." };
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return unmet(pointer, `Expected a number ${String(params.comparison)} ${String(params.limit)}`, got);
    case "minLength":
    case "maxLength":
      return unmet(pointer, `Expected ${atLeastOrMost(keyword)} ${String(params.limit)} characters`, got);
    case "minItems":
    case "maxItems":
      return unmet(pointer, `Expected ${atLeastOrMost(keyword)} ${String(params.limit)} elements`, got);
    case "minProperties":
    case "maxProperties":
      return unmet(pointer, `Expected ${atLeastOrMost(keyword)} ${String(params.limit)} members`, got);
    case "pattern":
      if (params.pattern === KEY_PATTERN) return { pointer, detail: KEY_RULE };
      return unmet(pointer, `Expected text of the form ${String(params.pattern)}`, got);
    default:
      return unmet(pointer, `The value ${error.message ?? `fails "${keyword}"`}`, got);
  }
}

const unmet = (pointer: string, expected: string, got: string): Problem => ({
  pointer,
  detail: `${expected}, got ${got}.`,
  expected: `${expected}.`,
});

function atLeastOrMost(keyword: string): string {
  return keyword.startsWith("min") ? "at least" : "at most";
}

function typeNames(type: unknown): string {
  const names = (Array.isArray(type) ? type : [type]).map((name) => {
    if (name === "null") return "null";
    if (name === "number") return "a finite number";
    return `${/^[aeio]/.test(String(name)) ? "an" : "a"} ${String(name)}`;
  });
  return names.join(" or ");
}

/** Whether the pointer leads to or into a classified field of the top level. */
function isClassified({ properties = {} }: JsonSchema, pointer: string): boolean {
  const field = unescaped(pointer.split("/")[1] ?? "");
  return Object.hasOwn(properties, field) && properties[field]?.["x-classification"] !== undefined;
}

/** Describes a value without its content. */
function typeOf(value: unknown): string {
  if (typeof value === "string") return "text";
  if (typeof value === "number" || typeof value === "boolean") return `a ${typeof value}`;
  return shown(value);
}

/** A value for people: short, and without the content of arrays and objects. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return String(value);
}

function pointerTo(name: string): string {
  const short = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  return `/${short.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function unescaped(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

function valueAt(raw: unknown, pointer: string): unknown {
  let value = raw;
  for (const part of pointer.split("/").slice(1)) {
    if (typeof value !== "object" || value === null) return undefined;
    const name = unescaped(part);
    value = Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  return value;
}
