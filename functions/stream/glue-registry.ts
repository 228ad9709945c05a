import {
  EntityNotFoundException,
  GetSchemaVersionCommand,
  type GlueClient,
  InvalidInputException,
  ListSchemaVersionsCommand,
} from "@aws-sdk/client-glue";
import type { SchemaRegistry } from "../formats/avro/writer-schemas";

const AVAILABLE = "AVAILABLE";
const PAGE = 100;
/** More than a registry keeps of one schema by default. */
const MAX_PAGES = 10;

/**
 * AWS Glue's schema registry. The client is made at the first call: a stream without Avro never pays for it.
 * @param schemaArn of the platform's own schema
 */
export function createGlueRegistry(make: () => GlueClient, schemaArn: string): SchemaRegistry {
  let made: GlueClient | undefined;
  const client = (): GlueClient => {
    made ??= make();
    return made;
  };
  return {
    async schema(versionId) {
      try {
        const { SchemaDefinition = null, Status } = await client().send(
          new GetSchemaVersionCommand({ SchemaVersionId: versionId }),
        );
        return Status === AVAILABLE ? SchemaDefinition : null;
      } catch (error) {
        // Sixteen bytes of a header that are no id of a version are refused as invalid.
        if (error instanceof EntityNotFoundException || error instanceof InvalidInputException) return null;
        throw error;
      }
    },
    async versions() {
      const ids: string[] = [];
      let token: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const { Schemas = [], NextToken } = await client().send(
          new ListSchemaVersionsCommand({ SchemaId: { SchemaArn: schemaArn }, MaxResults: PAGE, NextToken: token }),
        );
        const available = Schemas.filter(({ Status }) => Status === AVAILABLE);
        ids.push(...available.flatMap(({ SchemaVersionId }) => SchemaVersionId ?? []));
        token = NextToken;
        if (token === undefined || token === "") break;
      }
      // Listed in any order.
      return ids;
    },
  };
}
