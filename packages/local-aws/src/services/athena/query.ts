/** One execution: tables from the catalog, partitions from S3, rows from the lake, the result to S3. */
import type { LakeResult, LakeTable, Scan } from "@risk/local-warehouse";
import { AwsError, type LocalContext, type Permission } from "../../contracts";
import { type CatalogTable, catalogArns } from "../glue";
import { s3Location } from "../jobs/role-s3";
import { type Execution, ScanLimitError } from "./executions";
import type { AthenaPorts } from "./ports";
import { type FileObject, type FilePartition, partitionsOf } from "./projection";
import { csvOf } from "./results";
import { linesOf } from "./rows";
import type { AthenaWorkgroup } from "./workgroups";

interface Run {
  readonly execution: Execution;
  /** Names after FROM and JOIN; those of the query's own parts are among them. */
  readonly tables: readonly { readonly database: string | undefined; readonly name: string }[];
  readonly workgroup: AthenaWorkgroup;
  /** @throws AwsError AccessDeniedException */
  readonly authorize: (permission: Permission) => void;
  readonly context: Pick<LocalContext, "region" | "accountId" | "clock">;
  readonly ports: AthenaPorts;
}

/** @throws Error with the reason that the execution failed */
export async function runQuery(run: Run): Promise<LakeResult> {
  const { execution, ports, context } = run;
  const catalogTables = tablesIn(run);
  const nowMs = context.clock.now();
  const tables = catalogTables.map((table) => lakeTable(table, partitionsOf(table, nowMs, listing(run))));
  const byLake = new Map(tables.map((table, index) => [table, catalogTables[index] as CatalogTable]));
  const result = await ports.warehouse.queryLake(
    {
      sql: execution.sql,
      tables,
      nowMs,
      read: (scans) => read(run, scans, (table) => byLake.get(table) as CatalogTable),
    },
    execution.abort.signal,
  );
  await store(run, result);
  return result;
}

/** The catalog's tables that the query names, each read with its sender's rights. */
function tablesIn({ tables, execution, authorize, context, ports }: Run): CatalogTable[] {
  return tables.flatMap(({ database = execution.database ?? "default", name }) => {
    const table = ports.catalog.findTable(database, name);
    if (table === undefined) return [];
    const [catalog = "", ofDatabase = "", ofTable = ""] = catalogArns(context, database, name);
    for (const resource of [catalog, ofDatabase]) authorize({ action: "glue:GetDatabase", resource });
    for (const resource of [catalog, ofDatabase, ofTable]) authorize({ action: "glue:GetTable", resource });
    return [table];
  });
}

const lakeTable = ({ name, columns, partitionKeys }: CatalogTable, partitions: FilePartition[]): LakeTable<FilePartition> => ({
  name,
  columns,
  keys: partitionKeys.map((key) => key.name),
  partitions,
});

const listing =
  ({ authorize, ports }: Run) =>
  (bucket: string, prefix: string): readonly FileObject[] => {
    authorize({ action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}`, context: { "s3:prefix": prefix } });
    return ports.s3.list(bucket, prefix);
  };

/** Bytes count as they are stored, compressed. */
async function* read(
  { execution, workgroup, authorize, ports }: Run,
  scans: readonly Scan<FilePartition>[],
  catalogTable: (table: LakeTable<FilePartition>) => CatalogTable,
): AsyncGenerator<{ readonly scan: Scan<FilePartition>; readonly lines: readonly string[] }> {
  const bytes = scans.reduce((sum, { partition }) => sum + partition.objects.reduce((all, { size }) => all + size, 0), 0);
  if (workgroup.scanLimitBytes !== undefined && bytes > workgroup.scanLimitBytes) throw new ScanLimitError();
  execution.scannedBytes = bytes;
  for (const scan of scans) {
    const { bucket, objects } = scan.partition;
    for (const { key } of objects) {
      const resource = `arn:aws:s3:::${bucket}/${key}`;
      for (const permission of [{ action: "s3:GetObject", resource }, ...ports.s3.keyUse("GetObject", resource)])
        authorize(permission);
      const content = await ports.s3.get(bucket, key);
      // An object that was deleted meanwhile.
      if (content !== undefined) yield { scan, lines: await linesOf(catalogTable(scan.table), key, content) };
    }
  }
}

async function store({ execution, workgroup, authorize, ports }: Run, result: LakeResult): Promise<void> {
  const { bucket, key } = s3Location(execution.outputLocation, "OutputLocation");
  const resource = `arn:aws:s3:::${bucket}/${key}`;
  try {
    for (const permission of [{ action: "s3:PutObject", resource }, ...ports.s3.keyUse("PutObject", resource)])
      authorize(permission);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new AwsError(
      "AccessDeniedException",
      `Access denied when writing output to url: ${execution.outputLocation} . Please ensure you are allowed to access the S3 bucket. ${cause}`,
    );
  }
  const headers: Record<string, string> =
    workgroup.kmsKeyArn === undefined
      ? {}
      : {
          "x-amz-server-side-encryption": "aws:kms",
          "x-amz-server-side-encryption-aws-kms-key-id": workgroup.kmsKeyArn,
        };
  await ports.s3.put(bucket, key, csvOf(result), { headers: { "content-type": "text/csv", ...headers } });
}
