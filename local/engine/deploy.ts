/** Gives every resource of a graph its body, dependencies first. */
import type { GraphResource, ResourceBody } from "../contracts.js";
import { BodyRegistry } from "./bodies.js";
import type { Graph } from "./graph.js";

export type DeployProgress = (done: number, total: number, resource: GraphResource) => void;

/** A body could not be created; names the resource. */
export class DeployError extends Error {
  readonly code = "DEPLOY";
  constructor(
    readonly resource: GraphResource,
    override readonly cause: unknown,
  ) {
    super(`${resource.type} (${resource.name}): ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/**
 * Resources with every dependency before its dependents; otherwise in the order of registration. A dependency on a component
 * is one on everything inside it.
 * @throws Error that names the resources of a cycle.
 */
export function inDependencyOrder(graph: Graph): GraphResource[] {
  const children = new Map<string, GraphResource[]>();
  for (const resource of graph.resources) {
    if (resource.parent !== undefined) children.set(resource.parent, [...(children.get(resource.parent) ?? []), resource]);
  }
  const ordered: GraphResource[] = [];
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const isInside = (resource: GraphResource, urn: string): boolean => {
    for (let parent = resource.parent; parent !== undefined; parent = graph.byUrn.get(parent)?.parent)
      if (parent === urn) return true;
    return false;
  };
  const inside = (urn: string): GraphResource[] => (children.get(urn) ?? []).flatMap((child) => [child, ...inside(child.urn)]);
  const visit = (resource: GraphResource): void => {
    const seen = state.get(resource.urn);
    if (seen === "done") return;
    if (seen === "open") throw new Error(`Resources depend on each other: ${[...path, resource.name].join(" → ")}.`);
    state.set(resource.urn, "open");
    path.push(resource.name);
    for (const urn of resource.dependsOn) {
      const dependency = graph.byUrn.get(urn);
      if (dependency === undefined || isInside(resource, urn)) continue;
      visit(dependency);
      if (dependency.id === "") for (const child of inside(urn)) visit(child);
    }
    path.pop();
    state.set(resource.urn, "done");
    ordered.push(resource);
  };
  for (const resource of graph.resources) visit(resource);
  return ordered;
}

/** Creates all bodies one after the other. @throws DeployError for the first that fails. */
export async function deploy(graph: Graph, bodies: readonly ResourceBody[], progress?: DeployProgress): Promise<void> {
  const registry = new BodyRegistry(bodies);
  const ordered = inDependencyOrder(graph);
  for (const [index, resource] of ordered.entries()) {
    try {
      await registry.get(resource.type)?.create?.(resource);
    } catch (error) {
      throw new DeployError(resource, error);
    }
    progress?.(index + 1, ordered.length, resource);
  }
}
