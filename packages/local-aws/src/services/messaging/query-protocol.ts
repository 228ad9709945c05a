/** Members of the AWS query protocol: form-encoded in requests, XML in responses. */
import { xmlEscape } from "../../endpoint/protocols";

type Tree = Map<string, Tree | string>;

/** `A.member.1.B=x` becomes `{A: [{B: "x"}]}`. */
export function decodeForm(form: URLSearchParams): Record<string, unknown> {
  const root: Tree = new Map();
  for (const [name, value] of form) {
    if (name === "Action" || name === "Version") continue;
    const parts = name.split(".");
    const last = parts.pop() ?? "";
    let node = root;
    for (const part of parts) {
      const present = node.get(part);
      const next: Tree = present instanceof Map ? present : new Map();
      node.set(part, next);
      node = next;
    }
    node.set(last, value);
  }
  return structure(root);
}

function structure(node: Tree): Record<string, unknown> {
  return Object.fromEntries([...node].map(([name, value]) => [name, collapse(value)]));
}

function collapse(node: Tree | string): unknown {
  if (typeof node === "string") return node;
  const list = node.size === 1 ? node.get("member") : undefined;
  if (!(list instanceof Map)) return structure(node);
  return [...list].sort(([left], [right]) => Number(left) - Number(right)).map(([, item]) => collapse(item));
}

/** The elements of a structure's members; those without a value are left out. */
export function encodeMembers(structure: object): string {
  return Object.entries(structure)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `<${name}>${content(value)}</${name}>`)
    .join("");
}

function content(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => `<member>${content(item)}</member>`).join("");
  if (typeof value === "object" && value !== null) return encodeMembers(value);
  return xmlEscape(String(value));
}
