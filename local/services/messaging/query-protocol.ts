/** The AWS query protocol: form-encoded requests, XML answers. In answers a `Map` is an AWS map and a plain object a structure. */

type Tree = { [key: string]: Tree | string };

/** `A.member.1.B=x` becomes `{A: [{B: "x"}]}`; `A.entry.1.key=k&A.entry.1.value=v` becomes `{A: {k: "v"}}`. */
export function decodeForm(body: string): Record<string, unknown> {
  const root: Tree = {};
  for (const [name, value] of new URLSearchParams(body)) {
    if (name === "Action" || name === "Version") continue;
    const parts = name.split(".");
    let node = root;
    parts.forEach((part, index) => {
      if (index === parts.length - 1) {
        Object.defineProperty(node, part, { value, enumerable: true, writable: true, configurable: true });
        return;
      }
      const present = Object.hasOwn(node, part) ? node[part] : undefined;
      const next: Tree = typeof present === "object" ? present : {};
      Object.defineProperty(node, part, { value: next, enumerable: true, writable: true, configurable: true });
      node = next;
    });
  }
  return Object.fromEntries(Object.entries(root).map(([key, value]) => [key, collapse(value)]));
}

function collapse(node: Tree | string): unknown {
  if (typeof node === "string") return node;
  const keys = Object.keys(node);
  const only = keys.length === 1 ? node[keys[0] ?? ""] : undefined;
  if (keys[0] === "member" && typeof only === "object") return ordered(only).map(collapse);
  if (keys[0] === "entry" && typeof only === "object") {
    return Object.fromEntries(
      ordered(only).map((entry) => {
        const pair: Tree = typeof entry === "string" ? {} : entry;
        return [String(pair.key ?? pair.Name ?? ""), collapse(pair.value ?? pair.Value ?? "")];
      }),
    );
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, collapse(value)]));
}

function ordered(list: Tree): (Tree | string)[] {
  return Object.entries(list)
    .sort(([left], [right]) => Number(left) - Number(right))
    .map(([, value]) => value);
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;" };

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => escapes[character] ?? character);
}

/** The whole answer document of `action`. */
export function encodeXml(action: string, namespace: string, requestId: string, result: object | undefined): string {
  const inner = result === undefined ? "" : `<${action}Result>${members(result)}</${action}Result>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return `<?xml version="1.0"?>\n<${action}Response xmlns="${namespace}">${inner}${metadata}</${action}Response>`;
}

function members(structure: object): string {
  return Object.entries(structure)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `<${name}>${content(value)}</${name}>`)
    .join("");
}

function content(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Map) {
    return [...value]
      .map(([key, item]) => `<entry><key>${escapeXml(String(key))}</key><value>${content(item)}</value></entry>`)
      .join("");
  }
  if (Array.isArray(value)) return value.map((item) => `<member>${content(item)}</member>`).join("");
  if (typeof value === "object" && value !== null) return members(value);
  return escapeXml(String(value));
}
