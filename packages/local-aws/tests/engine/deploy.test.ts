import { describe, expect, it } from "vitest";
import type { GraphResource, ResourceBody } from "../../src/contracts";
import { deploy } from "../../src/engine/deploy";

const TYPE = "aws:kinesis/stream:Stream";

const resource = (name: string, dependsOn: readonly string[] = []): GraphResource => ({
  urn: `urn:${name}`,
  type: TYPE,
  name,
  parent: undefined,
  inputs: {},
  id: name,
  state: {},
  dependsOn,
  protect: false,
  ignoreChanges: [],
  secretInputs: [],
});

const graphOf = (...resources: GraphResource[]) => ({
  project: "proj",
  stack: "dev",
  resources,
  byUrn: new Map(resources.map((one) => [one.urn, one])),
  outputs: {},
  warnings: [],
});

const body = (create: NonNullable<ResourceBody["create"]>): ResourceBody => ({
  type: TYPE,
  honoured: [],
  cloudOnly: {},
  replaceOn: [],
  outputs: ({ name }) => ({ id: name, state: {} }),
  create,
});

describe("deploy", () => {
  it("creates dependencies first and tells of each resource after its body", async () => {
    const seen: string[] = [];
    const types = [body(({ name }) => void seen.push(`body of ${name}`))];
    await deploy(graphOf(resource("user", ["urn:used"]), resource("used")), types, ({ name }) => seen.push(name));
    expect(seen).toEqual(["body of used", "used", "body of user", "user"]);
  });

  it("names the resource whose body failed", async () => {
    const failing = body(() => {
      throw new Error("the stream exists already");
    });
    await expect(deploy(graphOf(resource("events")), [failing])).rejects.toThrow(
      "aws:kinesis/stream:Stream (events): the stream exists already",
    );
  });
});
