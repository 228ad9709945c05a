/** Applies the differences between two evaluations of the program to the running bodies. */

import { diff, type Graph, ResourceTypes } from "@risk/program-graph";
import type { ResourceBody } from "../contracts";
import { bodyError } from "./deploy";

export interface ReloadResult {
  /** `aws:ssm/parameter:Parameter policy: value` of each change that is in effect. */
  readonly applied: readonly string[];
  /** Changes that take effect at the next start: new, removed and replaced resources. */
  readonly needsRestart: readonly string[];
}

/** @throws Error for the first change that its service refuses; those before it are in effect. */
export async function applyChanges(before: Graph, after: Graph, bodies: readonly ResourceBody[]): Promise<ReloadResult> {
  const types = new ResourceTypes(bodies);
  const difference = diff(before, after);
  const applied: string[] = [];
  const needsRestart = [...difference.added, ...difference.removed]
    .filter(({ id }) => id !== "")
    .map(({ type, name }) => `${type} ${name}`);
  for (const change of difference.changed) {
    const body = types.get(change.after.type);
    if (change.after.id === "" || body === undefined) continue;
    const line = `${change.after.type} ${change.after.name}: ${change.fields.map(({ path }) => path).join(", ")}`;
    const replaces = change.fields.some(({ path }) => body.replaceOn.includes(path.split(/[.[]/)[0] ?? path));
    // A type without a body of its own has nothing to replace.
    if (replaces && body.create !== undefined) {
      needsRestart.push(line);
      continue;
    }
    try {
      await body.update?.(change.after, change.before);
    } catch (error) {
      throw bodyError(change.after, error);
    }
    applied.push(line);
  }
  return { applied, needsRestart };
}
