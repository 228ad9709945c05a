/** Gives every resource of a graph its body, dependencies first. */

import type { Graph } from "@risk/program-graph";
import { inDependencyOrder, messageOf, ResourceTypes } from "@risk/program-graph";
import type { GraphResource, ResourceBody } from "../contracts";

/** What went wrong with a body, under the type and name of its resource. */
export const bodyError = ({ type, name }: GraphResource, cause: unknown): Error =>
  new Error(`${type} (${name}): ${messageOf(cause)}`, { cause });

/** Creates all bodies, one at a time. @throws Error for the first that fails, with its resource. */
export async function deploy(
  graph: Graph,
  bodies: readonly ResourceBody[],
  onCreated?: (resource: GraphResource) => void,
): Promise<void> {
  const types = new ResourceTypes(bodies);
  for (const resource of inDependencyOrder(graph)) {
    try {
      await types.get(resource.type)?.create?.(resource);
      onCreated?.(resource);
    } catch (error) {
      throw bodyError(resource, error);
    }
  }
}
