import { AwsError } from "../../contracts";
import type { Target } from "./store";

/** `$`, `$.a.b`, `$.a[0]`, `$['a b']`; anything else of JSONPath is refused. */
export function parsePath(path: string): readonly string[] {
  const parts: string[] = [];
  let rest = path.startsWith("$") ? path.slice(1) : undefined;
  while (rest !== undefined && rest !== "") {
    const match: RegExpExecArray | null = /^(?:\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\])/.exec(rest);
    if (match === null) rest = undefined;
    else {
      parts.push(match[1] ?? match[2] ?? match[3] ?? "");
      rest = rest.slice(match[0].length);
    }
  }
  if (rest === undefined)
    throw new AwsError("ValidationException", `JSON path ${path} must be made of $, .name, [index] and ['name'].`);
  return parts;
}

function valueAt(event: unknown, path: string): unknown {
  return parsePath(path).reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<string, unknown>)[key];
  }, event);
}

/** What the target receives: the event, a constant, or the filled template. */
export function targetInput(target: Target, event: string, ruleArn: string, nowMs: number): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputTransformer !== undefined) return transform(target.InputTransformer, event, ruleArn, nowMs);
  return event;
}

/**
 * In a JSON template `<name>` stands for a JSON value, but inside a quoted string for its text. In a text template, one JSON string,
 * it always stands for text. An absent path is an empty text, or `null` where a JSON value is needed.
 * Source: EventBridge user guide, "Input transformation".
 */
function transform(transformer: NonNullable<Target["InputTransformer"]>, event: string, ruleArn: string, nowMs: number): string {
  const parsed: unknown = JSON.parse(event);
  const values = new Map<string, unknown>(
    Object.entries(transformer.InputPathsMap).map(([name, path]) => [name, valueAt(parsed, path)]),
  );
  const bus = /:rule\/([^/]+)\/[^/]+$/.exec(ruleArn)?.[1] ?? "default";
  values.set("aws.events.rule-arn", ruleArn);
  values.set("aws.events.rule-name", ruleArn.slice(ruleArn.lastIndexOf("/") + 1));
  values.set("aws.events.event-bus", bus);
  values.set("aws.events.event.ingestion-time", new Date(nowMs).toISOString());
  values.set("aws.events.event", parsed);
  values.set("aws.events.event.json", parsed);

  let quoted = false;
  let output = "";
  const template = transformer.InputTemplate;
  for (let index = 0; index < template.length; index++) {
    const character = template.charAt(index);
    const name = character === "<" ? /^<([A-Za-z0-9_.-]+)>/.exec(template.slice(index)) : null;
    if (name !== null && values.has(name[1] ?? "")) {
      const value = values.get(name[1] ?? "");
      output += quoted ? asText(value) : JSON.stringify(value ?? null);
      index += name[0].length - 1;
      continue;
    }
    output += character;
    if (quoted && character === "\\") output += template.charAt(++index);
    else if (character === '"') quoted = !quoted;
  }
  // Text templates ("…" lines) reach the target without their quotes, so that a mail reads as text.
  const lines = output.split("\n");
  if (lines.every((line) => /^\s*".*"\s*$/.test(line))) return lines.map(unquote).join("\n");
  return output;
}

function asText(value: unknown): string {
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}

function unquote(line: string): string {
  try {
    return String(JSON.parse(line));
  } catch {
    // Not one JSON string after all: AWS passes the text as it is.
    return line;
  }
}
