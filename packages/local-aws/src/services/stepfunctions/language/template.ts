/** InputPath, Parameters, ResultSelector and ResultPath, compiled once. */
import { isRecord } from "@risk/program-graph";
import type { Structure } from "../tasks/integration";
import { StatesError } from "./errors";
import { compileIntrinsic, type Evaluate } from "./intrinsics";
import { compilePath, evaluatePath, withValue } from "./path";

export type { Evaluate } from "./intrinsics";

/** Puts a state's result into its raw input. @throws StatesError States.ResultPathMatchFailure. */
export type Combine = (raw: unknown, result: unknown) => unknown;

export function compileReference(text: string): Evaluate {
  const path = compilePath(text);
  return (input, context) => evaluatePath(path, input, context);
}

/** ResultPath: absent or `$` replaces the input, null keeps it. */
export function compileResultPath(path: unknown): Combine {
  if (path === undefined) return (_raw, result) => result;
  if (path === null) return (raw) => raw;
  const { names, text, ofContext } = compilePath(String(path));
  if (ofContext) throw new Error(`the ResultPath ${text} must begin with a single $`);
  return (raw, result) => {
    if (names.length === 0 || isRecord(raw)) return withValue(raw, names, result);
    throw new StatesError(
      "States.ResultPathMatchFailure",
      `Unable to apply the ResultPath '${text}' to the input '${JSON.stringify(raw)}'.`,
    );
  };
}

/** A payload template. */
export function compileTemplate(template: unknown): Evaluate {
  if (Array.isArray(template)) {
    const items = template.map(compileTemplate);
    return (input, context) => items.map((item) => item(input, context));
  }
  return isRecord(template) ? compileMembers(template) : () => template;
}

/** Members whose name ends in `.$` are paths or intrinsic functions. */
export function compileMembers(template: Structure): (input: unknown, context: unknown) => Structure {
  const members = Object.entries(template).map(([key, value]): [string, Evaluate] => {
    if (!key.endsWith(".$")) return [key, compileTemplate(value)];
    if (typeof value !== "string" || !/^(\$|States\.)/.test(value))
      throw new Error(`the member "${key}" must hold a path or an intrinsic function, got ${JSON.stringify(value)}`);
    return [key.slice(0, -2), value.startsWith("$") ? compileReference(value) : compileIntrinsic(value)];
  });
  return (input, context) => Object.fromEntries(members.map(([key, value]) => [key, value(input, context)]));
}
