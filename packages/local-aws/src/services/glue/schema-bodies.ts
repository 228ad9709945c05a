/** Local bodies of the schema registry's Pulumi types. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { fieldsOf, named, put, tagInputs } from "../resource-parts";
import type { SchemaArns } from "./schema-operations";
import { COMPATIBILITIES, type Compatibility, type SchemaStore } from "./schema-store";

/** Glue API reference: letters, digits, hyphens, underscores, dollar and hash signs, dots. */
const characters = { pattern: /^[A-Za-z0-9_$#.-]+$/, words: "letters, digits, hyphens, underscores, dots, $ and #" };
const registryName: NameRule = { field: "registryName", maxLength: 255, characters };
const schemaName: NameRule = { field: "schemaName", maxLength: 255, characters };

export function schemaBodies(store: SchemaStore, arns: SchemaArns): ResourceBody[] {
  return [
    {
      type: "aws:glue/registry:Registry",
      honoured: ["registryName"],
      cloudOnly: { ...tagInputs, description: "only shown in the console" },
      replaceOn: ["registryName"],
      ...named(registryName, (name, { inputs }) => {
        const arn = arns.registry(name);
        return { id: arn, state: { ...inputs, registryName: name, arn } };
      }),
    },
    {
      type: "aws:glue/schema:Schema",
      honoured: ["schemaName", "registryArn", "dataFormat", "compatibility", "schemaDefinition"],
      cloudOnly: { ...tagInputs, description: "only shown in the console" },
      replaceOn: ["schemaName", "registryArn", "dataFormat"],
      ...named(schemaName, (name, { inputs }) => {
        const registry = String(inputs.registryArn ?? "").replace(/^.*:registry\//, "") || "default-registry";
        const arn = arns.schema(registry, name);
        const versions = { latestSchemaVersion: 1, nextSchemaVersion: 2, schemaCheckpoint: 1 };
        return { id: arn, state: { ...inputs, ...versions, schemaName: name, registryName: registry, arn } };
      }),
      ...put((resource) => apply(resource, store)),
      delete: ({ state }) => store.delete(String(state.arn)),
    },
  ];
}

/** @throws Error for a format without a local body, and for a definition that isn't compatible with the versions before it */
function apply(resource: GraphResource, store: SchemaStore): void {
  const fields = fieldsOf(resource);
  const owner = `${resource.type} (${resource.name})`;
  const format = fields.need("dataFormat");
  if (format !== "AVRO") throw new Error(`${owner}: dataFormat: only AVRO has a local body, got ${format}.`);
  const compatibility = fields.need("compatibility");
  if (!isCompatibility(compatibility)) {
    throw new Error(`${owner}: compatibility: expected one of ${COMPATIBILITIES.join(", ")}, got ${compatibility}.`);
  }
  const arn = String(resource.state.arn);
  store.put({ arn, compatibility });
  const { status } = store.register(arn, fields.need("schemaDefinition"));
  if (status === "AVAILABLE") return;
  throw new Error(`${owner}: schemaDefinition: not compatible (${compatibility}) with the version before it.`);
}

const isCompatibility = (text: string): text is Compatibility => (COMPATIBILITIES as readonly string[]).includes(text);
