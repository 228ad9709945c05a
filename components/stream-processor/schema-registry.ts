/** The registry in which producers of Avro records find the platform's schema, and register their own. */
import { Registry, Schema } from "@pulumi/aws/glue";
import type * as pulumi from "@pulumi/pulumi";
import { avroSchemaOf } from "../../functions/formats/avro/profile-schema";
import type { Statement } from "../shared/iam";
import type { StreamSettings } from "./settings";

export interface SchemaRegistry {
  readonly registry: Registry;
  readonly schema: Schema;
}

/**
 * The schema is made from the profile's, so JSON and Avro can't differ. Glue refuses a version with which records of the one before it
 * couldn't be read any more.
 */
export function createSchemaRegistry(
  instance: string,
  { profile, context, names }: StreamSettings,
  parent: pulumi.Resource,
): SchemaRegistry {
  // Without its schemas, the records that name them can't be read.
  const opts = { parent, protect: context.deletionProtection };
  const avro = avroSchemaOf(profile.id, profile.schema);
  const registry = new Registry(
    `${instance}-schema-registry`,
    { registryName: names.schemaRegistry, description: `Schemas of the records in ${names.stream}` },
    opts,
  );
  const schema = new Schema(
    `${instance}-schema`,
    {
      registryArn: registry.arn,
      schemaName: avro.name,
      description: `What ${names.stream} takes; a producer may use it, or register its own schema in this registry`,
      dataFormat: "AVRO",
      compatibility: "BACKWARD",
      schemaDefinition: JSON.stringify(avro),
    },
    opts,
  );
  return { registry, schema };
}

/**
 * A record names a schema version by nothing but its id, so Glue can't tell beforehand which schema it is of: the developer guide grants this
 * action on every resource ("IAM examples for deserializers").
 */
export function schemaStatements({ registry, schema }: SchemaRegistry): Statement[] {
  return [
    { sid: "ReadSchemaVersions", actions: ["glue:GetSchemaVersion"], resources: ["*"] },
    { sid: "ListSchemaVersions", actions: ["glue:ListSchemaVersions"], resources: [registry.arn, schema.arn] },
  ];
}
