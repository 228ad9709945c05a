/** Athena through an unmodified SDK client: who may query what, how much, and where the result goes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  AthenaClient,
  GetNamedQueryCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  ListNamedQueriesCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import { GetPartitionsCommand, GetTableCommand, GetTablesCommand, GlueClient } from "@aws-sdk/client-glue";
import { ResourceTypes } from "@risk/program-graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CredentialStore } from "../../src/endpoint/credentials";
import { AwsEndpoint } from "../../src/endpoint/endpoint";
import { createServices } from "../../src/engine/services";
import { Iam } from "../../src/permissions/iam";

/** `<dt>` as the placeholder of a partition column. */
const template = (text: string): string => text.replaceAll("<", `${"$"}{`).replaceAll(">", "}");

const [region, accountId] = ["us-east-1", "000000000000"];
const folder = mkdtempSync(join(tmpdir(), "athena-"));
const db = new DatabaseSync(":memory:");
const iam = new Iam(accountId, region);
const credentials = new CredentialStore(db, accountId);
const clock = { now: () => Date.UTC(2026, 2, 10, 12) };
const endpoint = new AwsEndpoint({ region, keys: credentials.lookup, iam, now: Date.now, log: () => undefined });
const services = createServices({
  context: { region, accountId, endpointUrl: "http://127.0.0.1:0", db, dataDir: folder, clock, log: () => undefined },
  iam,
  credentials,
  apiPort: 1,
  durable: false,
  databaseRolesOf: () => [],
});
const registry = new ResourceTypes(services.bodies);
let owner: AthenaClient;
let connection: { region: string; endpoint: string; maxAttempts: number };

async function create(type: string, name: string, inputs: Readonly<Record<string, unknown>>) {
  const body = registry.get(type);
  const made = body?.outputs({ name, inputs, region, accountId });
  if (body === undefined || made === undefined) throw new Error(`${type} has no body.`);
  const base = { urn: name, type, name, parent: undefined, dependsOn: [], protect: false, ignoreChanges: [], secretInputs: [] };
  await body.create?.({ ...base, inputs, id: made.id, state: { ...inputs, ...made.state } });
  return made;
}

const LIMIT = 10_000_000;
const QUERY = "SELECT id, features.amount FROM events WHERE dt = '2026-03-10' ORDER BY id";

beforeAll(async () => {
  await services.warehouse.start();
  for (const service of services.aws) endpoint.register(service);
  connection = { region, endpoint: await endpoint.start(0), maxAttempts: 1 };
  owner = new AthenaClient({ ...connection, credentials: credentials.owner });
  const key = await create("aws:kms/key:Key", "key", {});
  for (const bucket of ["data", "results"]) await create("aws:s3/bucket:Bucket", bucket, { bucket });
  await create("aws:glue/catalogDatabase:CatalogDatabase", "db", { name: "db" });
  await create("aws:glue/catalogTable:CatalogTable", "events", {
    name: "events",
    databaseName: "db",
    parameters: {
      "projection.enabled": "true",
      "projection.dt.type": "date",
      "projection.dt.format": "yyyy-MM-dd",
      "projection.dt.range": "NOW-30DAYS,NOW",
      "storage.location.template": template("s3://data/events/dt=<dt>/"),
    },
    partitionKeys: [{ name: "dt", type: "string" }],
    storageDescriptor: {
      location: "s3://data/events/",
      columns: [
        { name: "id", type: "string", comment: "Which." },
        { name: "features", type: "struct<amount:double>" },
      ],
      serDeInfo: { serializationLibrary: "org.openx.data.jsonserde.JsonSerDe" },
    },
  });
  const encryptionConfiguration = { encryptionOption: "SSE_KMS", kmsKeyArn: key.state.arn };
  const workgroup = (resultConfiguration: object) => ({ bytesScannedCutoffPerQuery: LIMIT, resultConfiguration });
  await create("aws:athena/workgroup:Workgroup", "analysts", {
    name: "analysts",
    configuration: workgroup({ outputLocation: "s3://results/queries/", encryptionConfiguration }),
  });
  await create("aws:athena/workgroup:Workgroup", "closed", { name: "closed", state: "DISABLED" });
  await create("aws:athena/workgroup:Workgroup", "homeless", { name: "homeless" });
  await create("aws:athena/namedQuery:NamedQuery", "all", {
    name: "all",
    database: "db",
    query: QUERY,
    workgroup: "analysts",
    description: "All.",
  });
  const line = (id: string, amount: number) => `${JSON.stringify({ id, features: { amount } })}\n`;
  await services.s3.put("data", "events/dt=2026-03-10/a.ndjson.zst", zstdCompressSync(`${line("b", 2)}${line("a", 1)}`));
  await services.s3.put("data", "events/dt=2026-03-10/closed.ndjson.zst", zstdCompressSync(""));
  await services.s3.put("data", "events/dt=2026-03-10/c.ndjson.gz", gzipSync(line("c", 3)));
  await services.s3.put("data", "events/dt=2026-03-09/large.ndjson", Buffer.alloc(LIMIT + 1, "\n"));
}, 60_000);

