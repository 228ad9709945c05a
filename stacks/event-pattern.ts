/**
 * EventBridge patterns in stack config: their form is checked before anything is deployed. What the matchers mean, EventBridge says, and
 * the local runtime, which refuses the same.
 */
import { isObject } from "../functions/scoring/core/json";
import { type ConfigPath, removeCommand } from "./commands";

export type EventPattern = Readonly<Record<string, unknown>>;

/** "Amazon EventBridge quotas": an account may ask for more. */
const MAX_LENGTH = 2048;

/**
 * @param at where the pattern is, `["risk:fraud", "eventPattern"]`
 * @param raw JSON, undefined if there is no pattern
 */
export function parseEventPattern(
  stack: string,
  at: ConfigPath,
  raw: string | null | undefined,
): { readonly pattern: EventPattern | undefined; readonly problems: readonly string[] } {
  if (raw === undefined) return { pattern: undefined, problems: [] };
  const pattern = parsed(String(raw));
  const problem = isObject(pattern)
    ? (lengthProblem(pattern) ?? problemAt(pattern, ""))
    : "expected an object of fields and lists";
  if (problem === null && isObject(pattern)) return { pattern, problems: [] };
  return { pattern: undefined, problems: [`${at.join(".")}: ${problem}. Fix: ${removeCommand(stack, at)}`] };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lengthProblem(pattern: EventPattern): string | null {
  const { length } = JSON.stringify(pattern);
  return length <= MAX_LENGTH ? null : `expected at most ${MAX_LENGTH} characters of JSON, got ${length}`;
}

/** Objects down to lists of what a field may be; `$or` is a list of patterns. */
function problemAt(pattern: EventPattern, path: string): string | null {
  const fields = Object.entries(pattern);
  if (fields.length === 0) return `expected fields in ${path || "the pattern"}, got none: it would match nothing`;
  for (const [name, value] of fields) {
    const problem = fieldProblem(name, value, path === "" ? name : `${path}.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}

function fieldProblem(name: string, value: unknown, path: string): string | null {
  if (name === "$or") return alternativesProblem(value, path);
  if (isObject(value)) return problemAt(value, path);
  if (!Array.isArray(value)) return `expected a list of what ${path} may be, got ${JSON.stringify(value)}`;
  return value.length > 0 ? null : `expected a list of what ${path} may be, got an empty one`;
}

function alternativesProblem(value: unknown, path: string): string | null {
  if (!Array.isArray(value) || value.length < 2 || !value.every(isObject))
    return `expected a list of at least two patterns in ${path}`;
  for (const alternative of value) {
    const problem = problemAt(alternative, path);
    if (problem !== null) return problem;
  }
  return null;
}
