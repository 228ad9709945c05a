/** Gives every resource of a graph its body, dependencies first. */

import type { Graph } from "@risk/program-graph";
import { inDependencyOrder, messageOf, ResourceTypes } from "@risk/program-graph";
import type { GraphResource, ResourceBody } from "../contracts";

/** A body could not be created; names the resource. */
export class DeployError extends Error {
  readonly code = "DEPLOY";
  constructor(
    readonly resource: GraphResource,
    override readonly cause: unknown,
  ) {
    super(`${resource.type} (${resource.name}): ${messageOf(cause)}`);
  }
}

/** Creates all bodies one after the other. @throws DeployError for the first that fails. */
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
      throw new DeployError(resource, error);
    }
  }
}
