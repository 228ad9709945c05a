import {
  GetSchemaByDefinitionCommand,
  GetSchemaVersionCommand,
  GlueClient,
  ListSchemaVersionsCommand,
  RegisterSchemaVersionCommand,
} from "@aws-sdk/client-glue";
import { ResourceTypes } from "@risk/program-graph";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { glueBodies } from "../../src/services/glue";
import { type JobsWorld, jobsWorld } from "../jobs/world";

const REGISTRY = "arn:aws:glue:us-east-1:000000000000:registry/schemas";
const ARN = "arn:aws:glue:us-east-1:000000000000:schema/schemas/Payment";
const SchemaId = { RegistryName: "schemas", SchemaName: "Payment" };
const record = (...fields: readonly object[]): string => JSON.stringify({ type: "record", name: "Payment", fields });
const ID = { name: "id", type: "string" };
const ONE = record(ID);
const WITH_DEFAULT = record(ID, { name: "note", type: ["null", "string"], default: null });
const WITHOUT_DEFAULT = record(ID, { name: "note", type: "string" });

let world: JobsWorld;
let client: GlueClient;
beforeAll(async () => {
  world = await jobsWorld();
  client = new GlueClient(world.client());
});
beforeEach(async () => {
  await apply({});
});
afterAll(async () => {
  client.destroy();
  await world.end();
});

async function apply(inputs: Readonly<Record<string, unknown>>): Promise<void> {
  const type = "aws:glue/schema:Schema";
  const body = new ResourceTypes(glueBodies(world.glue)).get(type);
  const all = {
    registryArn: REGISTRY,
    schemaName: "Payment",
    dataFormat: "AVRO",
    compatibility: "BACKWARD",
    schemaDefinition: ONE,
    ...inputs,
  };
  const outputs = body?.outputs({ name: "schema", inputs: all, region: "us-east-1", accountId: "000000000000" });
  const { id = "", state = {} } = outputs ?? {};
  const base = { urn: "schema", type, name: "schema", parent: undefined, inputs: all, id, state };
  const resource = { ...base, dependsOn: [], protect: false, ignoreChanges: [], secretInputs: [] };
  if (Object.keys(inputs).length === 0) await body?.delete?.(resource);
  await body?.create?.(resource);
}

const register = (SchemaDefinition: string) => client.send(new RegisterSchemaVersionCommand({ SchemaId, SchemaDefinition }));
const get = (SchemaVersionId: string) => client.send(new GetSchemaVersionCommand({ SchemaVersionId }));

describe("schema versions", () => {
  it("are found by id, number and definition, whatever blanks it has", async () => {
    const { SchemaVersionId: id = "", VersionNumber, Status } = await register(WITH_DEFAULT);
    expect([VersionNumber, Status]).toEqual([2, "AVAILABLE"]);
    expect(await get(id)).toMatchObject({
      SchemaArn: ARN,
      SchemaVersionId: id,
      SchemaDefinition: WITH_DEFAULT,
      DataFormat: "AVRO",
      VersionNumber: 2,
      Status: "AVAILABLE",
    });
    const spaced = JSON.stringify(JSON.parse(WITH_DEFAULT), null, 2);
    const found = await client.send(new GetSchemaByDefinitionCommand({ SchemaId: { SchemaArn: ARN }, SchemaDefinition: spaced }));
    expect(found).toMatchObject({ SchemaVersionId: id, DataFormat: "AVRO", Status: "AVAILABLE" });
    expect(found).not.toHaveProperty("SchemaDefinition");
    const byNumber = (SchemaVersionNumber: object) => client.send(new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber }));
    expect((await byNumber({ VersionNumber: 1 })).SchemaDefinition).toBe(ONE);
    expect((await byNumber({ LatestVersion: true })).VersionNumber).toBe(2);
    expect(await register(spaced)).toMatchObject({ SchemaVersionId: id, VersionNumber: 2 });
    const list = await client.send(new ListSchemaVersionsCommand({ SchemaId, MaxResults: 1 }));
    expect([list.Schemas?.length, list.NextToken]).toEqual([1, "1"]);
  });

  it("that readers of the newest couldn't read are marked as failed, and can't be the latest", async () => {
    const { SchemaVersionId: id = "", Status } = await register(WITHOUT_DEFAULT);
    expect(Status).toBe("FAILURE");
    expect((await get(id)).Status).toBe("FAILURE");
    const latest = await client.send(new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber: { LatestVersion: true } }));
    expect(latest.SchemaDefinition).toBe(ONE);
    await expect(apply({ schemaDefinition: WITHOUT_DEFAULT })).rejects.toThrow("not compatible (BACKWARD)");
  });

  it.each([
    ["NONE", WITHOUT_DEFAULT, "AVAILABLE"],
    ["DISABLED", WITH_DEFAULT, "FAILURE"],
    ["FORWARD", WITHOUT_DEFAULT, "AVAILABLE"],
    ["FORWARD_ALL", record({ name: "key", type: "string" }), "FAILURE"],
    ["BACKWARD_ALL", record(), "AVAILABLE"],
    ["FULL", WITHOUT_DEFAULT, "FAILURE"],
    ["FULL_ALL", WITH_DEFAULT, "AVAILABLE"],
  ])("are checked as %s says", async (compatibility, definition, status) => {
    await apply({ compatibility });
    expect((await register(definition)).Status).toBe(status);
  });

  it("that don't exist, and wrong definitions, are refused", async () => {
    const none = "00000000-0000-4000-8000-000000000000";
    await expect(get(none)).rejects.toThrow("Schema version is not found");
    await expect(get("no-uuid")).rejects.toMatchObject({ name: "InvalidInputException" });
    await expect(register("{")).rejects.toThrow("AVRO data format is invalid");
    await expect(register(" ")).rejects.toThrow("170000");
    const other = { RegistryName: "schemas", SchemaName: "None" };
    const inOther = client.send(new RegisterSchemaVersionCommand({ SchemaId: other, SchemaDefinition: ONE }));
    await expect(inOther).rejects.toMatchObject({ name: "EntityNotFoundException" });
    const unknown = new GetSchemaByDefinitionCommand({ SchemaId, SchemaDefinition: '"int"' });
    await expect(client.send(unknown)).rejects.toMatchObject({ name: "EntityNotFoundException" });
    const numbered = (SchemaVersionNumber: object) => client.send(new GetSchemaVersionCommand({ SchemaId, SchemaVersionNumber }));
    await expect(numbered({ VersionNumber: 9 })).rejects.toMatchObject({ name: "EntityNotFoundException" });
    await expect(numbered({})).rejects.toThrow("LatestVersion");
    await expect(client.send(new ListSchemaVersionsCommand({ SchemaId: undefined }))).rejects.toThrow("SchemaId");
  });

  it("have a body for Avro alone, with a compatibility that Glue has", async () => {
    await expect(apply({ dataFormat: "JSON" })).rejects.toThrow("only AVRO");
    await expect(apply({ compatibility: "SOME" })).rejects.toThrow("expected one of NONE");
  });
});
