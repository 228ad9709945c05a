/** What a query needs: Athena reads catalog, objects and key with the rights of whoever sends it. */
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import type { PrivateBucket } from "../shared/bucket";
import { commandRole, mergeStatements, type Statement } from "../shared/iam";
import type { CatalogTableSpec } from "./tables";

export interface QueryAccess {
  readonly workgroupArn: pulumi.Output<string>;
  readonly databaseName: pulumi.Output<string>;
  readonly tables: readonly CatalogTableSpec[];
  readonly results: PrivateBucket;
  /** What keys of results begin with. */
  readonly resultPrefix: string;
}

export function queryStatements(access: QueryAccess, parent: pulumi.Resource): Statement[] {
  const { workgroupArn, databaseName, tables, results, resultPrefix } = access;
  const { partition, region, accountId } = currentAccount(parent);
  const glue = (resource: pulumi.Input<string>) => pulumi.interpolate`arn:${partition}:glue:${region}:${accountId}:${resource}`;
  return mergeStatements([
    {
      sid: "RunQueries",
      actions: [
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:GetWorkGroup",
        "athena:GetNamedQuery",
        "athena:ListNamedQueries",
      ],
      resources: [workgroupArn],
    },
    {
      sid: "ReadCatalog",
      actions: ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"],
      resources: [
        glue("catalog"),
        glue(pulumi.interpolate`database/${databaseName}`),
        glue(pulumi.interpolate`table/${databaseName}/*`),
      ],
    },
    ...prefixesByBucket(tables).flatMap(({ bucket, prefixes }) => bucket.readStatements(prefixes)),
    ...results.writeStatements([resultPrefix]),
    ...results.readStatements([resultPrefix]),
    {
      sid: "FindResultBucket",
      // Athena uploads large results in parts and asks where the bucket is.
      actions: ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
      resources: [results.arn],
    },
    {
      sid: "EndUploads",
      actions: ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
      resources: [pulumi.interpolate`${results.arn}/${resultPrefix}*`],
    },
  ]);
}

function prefixesByBucket(tables: readonly CatalogTableSpec[]) {
  const buckets = [...new Set(tables.map(({ bucket }) => bucket))];
  return buckets.map((bucket) => ({
    bucket,
    prefixes: tables.filter((table) => table.bucket === bucket).map(({ prefix }) => prefix),
  }));
}

/** Can query as an analyst: no more than the tables. */
export const analystRole = (name: string, parent: pulumi.Resource): Role =>
  commandRole(`${name}-analyst-role`, "npm run query: reads the tables of the catalog through Athena", parent);
