import { isRecord } from "@risk/program-graph";

/** The same event with `{ "a.b": 1 }` written as `{ a: { b: 1 } }`. An event without such keys is returned as it is. */
export function withoutDots(value: unknown): unknown {
  if (Array.isArray(value)) {
    const elements = value.map(withoutDots);
    return elements.every((element, index) => element === value[index]) ? value : elements;
  }
  if (!isRecord(value)) return value;
  const nested: Record<string, unknown> = {};
  let changed = false;
  for (const [key, inner] of Object.entries(value)) {
    const [head = "", ...rest] = key.split(".");
    const mended = rest.reduceRight<unknown>((below, part) => ({ [part]: below }), withoutDots(inner));
    changed ||= rest.length > 0 || mended !== inner;
    nested[head] = Object.hasOwn(nested, head) ? together(nested[head], mended) : mended;
  }
  return changed ? nested : value;
}

/** Two values at one path: fields of both objects, or both as elements. */
function together(one: unknown, other: unknown): unknown {
  if (!isRecord(one) || !isRecord(other)) return [one, other].flat();
  const fields = { ...one };
  for (const [key, value] of Object.entries(other))
    fields[key] = Object.hasOwn(fields, key) ? together(fields[key], value) : value;
  return fields;
}
