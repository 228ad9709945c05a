/** A function runtime over fakes: streams and queues in memory, everything that leaves it recorded. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { archiveFrom } from "@risk/program-graph";
import type { AwsRequest, LocalContext } from "../../src/contracts";
import type { FunctionConfig } from "../../src/lambda/function-config";
import type { MappingConfig } from "../../src/lambda/mapping";
import type { LambdaPorts, QueueMessage, StreamRecord, Timers } from "../../src/lambda/ports";
import { LambdaService } from "../../src/lambda/service";

export const streamArn = "arn:aws:kinesis:us-east-1:000000000000:stream/events";
export const queueArn = "arn:aws:sqs:us-east-1:000000000000:work";
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

/** Timers fire at once, in order, and are recorded. */
export class InstantTimers implements Timers {
  readonly waits: number[] = [];
  after(ms: number, run: () => void): () => void {
    this.waits.push(ms);
    const handle = setImmediate(run);
    return () => clearImmediate(handle);
  }
}

export class Harness {
  readonly dataDir = mkdtempSync(join(tmpdir(), "lambda-"));
  readonly db = new DatabaseSync(":memory:");
  now = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly logs: string[] = [];
  readonly metrics: { name: string; value: number }[] = [];
  readonly delivered: { target: string; payload: string }[] = [];
  readonly objects: { bucket: string; key: string; body: string }[] = [];
  readonly shards: Record<string, StreamRecord[]> = { "shardId-000000000000": [] };
  readonly ended = new Set<string>();
  readonly parents: Record<string, string[]> = {};
  readonly queue: QueueMessage[] = [];
  readonly deleted: string[] = [];
  readonly released: string[] = [];
  nextVisibleMs: number | undefined;
  readonly denied = new Set<string>();
  readonly timers = new InstantTimers();
  private readonly wakes = new Set<() => void>();
  private readonly services: LambdaService[] = [];

  readonly context: LocalContext = {
    region: "us-east-1",
    accountId: "000000000000",
    endpointUrl: "http://127.0.0.1:1",
    db: this.db,
    dataDir: this.dataDir,
    clock: { now: () => this.now },
    log: () => undefined,
  };

  readonly ports: LambdaPorts = {
    writeLogs: (_group, _stream, lines) => this.logs.push(...lines.map(({ message }) => message)),
    metric: (name, value) => this.metrics.push({ name, value }),
    credentials: (roleArn) => ({ accessKeyId: "AK", secretAccessKey: "SK", sessionToken: roleArn }),
    missingActions: (_role, action) => (this.denied.has(action) ? [action] : []),
    deliver: async (target, payload) => {
      this.delivered.push({ target, payload });
    },
    putObject: async (bucket, key, body) => {
      this.objects.push({ bucket, key, body });
    },
    streams: {
      shards: () => Object.keys(this.shards).map((id) => ({ id, parents: this.parents[id] ?? [] })),
      read: (_stream, shard, after, limit) => {
        const all = this.shards[shard] ?? [];
        const records = all.filter(({ sequenceNumber }) => sequenceNumber > after).slice(0, limit);
        return { records, ended: this.ended.has(shard) && (records.at(-1) ?? all.at(-1)) === all.at(-1) };
      },
      onRecords: (_stream, listener) => this.listen(listener),
    },
    queues: {
      receive: (_queue, limit) => this.queue.splice(0, limit),
      delete: (_queue, handles) => this.deleted.push(...handles),
      release: (_queue, handles) => this.released.push(...handles),
      nextVisibleMs: () => this.nextVisibleMs,
      visibilityTimeoutSeconds: () => 60,
      onMessages: (_queue, listener) => this.listen(listener),
    },
  };

  private listen(listener: () => void): () => void {
    this.wakes.add(listener);
    return () => this.wakes.delete(listener);
  }

  service(options: ConstructorParameters<typeof LambdaService>[2] = {}): LambdaService {
    const service = new LambdaService(this.context, this.ports, { timers: this.timers, asyncRetryDelaysMs: [1, 2], ...options });
    this.services.push(service);
    return service;
  }

  /** Appends records with keys `k0`, `k1` … unless a key is given; sequence numbers continue. */
  put(count: number, key?: string, shard = "shardId-000000000000"): void {
    const records = this.shards[shard] ?? [];
    this.shards[shard] = records;
    for (let index = 0; index < count; index += 1) {
      const sequenceNumber = String(records.length + 1).padStart(6, "0");
      records.push({
        sequenceNumber,
        partitionKey: key ?? `k${records.length}`,
        data: Buffer.from(JSON.stringify({ n: records.length })),
        arrivedAt: this.now,
      });
    }
    this.wake();
  }

  wake(): void {
    for (const wake of this.wakes) wake();
  }

  async close(): Promise<void> {
    for (const service of this.services) await service.end();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export const functionOf = (name: string, body: string, overrides: Partial<FunctionConfig> = {}): FunctionConfig => ({
  name,
  arn: functionArn(name),
  roleArn: `arn:aws:iam::000000000000:role/${name}`,
  handler: "index.handler",
  runtime: "nodejs24.x",
  memoryMb: 128,
  timeoutSeconds: 5,
  environment: {},
  reservedConcurrency: undefined,
  logGroup: `/aws/lambda/${name}`,
  tracing: "PassThrough",
  version: "$LATEST",
  code: archiveFrom({ "index.js": Buffer.from(body) }),
  ...overrides,
});

export const mappingOf = (functionName: string, overrides: Partial<MappingConfig> = {}): MappingConfig => ({
  uuid: "11111111-2222-4333-8444-555555555555",
  sourceArn: streamArn,
  functionName,
  batchSize: 100,
  windowSeconds: 0,
  parallelizationFactor: 1,
  maxRetries: -1,
  maxRecordAgeSeconds: -1,
  bisectOnError: false,
  reportsItemFailures: false,
  onFailure: undefined,
  maximumConcurrency: undefined,
  countsEvents: false,
  ...overrides,
});

export const request = (method: string, path: string, body = "", headers: Record<string, string> = {}): AwsRequest => ({
  service: "lambda",
  region: "us-east-1",
  action: "",
  method,
  url: new URL(`http://127.0.0.1${path}`),
  headers,
  body: Buffer.from(body),
  principal: { kind: "owner", arn: "arn:aws:iam::000000000000:root" },
});

/** Resolves when the condition holds; events of the process are what it waits for, a test's own limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
