/** Reads the pipelines' JSON with compiled schemas: gives the value, or every problem with its JSON pointer. */
import { isObject } from "../../scoring/core/json";
import type { SchemaError, Validate } from "../../scoring/core/json-schema";
import { problems, problemText } from "../../scoring/core/problems";
import { didYouMean } from "../../scoring/core/suggest";
import type { Problem } from "../../scoring/core/types";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };
export type Reader<T> = (value: unknown) => Parsed<T>;

/** Problems listed in a message; the others are counted. */
const MAX_LISTED = 20;

/**
 * @param validate compiled from the schema that T describes
 * @param schema the same schema, for documents that people write: with it, an unknown member is answered with the name that was probably meant
 */
export function reader<T>(validate: Validate, schema: object = {}): Reader<T> {
  return (value) => {
    // The validator has established the shape, which the compiler can't know.
    if (validate(value)) return { ok: true, value: value as T };
    // Besides the failed keyword of a branch, Ajv reports the `if` that led there.
    const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== "if");
    const found = problems(errors, value).map((problem, index) => {
      const error = errors[index];
      return error?.keyword === "additionalProperties"
        ? { ...problem, detail: `${problem.detail}${suggestion(error, schema)}` }
        : problem;
    });
    return { ok: false, problems: found };
  };
}

/** Parses text; text that isn't JSON is one problem of the whole document. */
export function readText<T>(read: Reader<T>, text: string): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [{ pointer: "", detail: `It is not JSON (${reason}).` }] };
  }
  return read(value);
}

/** The problems as one text: `/features/0/type: Expected …`. */
export function listed(found: readonly Problem[]): string {
  const rest = found.length - MAX_LISTED;
  return `${problemText(found.slice(0, MAX_LISTED))}${rest > 0 ? ` And ${rest} more.` : ""}`;
}

function suggestion({ schemaPath = "#", params }: SchemaError, schema: object): string {
  // `#/properties/quality/additionalProperties`: the known names stand beside the keyword.
  const steps = schemaPath.split("/").slice(1, -1);
  const parent = steps.reduce<unknown>((at, step) => (isObject(at) ? at[step] : undefined), schema);
  const known = isObject(parent) && isObject(parent.properties) ? Object.keys(parent.properties) : [];
  return didYouMean(String(params.additionalProperty), known);
}
