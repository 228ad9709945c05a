/** A warehouse with its Data API, objects and a queue, all in memory but PostgreSQL. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Principal } from "@risk/local-aws/testing";
import { RedshiftDataService, RedshiftServerless, redshiftBodies } from "@risk/local-aws/testing";
import { Warehouse } from "@risk/local-warehouse";
import type { GraphResource } from "@risk/program-graph";
import { createLoader, type Loader } from "../../functions/loader/handler";
import { DEFAULT_SETTINGS, type LoaderPorts, type Queue, type QueueMessage } from "../../functions/loader/ports";
import { createSqlClient, type DataApi } from "../../functions/loader/sql-client";
import { createMigrator, type Migration } from "../../functions/migrator/handler";
import type { ArchiveRecord } from "../../functions/scoring/core/archive-record";
import type { Log } from "../../functions/shared/log";
import { compressionOf } from "../../functions/shared/ndjson";

export const COPY_ROLE = "arn:aws:iam::000000000000:role/copy";
export const OWNER: Principal = { kind: "owner", arn: "arn:aws:iam::000000000000:root" };
export const LOADER: Principal = { kind: "role", arn: "arn:aws:iam::000000000000:role/loader", roleName: "loader" };
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
const REGION = "us-east-1";
const ACCOUNT = "000000000000";

export const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(milliseconds, 20))),
};

export function migrations(): Migration[] {
  const folder = join(process.cwd(), "sql/migrations");
  return readdirSync(folder)
    .sort()
    .map((file) => ({ name: file.replace(/\.sql$/, ""), sql: readFileSync(join(folder, file), "utf8") }));
}

export class Harness {
  readonly folder = mkdtempSync(join(tmpdir(), "warehouse-"));
  readonly objects = new Map<string, Buffer>();
  readonly denied = new Set<string>();
  readonly databaseRoles: string[] = ["risk_loader"];
  readonly warehouse: Warehouse;
  readonly redshift: RedshiftServerless;
  readonly service: RedshiftDataService;
  readonly queue = new MemoryQueue();
  workgroupArn = "";

  constructor() {
    this.warehouse = new Warehouse({
      folder: this.folder,
      durable: false,
      readObject: async ({ bucket, key }) => this.objects.get(`${bucket}/${key}`),
      writeObject: async ({ bucket, key }, content) => void this.objects.set(`${bucket}/${key}`, content),
      listObjects: async ({ bucket, prefix }) =>
        [...this.objects.keys()]
          .filter((name) => name.startsWith(`${bucket}/${prefix}`))
          .map((name) => name.slice(bucket.length + 1))
          .sort(),
      authorizeRole: (roleArn, { action, resource }) => {
        if (this.denied.has(resource)) throw new Error(`${roleArn} is not authorized to perform ${action} on ${resource}`);
      },
    });
    this.redshift = new RedshiftServerless(this.warehouse);
    this.service = new RedshiftDataService(
      { region: REGION, accountId: ACCOUNT, clock },
      { redshift: this.redshift, warehouse: this.warehouse, databaseRolesOf: () => this.databaseRoles },
    );
  }

  async start(): Promise<void> {
    await this.warehouse.start();
    const bodies = redshiftBodies(this.redshift);
    const inputs = {
      "aws:redshiftserverless/namespace:Namespace": {
        namespaceName: "risk",
        dbName: "risk",
        iamRoles: [COPY_ROLE],
        manageAdminPassword: true,
      },
      "aws:redshiftserverless/workgroup:Workgroup": { workgroupName: "risk", namespaceName: "risk" },
    };
    for (const [type, given] of Object.entries(inputs)) {
      const body = bodies.find((candidate) => candidate.type === type);
      if (body === undefined) throw new Error(`${type} has no body.`);
      const { id, state } = body.outputs({ name: "x", inputs: given, region: REGION, accountId: ACCOUNT });
      const resource: GraphResource = {
        urn: `urn:${type}`,
        type: body.type,
        name: "x",
        parent: undefined,
        inputs: given,
        id,
        state,
        dependsOn: [],
        protect: false,
        ignoreChanges: [],
        secretInputs: [],
      };
      await body.create?.(resource);
    }
    this.workgroupArn = this.redshift.workgroups.get("risk")?.arn ?? "";
  }

  async stop(): Promise<void> {
    await this.service.statements.settled();
    await this.warehouse.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** One call of the Data API. */
  async call<T = Record<string, unknown>>(
    action: string,
    body: Record<string, unknown>,
    principal: Principal = OWNER,
  ): Promise<T> {
    const response = await this.service.handle({
      service: "redshift-data",
      region: REGION,
      action,
      method: "POST",
      url: new URL("http://127.0.0.1/"),
      headers: {},
      body: Buffer.from(JSON.stringify(body)),
      principal,
    });
    return JSON.parse(String(response.body)) as T;
  }

  dataApi(principal: Principal = OWNER): DataApi {
    const where = { WorkgroupName: "risk", Database: "risk" };
    return {
      execute: async ({ sql, name, token }) =>
        (
          await this.call<{ Id: string }>(
            "ExecuteStatement",
            { ...where, Sql: sql, StatementName: name, ClientToken: token },
            principal,
          )
        ).Id,
      batch: async ({ sqls, name, token }) =>
        (
          await this.call<{ Id: string }>(
            "BatchExecuteStatement",
            { ...where, Sqls: sqls, StatementName: name, ClientToken: token },
            principal,
          )
        ).Id,
      describe: async (id) => {
        const state = await this.call<Described>("DescribeStatement", { Id: id }, principal);
        const subStatements = (state.SubStatements ?? []).map((part) => ({
          id: part.Id,
          status: part.Status,
          error: part.Error,
        }));
        return { status: state.Status, error: state.Error, subStatements };
      },
      result: async (id, nextToken) => {
        const page = await this.call<Page>("GetStatementResult", { Id: id, NextToken: nextToken }, principal);
        return {
          columns: page.ColumnMetadata.map(({ name }) => name),
          rows: page.Records.map((row) => row.map((field) => (field.isNull ? null : String(Object.values(field)[0])))),
          nextToken: page.NextToken,
        };
      },
      cancel: async (id) => {
        await this.call("CancelStatement", { Id: id }, principal);
      },
    };
  }

  migrate(list = migrations()) {
    const sql = createSqlClient(this.dataApi(), clock);
    return createMigrator({ migrations: list, sql, log: silentLog, newId: randomUUID })(Date.now() + 30_000);
  }

  /** Runs one Redshift statement to its end and returns its rows as text. */
  run(sql: string, principal: Principal = OWNER) {
    const client = createSqlClient(this.dataApi(principal), clock);
    return client.transaction([sql], { name: "test", token: randomUUID(), deadline: Date.now() + 20_000 });
  }

  loader(overrides: Partial<LoaderPorts> = {}): Loader {
    return createLoader(
      {
        queue: this.queue,
        manifests: {
          write: async (name, content) => {
            this.objects.set(`data/manifests/${name}`, Buffer.from(content));
            return `s3://data/manifests/${name}`;
          },
        },
        sql: createSqlClient(this.dataApi(LOADER), clock),
        clock,
        log: silentLog,
        metrics: { run() {} },
        newId: randomUUID,
        ...overrides,
      },
      { ...DEFAULT_SETTINGS, copyRoleArn: COPY_ROLE, settleMilliseconds: 200 },
    );
  }

  /** Stores lines as an object and announces it as S3 does. */
  put(key: string, lines: readonly unknown[]): void {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    this.putBytes(key, compressionOf(key) === "GZIP" ? gzipSync(text) : zstdCompressSync(text));
  }

  putBytes(key: string, content: Buffer): void {
    this.objects.set(`data/${key}`, content);
    this.announce(key, content.length);
  }

  announce(key: string, size: number): void {
    const object = { key: encodeURIComponent(key).replaceAll("%2F", "/"), size, eTag: `etag-${key}` };
    this.queue.send(JSON.stringify({ Records: [{ eventName: "ObjectCreated:Put", s3: { bucket: { name: "data" }, object } }] }));
  }
}

