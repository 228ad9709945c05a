/** Deeper values are refused: nothing that the platform hashes comes close, and the recursion stays safe. */
const MAX_DEPTH = 64;

/**
 * JSON in which members are sorted by name and `undefined` members are left out, so that equal values have equal texts
 * (RFC 8785 for the values that JSON can hold). Throws a TypeError on what JSON cannot hold: NaN, Infinity, bigint,
 * functions, and nesting beyond 64 levels.
 */
export function canonicalJson(value: unknown): string {
  return isOrdered(value) ? JSON.stringify(value) : write(value, 0);
}

/**
 * Whether the value is a flat object whose members are already in canonical order, as profiles write theirs. For these JSON.stringify,
 * which is five times as fast, gives the canonical text.
 */
function isOrdered(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  let previous = "";
  for (const name in value) {
    if (name < previous) return false;
    previous = name;
    const member = (value as Readonly<Record<string, unknown>>)[name];
    switch (typeof member) {
      case "string":
      case "boolean":
      case "undefined":
        break;
      case "number":
        if (!Number.isFinite(member)) return false;
        break;
      default:
        if (member !== null) return false;
    }
  }
  return true;
}

function write(value: unknown, depth: number): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`Canonical JSON cannot hold ${value}; give a finite number or null.`);
      // Both JSON.stringify and String write minus zero as "0".
      return String(value);
    case "object":
      break;
    default:
      throw new TypeError(`Canonical JSON cannot hold a ${typeof value}; give a string, number, boolean, null, array or object.`);
  }
  if (depth >= MAX_DEPTH) throw new TypeError(`Canonical JSON is limited to ${MAX_DEPTH} levels of nesting; flatten the value.`);
  if (Array.isArray(value)) return `[${value.map((item: unknown) => write(item ?? null, depth + 1)).join(",")}]`;
  const members = value as Readonly<Record<string, unknown>>;
  let text = "";
  for (const name of Object.keys(members).sort()) {
    const member = members[name];
    if (member === undefined) continue;
    text += `${text ? "," : ""}${JSON.stringify(name)}:${write(member, depth + 1)}`;
  }
  return `{${text}}`;
}
