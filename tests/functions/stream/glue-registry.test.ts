import {
  EntityNotFoundException,
  GetSchemaVersionCommand,
  GlueClient,
  InvalidInputException,
  ListSchemaVersionsCommand,
} from "@aws-sdk/client-glue";
import { describe, expect, it } from "vitest";
import { createGlueRegistry } from "../../../functions/stream/glue-registry";

const ARN = "arn:aws:glue:us-east-1:000000000000:schema/schemas/Transaction";

function registryOf(answer: (command: unknown) => unknown) {
  let made = 0;
  const registry = createGlueRegistry(() => {
    made++;
    return Object.assign(new GlueClient({ region: "us-east-1" }), { send: async (command: unknown) => answer(command) });
  }, ARN);
  return { registry, made: () => made };
}

describe("createGlueRegistry", () => {
  it("asks for a version by its id, with one client that is made when it is first needed", async () => {
    const asked: unknown[] = [];
    const { registry, made } = registryOf((command) => {
      if (command instanceof GetSchemaVersionCommand) asked.push(command.input);
      return { SchemaDefinition: '"int"', Status: "AVAILABLE" };
    });
    expect(made()).toBe(0);
    expect([await registry.schema("a"), await registry.schema("b")]).toEqual(['"int"', '"int"']);
    expect(asked).toEqual([{ SchemaVersionId: "a" }, { SchemaVersionId: "b" }]);
    expect(made()).toBe(1);
  });

  it.each([
    ["is not compatible", { SchemaDefinition: '"int"', Status: "FAILURE" }],
    ["has no text", { Status: "AVAILABLE" }],
  ])("knows no version that %s", async (_, answer) => {
    expect(await registryOf(() => answer).registry.schema("a")).toBe(null);
  });

  it("tells an unknown or impossible id from a registry that can't be asked", async () => {
    const refusal = { message: "no", $metadata: {} };
    for (const error of [new EntityNotFoundException(refusal), new InvalidInputException(refusal)]) {
      expect(await registryOf(() => Promise.reject(error)).registry.schema("a")).toBe(null);
    }
    await expect(registryOf(() => Promise.reject(new Error("down"))).registry.schema("a")).rejects.toThrow("down");
  });

  it("lists the usable versions of the platform's schema, page by page and not without end", async () => {
    const tokens: unknown[] = [];
    const { registry } = registryOf((command) => {
      if (!(command instanceof ListSchemaVersionsCommand)) return {};
      expect(command.input.SchemaId).toEqual({ SchemaArn: ARN });
      tokens.push(command.input.NextToken);
      const Schemas = [
        { SchemaVersionId: `v${tokens.length}`, Status: "AVAILABLE" },
        { SchemaVersionId: "x", Status: "FAILURE" },
        { Status: "AVAILABLE" },
      ];
      return { Schemas, NextToken: tokens.length < 3 ? String(tokens.length) : "" };
    });
    expect(await registry.versions()).toEqual(["v1", "v2", "v3"]);
    expect(tokens).toEqual([undefined, "1", "2"]);
    expect(await registryOf(() => ({})).registry.versions()).toEqual([]);
    let pages = 0;
    await registryOf(() => ({ NextToken: String(++pages) })).registry.versions();
    expect(pages).toBe(10);
  });
});