afterAll(async () => {
  await endpoint.end();
  await services.warehouse.stop();
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A client of a role with these statements. */
function roleClient(name: string, statements: readonly object[]): AthenaClient {
  const arn = `arn:aws:iam::${accountId}:role/${name}`;
  iam.putRole(name, arn, { Statement: [{ Effect: "Allow", Principal: { AWS: accountId }, Action: "sts:AssumeRole" }] });
  iam.putInlinePolicy(name, "own", { Version: "2012-10-17", Statement: statements });
  return new AthenaClient({ ...connection, credentials: credentials.issue(arn) });
}

async function run(
  sql: string,
  { client = owner, ...options }: { client?: AthenaClient; WorkGroup?: string; ExecutionParameters?: string[] } = {},
) {
  const { QueryExecutionId } = await client.send(
    new StartQueryExecutionCommand({
      QueryString: sql,
      WorkGroup: "analysts",
      QueryExecutionContext: { Database: "db" },
      ...options,
    }),
  );
  await services.athena.executions.settled();
  const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }));
  return { QueryExecutionId, ...QueryExecution };
}

describe("a query", () => {
  it("answers over the objects of the days that it names, and leaves the result in the workgroup's location", async () => {
    const { QueryExecutionId, Status, Statistics, ResultConfiguration } = await run(QUERY);
    expect(Status).toMatchObject({ State: "SUCCEEDED", SubmissionDateTime: new Date(clock.now()) });
    const sizes = services.s3.list("data", "events/dt=2026-03-10/").map(({ size }) => size);
    expect(Statistics?.DataScannedInBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    const { ResultSet } = await owner.send(new GetQueryResultsCommand({ QueryExecutionId }));
    expect(ResultSet?.ResultSetMetadata?.ColumnInfo?.map(({ Name, Type }) => [Name, Type])).toEqual([
      ["id", "varchar"],
      ["amount", "double"],
    ]);
    expect(ResultSet?.Rows?.map(({ Data }) => Data?.map(({ VarCharValue }) => VarCharValue))).toEqual([
      ["id", "amount"],
      ["a", "1.0"],
      ["b", "2.0"],
      ["c", "3.0"],
    ]);
    expect(ResultConfiguration?.OutputLocation).toBe(`s3://results/queries/${QueryExecutionId}.csv`);
    const stored = services.s3.list("results", "queries/").find(({ key }) => key.includes(String(QueryExecutionId)));
    expect(stored?.headers["x-amz-server-side-encryption"]).toBe("aws:kms");
    expect(String(await services.s3.get("results", stored?.key ?? ""))).toBe('"id","amount"\n"a","1.0"\n"b","2.0"\n"c","3.0"\n');
  });

  it("is given in pages, the header once", async () => {
    const { QueryExecutionId } = await run(QUERY);
    const first = await owner.send(new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 2 }));
    const second = await owner.send(new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 2, NextToken: first.NextToken }));
    expect(first.ResultSet?.Rows).toHaveLength(2);
    expect(second.ResultSet?.Rows?.[0]?.Data?.[0]?.VarCharValue).toBe("b");
    expect(second.NextToken).toBeUndefined();
  });

  it("is cancelled before it reads more than its workgroup allows", async () => {
    const { Status, Statistics } = await run("SELECT count(*) FROM events");
    expect(Status).toMatchObject({ State: "CANCELLED", StateChangeReason: "Bytes scanned limit was exceeded" });
    expect(Statistics?.DataScannedInBytes).toBe(0);
  });

  it.each([
    ["SELECT id FROM nowhere", 'TABLE_NOT_FOUND: relation "nowhere" does not exist'],
    ["SELECT ide FROM events WHERE dt = '2026-03-10'", 'COLUMN_NOT_FOUND: column "ide" does not exist'],
    ["SELECT 1 / 0", "DIVISION_BY_ZERO: division by zero"],
    ["SELECT id id id FROM events", "SYNTAX_ERROR"],
    ["DROP TABLE events", "The local Athena runs SELECT and WITH, got DROP."],
    ["SELECT typeof(1)", "The function typeof is not supported by the local Athena."],
  ])("that can't run fails with the reason: %s", async (sql, reason) => {
    const { Status, QueryExecutionId } = await run(sql);
    expect(Status).toMatchObject({ State: "FAILED", StateChangeReason: expect.stringContaining(reason) });
    await expect(owner.send(new GetQueryResultsCommand({ QueryExecutionId }))).rejects.toThrow("is FAILED");
  });

  it("that was sent twice with one token runs once", async () => {
    const input = {
      QueryString: QUERY,
      WorkGroup: "analysts",
      QueryExecutionContext: { Database: "db" },
      ClientRequestToken: "t".repeat(32),
    };
    const first = await owner.send(new StartQueryExecutionCommand(input));
    expect((await owner.send(new StartQueryExecutionCommand(input))).QueryExecutionId).toBe(first.QueryExecutionId);
    await expect(owner.send(new StartQueryExecutionCommand({ ...input, QueryString: "SELECT 1" }))).rejects.toThrow(
      "Idempotent parameters",
    );
    await services.athena.executions.settled();
  });

  it("that is stopped is cancelled and stays so", async () => {
    const started = await owner.send(
      new StartQueryExecutionCommand({ QueryString: QUERY, WorkGroup: "analysts", QueryExecutionContext: { Database: "db" } }),
    );
    await owner.send(new StopQueryExecutionCommand({ QueryExecutionId: started.QueryExecutionId }));
    await services.athena.executions.settled();
    const { QueryExecution } = await owner.send(new GetQueryExecutionCommand({ QueryExecutionId: started.QueryExecutionId }));
    expect(QueryExecution?.Status).toMatchObject({ State: "CANCELLED", StateChangeReason: "Query cancelled by user" });
  });

  it.each([
    [{ WorkGroup: "closed" }, "WorkGroup closed is disabled"],
    [{ WorkGroup: "homeless" }, "No output location provided"],
    [{ WorkGroup: "other" }, "WorkGroup other is not found. There is: analysts, closed, homeless."],
    [{ ExecutionParameters: ["1"] }, "ExecutionParameters is not supported by the local runtime"],
  ])("is refused with %j", async (options, reason) => {
    await expect(run(QUERY, options)).rejects.toThrow(reason);
  });

  it("doesn't exist under another id", async () => {
    const unknown = { QueryExecutionId: "none" };
    await expect(owner.send(new GetQueryExecutionCommand(unknown))).rejects.toThrow("QueryExecution none was not found");
  });
});

