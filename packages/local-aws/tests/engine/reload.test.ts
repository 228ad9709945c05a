import type { Graph } from "@risk/program-graph";
import { describe, expect, it } from "vitest";
import type { GraphResource, ResourceBody } from "../../src/contracts";
import { applyChanges } from "../../src/engine/reload";

const resource = (name: string, type: string, inputs: Record<string, unknown>): GraphResource => ({
  urn: name,
  type,
  name,
  parent: undefined,
  inputs,
  id: name,
  state: inputs,
  dependsOn: [],
  protect: false,
  ignoreChanges: [],
  secretInputs: [],
});

const graphOf = (resources: readonly GraphResource[]): Graph => ({
  project: "p",
  stack: "dev",
  resources,
  byUrn: new Map(resources.map((one) => [one.urn, one])),
  outputs: {},
  warnings: [],
});

const body = (type: string, parts: Partial<ResourceBody> = {}): ResourceBody => ({
  type,
  honoured: ["name", "retention", "key"],
  cloudOnly: { tags: "labels" },
  replaceOn: ["name", "key"],
  outputs: ({ name }) => ({ id: name, state: {} }),
  ...parts,
});

describe("a reloaded program", () => {
  const updates: string[] = [];
  const bodies = [
    body("queue", {
      create: () => undefined,
      update: (after, before) => void updates.push(`${after.name}: ${before.inputs.retention} → ${after.inputs.retention}`),
    }),
    body("attachment", { create: () => undefined }),
    body("firewall"),
  ];
  const before = graphOf([
    resource("a", "queue", { name: "a", retention: 1 }),
    resource("b", "queue", { name: "b", retention: 1, key: { id: 1 } }),
    resource("c", "attachment", { name: "c", tags: { a: "1" } }),
    resource("d", "firewall", { name: "d" }),
    resource("gone", "queue", {}),
  ]);

  it("is applied where the service changes in place, and names what makes a new resource", async () => {
    const after = graphOf([
      resource("a", "queue", { name: "a", retention: 2 }),
      resource("b", "queue", { name: "b", retention: 2, key: { id: 2 } }),
      resource("c", "attachment", { name: "c", tags: { a: "2" } }),
      resource("d", "firewall", { name: "other" }),
      resource("new", "queue", {}),
    ]);
    expect(await applyChanges(before, after, bodies)).toEqual({
      applied: ["queue a: retention", "attachment c: tags.a", "firewall d: name"],
      needsRestart: ["queue new", "queue gone", "queue b: key.id, retention"],
    });
    expect(updates).toEqual(["a: 1 → 2"]);
  });

  it("is refused with the resource whose service refuses it", async () => {
    const refusing = body("queue", {
      create: () => undefined,
      update: () => {
        throw new Error("retention: at most 14 days");
      },
    });
    const after = graphOf(before.resources.map((one) => ({ ...one, inputs: { ...one.inputs, retention: 99 } })));
    const refused = applyChanges(before, after, [refusing, ...bodies.slice(1)]);
    await expect(refused).rejects.toThrow("queue (a): retention: at most 14 days");
  });
});
