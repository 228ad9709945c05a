/** Edits of a stack file as `pulumi config set --path` and `pulumi config rm --path` make them. */
import { parseDocument } from "yaml";

/** @param values by full key, `risk:fraud.shards` for a member; `undefined` removes it */
export function withConfig(text: string, values: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text);
  for (const [key, value] of Object.entries(values)) {
    const path = ["config", ...key.split(".")];
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, value);
  }
  return document.toString({ lineWidth: 0 });
}
