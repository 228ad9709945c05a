/** InputPath, Parameters, ResultSelector, ResultPath and OutputPath, compiled once. */
import { StatesError } from "./errors";
import { compileIntrinsic, type Evaluate } from "./intrinsics";
import { compilePath, evaluatePath, withValue } from "./path";

export type { Evaluate } from "./intrinsics";

/** Puts a state's result into its raw input. @throws StatesError States.ResultPathMatchFailure. */
export type Combine = (raw: unknown, result: unknown) => unknown;

/** A path, or with `allowIntrinsic` also `States.…(…)`. */
export function compileExpression(text: string, allowIntrinsic = false): Evaluate {
  if (allowIntrinsic && text.startsWith("States.")) return compileIntrinsic(text);
  const path = compilePath(text);
  return (input, context) => evaluatePath(path, input, context);
}

/** InputPath and OutputPath: absent is everything, null an empty object. */
export function compileSelection(path: unknown): Evaluate {
  if (path === undefined) return (input) => input;
  if (path === null) return () => ({});
  return compileExpression(String(path));
}

/** ResultPath: absent or `$` replaces the input, null keeps it. */
export function compileResultPath(path: unknown): Combine {
  if (path === undefined) return (_raw, result) => result;
  if (path === null) return (raw) => raw;
  const { reference, text } = compilePath(String(path));
  if (reference === undefined) throw new Error(`the ResultPath ${text} must be a reference path: $, .name, ['name'] and [index]`);
  return (raw, result) => {
    const combined = withValue(raw, reference, result);
    if (combined !== undefined) return combined.json;
    throw new StatesError(
      "States.ResultPathMatchFailure",
      `Unable to apply the ResultPath '${text}' to the input '${JSON.stringify(raw)}'.`,
    );
  };
}

/** A payload template: members whose name ends in `.$` are paths or intrinsic functions. */
export function compileTemplate(template: unknown): Evaluate {
  if (Array.isArray(template)) {
    const items = template.map(compileTemplate);
    return (input, context) => items.map((item) => item(input, context));
  }
  if (typeof template !== "object" || template === null) return () => template;
  const members = Object.entries(template).map(([key, value]: [string, unknown]): [string, Evaluate] => {
    if (!key.endsWith(".$")) return [key, compileTemplate(value)];
    if (typeof value !== "string" || !/^(\$|States\.)/.test(value))
      throw new Error(`the member "${key}" must hold a path or an intrinsic function, got ${JSON.stringify(value)}`);
    return [key.slice(0, -2), compileExpression(value, true)];
  });
  return (input, context) => Object.fromEntries(members.map(([key, value]) => [key, value(input, context)]));
}