describe("a role", () => {
  const allow = (Action: string | readonly string[], Resource: string | readonly string[]) => ({
    Effect: "Allow",
    Action,
    Resource,
  });
  const inWorkgroup = allow(
    ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"],
    `arn:aws:athena:${region}:${accountId}:workgroup/analysts`,
  );
  const catalog = allow(
    ["glue:GetDatabase", "glue:GetTable"],
    ["catalog", "database/db", "table/db/*"].map((name) => `arn:aws:glue:${region}:${accountId}:${name}`),
  );
  const list = allow("s3:ListBucket", "arn:aws:s3:::data");
  const objects = allow("s3:GetObject", "arn:aws:s3:::data/events/*");
  const results = allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::results/queries/*");
  const key = allow(["kms:Decrypt", "kms:GenerateDataKey"], "*");
  const all = { inWorkgroup, catalog, list, objects, results, key };

  it("with what a query needs gets an answer", async () => {
    const client = roleClient("analyst", Object.values(all));
    const { Status, QueryExecutionId } = await run(QUERY, { client });
    expect(Status?.State).toBe("SUCCEEDED");
    expect((await client.send(new GetQueryResultsCommand({ QueryExecutionId }))).ResultSet?.Rows).toHaveLength(4);
  });

  it.each([
    ["catalog", "is not authorized to perform: glue:GetDatabase"],
    ["list", "is not authorized to perform: s3:ListBucket"],
    ["objects", "is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::data/events/"],
    ["results", "Access denied when writing output to url: s3://results/queries/"],
  ] as const)("without its statement on %s gets the reason", async (missing, reason) => {
    const client = roleClient(
      `without-${missing}`,
      Object.entries(all).flatMap(([name, statement]) => (name === missing ? [] : [statement])),
    );
    const { Status } = await run(QUERY, { client });
    expect(Status).toMatchObject({ State: "FAILED", StateChangeReason: expect.stringContaining(reason) });
  });

  it("can't query in a workgroup that isn't its own", async () => {
    const client = roleClient("outsider", [catalog]);
    await expect(run(QUERY, { client })).rejects.toThrow("athena:StartQueryExecution");
  });

  it("that may not read results of queries gets none", async () => {
    const client = roleClient("writer", [inWorkgroup, catalog, list, objects, allow("s3:PutObject", "*"), key]);
    const { QueryExecutionId } = await run(QUERY, { client });
    await expect(client.send(new GetQueryResultsCommand({ QueryExecutionId }))).rejects.toThrow("s3:GetObject");
  });
});

describe("the catalog", () => {
  it("lists saved queries by workgroup, and gives them by id", async () => {
    const { NamedQueryIds = [] } = await owner.send(new ListNamedQueriesCommand({ WorkGroup: "analysts" }));
    expect(NamedQueryIds).toHaveLength(1);
    const { NamedQuery } = await owner.send(new GetNamedQueryCommand({ NamedQueryId: NamedQueryIds[0] }));
    expect(NamedQuery).toMatchObject({
      Name: "all",
      Description: "All.",
      Database: "db",
      QueryString: QUERY,
      WorkGroup: "analysts",
    });
    await expect(owner.send(new GetNamedQueryCommand({ NamedQueryId: "none" }))).rejects.toThrow("was not found");
  });

  it("has the tables with their columns, and no partitions of projected ones", async () => {
    const glue = new GlueClient({ ...connection, credentials: credentials.owner });
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: "db", Name: "events" }));
    expect(Table?.StorageDescriptor?.Columns?.[0]).toEqual({ Name: "id", Type: "string", Comment: "Which." });
    expect((await glue.send(new GetTablesCommand({ DatabaseName: "db" }))).TableList).toHaveLength(1);
    expect((await glue.send(new GetPartitionsCommand({ DatabaseName: "db", TableName: "events" }))).Partitions).toEqual([]);
    await expect(glue.send(new GetTableCommand({ DatabaseName: "db", Name: "other" }))).rejects.toThrow(
      "Table other not found in database db",
    );
  });
});
