/** The table of service pairs in docs/controls.md; a test compares the two. */
import { type KeyUse, keySends, SERVICE_PAIRS, type ServicePair } from "@risk/local-aws/permissions";

const code = (texts: readonly string[]): string => texts.map((text) => `\`${text}\``).join(", ");

function resourceCell({ resource }: ServicePair): string {
  if (resource === undefined) return "";
  return `${code(resource.actions)}; ${resource.sends === "no conditions" ? "no condition at all" : code(resource.sends)}`;
}

function keyCell(use: KeyUse): string {
  const sends = keySends(use);
  return `${code(use.actions)}; ${sends.length === 0 ? "no condition" : code(sends)}`;
}

function roleCell({ role }: ServicePair): string {
  if (role === undefined) return "";
  return `${code(role.actions)}${role.on === "*" ? " on `*`" : ""}`;
}

/** Markdown; the cell of each IAM, resource and key policy is "actions; condition keys that the service sends". */
export function pairsTable(): string {
  const rows = SERVICE_PAIRS.map((pair) => [
    `${code([pair.service])}: ${pair.from}`,
    pair.target,
    roleCell(pair),
    resourceCell(pair),
    pair.key.map(keyCell).join("<br>"),
    pair.source.join("; "),
  ]);
  const table = [
    ["Service", "Reaches", "Policies of its role", "Policy of the resource", "Policy of its key", "Source"],
    ["---", "---", "---", "---", "---", "---"],
    ...rows,
  ];
  return table.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