interface Described {
  readonly Status: "FINISHED";
  readonly Error?: string;
  readonly SubStatements?: readonly { readonly Id: string; readonly Status: string; readonly Error?: string }[];
}

interface Page {
  readonly ColumnMetadata: readonly { readonly name: string }[];
  readonly Records: readonly (readonly Record<string, unknown>[])[];
  readonly NextToken?: string;
}

/** SQS as far as the loader sees it: received messages are held until removed, released, or given back by `expire`. */
export class MemoryQueue implements Queue {
  private readonly messages = new Map<string, { body: string; count: number; held: boolean }>();

  send(body: string): void {
    this.messages.set(randomUUID(), { body, count: 0, held: false });
  }

  async receive(): Promise<readonly QueueMessage[]> {
    const visible = [...this.messages].filter(([, { held }]) => !held).slice(0, 10);
    return visible.map(([messageId, message]) => {
      message.held = true;
      message.count += 1;
      return { messageId, receiptHandle: messageId, body: message.body, receiveCount: message.count };
    });
  }

  async remove(messages: readonly QueueMessage[]): Promise<void> {
    for (const { messageId } of messages) this.messages.delete(messageId);
  }

  async release(): Promise<void> {}

  async size(): Promise<number> {
    return this.messages.size;
  }

  /** The visibility timeout of every held message passes. */
  expire(): void {
    for (const message of this.messages.values()) message.held = false;
  }
}

export function archiveLine(id: string, changes: Partial<ArchiveRecord> = {}): ArchiveRecord {
  return {
    event_id: id,
    profile: "fraud",
    source: "kinesis",
    source_position: `shardId-000000000000:${id}`,
    user_id: "tok_user",
    occurred_at: "2026-01-31T08:00:00.123Z",
    scored_at: "2026-01-31T08:00:01.000Z",
    score: 0.8,
    score_scale: 1,
    band: "high",
    model_version: "m1",
    policy_version: "p1",
    flags: ["impossible_travel", "high_amount"],
    reasons: [
      { code: "impossible_travel", text: "Travelled 812 km in 4 minutes", contribution: 0.5 },
      { code: "high_amount", text: "It's \\ large", contribution: 0.3 },
    ],
    geo_flag: true,
    velocity_flag: false,
    amount_flag: true,
    hour_flag: false,
    amount: 120.5,
    currency: "EUR",
    category: null,
    country: "DE",
    latitude: 48.1,
    longitude: 11.6,
    distance_km: 812,
    speed_kmh: 12180,
    features: { amount_log: 4.8, hour: null },
    input: { transaction_id: id, note: "Grüße \\ 'quoted' 🎉" },
    input_hash: "a".repeat(64),
    ...changes,
  };
}
