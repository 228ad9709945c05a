/** What producers and consumers of Avro records ask Glue's schema registry. */
import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import type { SchemaStore, SchemaVersion } from "./schema-store";

const SCHEMA_ID = ["RegistryName", "SchemaArn", "SchemaName"];
const UUID = /^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/;
const MAX_DEFINITION = 170_000;
const MAX_PAGE = 100;
const DATA_FORMAT = "AVRO";

export interface SchemaArns {
  registry(name: string): string;
  schema(registry: string, name: string): string;
}

export function schemaOperations(store: SchemaStore, arns: SchemaArns): Record<string, Operation> {
  const arnOf = (input: Input): string => {
    const id = input.child("SchemaId", SCHEMA_ID);
    if (id === undefined) throw input.error("SchemaId is required");
    return id.text("SchemaArn") ?? arns.schema(id.text("RegistryName") ?? "default-registry", id.needText("SchemaName"));
  };
  const resources = (input: Input): string[] => {
    const arn = arnOf(input);
    const [, registry = ""] = /:schema\/([^/]+)\//.exec(arn) ?? [];
    return [arns.registry(registry), arn];
  };
  const definitionOf = (input: Input): string => {
    const definition = input.needText("SchemaDefinition");
    if (definition.trim() !== "" && definition.length <= MAX_DEFINITION) return definition;
    throw input.error(`SchemaDefinition must have 1 to ${MAX_DEFINITION} characters`);
  };
  return {
    GetSchemaVersion: {
      fields: ["SchemaVersionId", "SchemaId", "SchemaVersionNumber"],
      resource: (input) => (input.has("SchemaVersionId") ? "*" : resources(input)),
      run: (input) => describe(wantedVersion(store, input, arnOf)),
    },
    GetSchemaByDefinition: {
      fields: ["SchemaId", "SchemaDefinition"],
      resource: resources,
      run: (input) => {
        const { arn } = store.schema(arnOf(input));
        const found = store.byDefinition(arn, definitionOf(input));
        if (found === undefined) throw new AwsError("EntityNotFoundException", `Schema version is not found. SchemaArn: ${arn}`);
        const { SchemaDefinition: _, VersionNumber: __, ...shown } = describe(found);
        return shown;
      },
    },
    RegisterSchemaVersion: {
      fields: ["SchemaId", "SchemaDefinition"],
      resource: resources,
      run: (input) => {
        const { id, number, status } = store.register(arnOf(input), definitionOf(input));
        return { SchemaVersionId: id, VersionNumber: number, Status: status };
      },
    },
    ListSchemaVersions: {
      fields: ["SchemaId", "MaxResults", "NextToken"],
      resource: resources,
      run: (input) => {
        const { arn } = store.schema(arnOf(input));
        const limit = input.integer("MaxResults", 1, MAX_PAGE) ?? MAX_PAGE;
        const { items, nextToken } = page(store.versionsOf(arn), input.text("NextToken"), limit, "InvalidInputException");
        return { Schemas: items.map((version) => listed(version)), NextToken: nextToken };
      },
    },
  };
}

function wantedVersion(store: SchemaStore, input: Input, arnOf: (input: Input) => string): SchemaVersion {
  const id = input.text("SchemaVersionId");
  if (id !== undefined) {
    if (!UUID.test(id)) throw input.error("SchemaVersionId must be a UUID in lower-case letters");
    const found = store.version(id);
    if (found !== undefined) return found;
    throw new AwsError("EntityNotFoundException", `Schema version is not found. SchemaVersionId: ${id}`);
  }
  const { arn } = store.schema(arnOf(input));
  const wanted = input.child("SchemaVersionNumber", ["LatestVersion", "VersionNumber"]);
  const versions = store.versionsOf(arn);
  const latest = wanted?.flag("LatestVersion") === true;
  const number = wanted?.integer("VersionNumber", 1, 100_000);
  if (!latest && number === undefined) throw input.error("SchemaVersionNumber needs LatestVersion or VersionNumber");
  const found = latest
    ? versions.findLast(({ status }) => status === "AVAILABLE")
    : versions.find((one) => one.number === number);
  if (found !== undefined) return found;
  throw new AwsError("EntityNotFoundException", `Schema version is not found. SchemaArn: ${arn}`);
}

const listed = ({ id, schemaArn, number, status, createdMs }: SchemaVersion) => ({
  SchemaArn: schemaArn,
  SchemaVersionId: id,
  VersionNumber: number,
  Status: status,
  // A text in this API, unlike times elsewhere.
  CreatedTime: new Date(createdMs).toISOString(),
});

const describe = (version: SchemaVersion) => ({
  ...listed(version),
  SchemaDefinition: version.definition,
  DataFormat: DATA_FORMAT,
});
