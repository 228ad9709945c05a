/**
 * Encrypted values of a stack file. Only the backend that made them has their key, so this machine takes each from an environment
 * variable of its name.
 */
import type { Document } from "yaml";

/** Where a value is: `["config", "risk:fraud", "x"]`. */
type Path = readonly (string | number)[];

interface Revealed {
  /** Full keys that hold an encrypted value; the CLI treats an object with a secret member as a secret. */
  readonly secretKeys: readonly string[];
  /** One line for each value whose variable is not set. */
  readonly problems: readonly string[];
}

/**
 * Replaces each `{secure: …}` below `config` by the text of its variable, `PULUMI_CONFIG_RISK_FRAUD_X` for `risk:fraud.x`.
 * @param document a stack file; it is changed
 * @param project the namespace of keys without one
 */
export function revealSecureValues(document: Document, project: string, env: NodeJS.ProcessEnv): Revealed {
  const secretKeys = new Set<string>();
  const problems: string[] = [];
  const { config }: { readonly config?: unknown } = document.toJS() ?? {};
  for (const path of securePaths(config, [])) {
    const [key, ...members] = path.map(String);
    const full = qualified(project, key ?? "");
    const name = [full, ...members].join(".");
    const variable = `PULUMI_CONFIG_${name.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase()}`;
    const plain = env[variable];
    secretKeys.add(full);
    if (plain === undefined)
      problems.push(`${name}: is encrypted with a key that is not here; set ${variable} to the value for this machine.`);
    else document.setIn(["config", ...path], plain);
  }
  return { secretKeys: [...secretKeys], problems };
}

/** `suffix` in project `risk` is `risk:suffix`. */
export const qualified = (project: string, key: string): string => (key.includes(":") ? key : `${project}:${key}`);

function securePaths(value: unknown, path: Path): Path[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => securePaths(item, [...path, index]));
  const members = Object.entries(value);
  // The CLI takes `secure` with anything but one text for an ordinary member.
  if (path.length > 0 && members.length === 1 && typeof members[0]?.[1] === "string" && members[0][0] === "secure") return [path];
  return members.flatMap(([name, member]) => securePaths(member, [...path, name]));
}
