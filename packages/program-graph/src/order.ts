import type { Graph } from "./graph";
import type { GraphResource } from "./resource";

/**
 * Resources in the order of registration, but every dependency before its dependents. A dependency on a component is one on
 * everything inside it.
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
