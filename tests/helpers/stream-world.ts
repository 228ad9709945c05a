/** An in-memory world behind the stream processor's ports, with faults on demand. */
import type { KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import { fraud, policy as validatePolicy } from "#validators";
import { NO_REGISTRY } from "../../functions/formats/avro/no-registry";
import type { ArchiveRecord, QuarantineRecord } from "../../functions/scoring/core/archive-record";
import { compilePolicy } from "../../functions/scoring/policy/compile";
import { PROFILES } from "../../functions/scoring/profiles";
import { DEFAULT_BACKOFF } from "../../functions/shared/backoff";
import type { BusEvent } from "../../functions/shared/event-bus";
import { createLog } from "../../functions/shared/log";
import { createMetrics } from "../../functions/shared/metrics";
import { unpackLines } from "../../functions/shared/ndjson";
import type { RawLine } from "../../functions/shared/quarantine";
import { createTokeniser } from "../../functions/shared/tokeniser";
import { createStreamHandler, type StreamHandler } from "../../functions/stream/handler";
import type { Reads, StoredResult, StoredState } from "../../functions/stream/ports";
import type { BatchPorts } from "../../functions/stream/process-batch";
import { createQueueHandler, type QueueHandler } from "../../functions/stream/queue";
import { recordFormats } from "../../functions/stream/record-formats";
import type { RecordScorerArgs } from "../../functions/stream/score-records";

export const ARRIVAL_MS = Date.UTC(2026, 10, 21, 12);

/** Decides what a port call does: nothing special, be refused for lack of units, fail with no effect, or take effect and fail. */
export type Fault = "none" | "throttled" | "before" | "after";
export type FaultPlan = (call: number, port: string) => Fault;

export class StreamWorld {
  readonly results = new Map<string, StoredResult>();
  readonly states = new Map<string, StoredState>();
  readonly objects = new Map<string, Uint8Array>();
  /** The raw bucket. */
  readonly raw = new Map<string, Uint8Array>();
  readonly published: BusEvent[] = [];
  readonly lines: string[] = [];
  calls = 0;
  faults: FaultPlan = () => "none";

  async #call<T>(port: string, effect: () => T): Promise<T> {
    const fault = this.faults(this.calls++, port);
    if (fault === "throttled") throw Object.assign(new Error("slow down"), { name: "ProvisionedThroughputExceededException" });
    if (fault === "before") throw new Error(`${port} failed`);
    const value = effect();
    await Promise.resolve();
    if (fault === "after") throw new Error(`${port} failed after its effect`);
    return value;
  }

  readonly ports: BatchPorts = {
    results: {
      read: (ids) => this.#call("results.read", () => present(this.results, ids)),
      create: (result) =>
        this.#call("results.create", () => {
          const present = this.results.get(result.eventId);
          if (present !== undefined) return present;
          this.results.set(result.eventId, result);
          return "created";
        }),
      moveArchive: (id, from, to) =>
        this.#call("results.moveArchive", () => {
          const result = this.results.get(id);
          if (result?.archiveKey === from) this.results.set(id, { ...result, archiveKey: to });
          return this.results.get(id)?.archiveKey === to;
        }),
    },
    states: {
      read: (users) => this.#call("states.read", () => present(this.states, users)),
      write: (user, state) =>
        this.#call("states.write", () => {
          const present = this.states.get(user);
          if ((present?.version ?? 0) !== state.version - 1) return { present };
          this.states.set(user, state);
          return "written";
        }),
    },
    alerts: {
      publish: (events) =>
        this.#call("alerts.publish", () => {
          this.published.push(...events);
          return [];
        }),
    },
    objects: {
      putIfAbsent: (key, body) =>
        this.#call("objects.put", () => {
          if (this.objects.has(key)) return "exists";
          this.objects.set(key, body);
          return "created";
        }),
      size: (key) => this.#call("objects.size", () => this.objects.get(key)?.length ?? null),
    },
    raw: {
      putIfAbsent: (key, body) =>
        this.#call("raw.put", () => {
          if (this.raw.has(key)) return "exists";
          this.raw.set(key, body);
          return "created";
        }),
    },
  };

  readonly tokeniser = createTokeniser("test secret", PROFILES.fraud.schema);

  handler(overrides: Partial<RecordScorerArgs> = {}): StreamHandler {
    return createStreamHandler(this.scorerArgs(overrides));
  }

  queueHandler(overrides: Partial<RecordScorerArgs> = {}): QueueHandler {
    return createQueueHandler(this.scorerArgs(overrides));
  }

  scorerArgs(overrides: Partial<RecordScorerArgs> = {}): RecordScorerArgs {
    const clock = { now: () => ARRIVAL_MS + 1000 };
    const sink = (line: string) => void this.lines.push(line);
    const policy = fraudPolicy();
    return {
      profile: PROFILES.fraud,
      validate: fraud,
      formats: recordFormats(PROFILES.fraud, NO_REGISTRY, clock),
      maxAgeMs: 365 * 86_400_000,
      maxFutureMs: 3_600_000,
      policies: { current: async () => policy },
      tokeniser: async () => this.tokeniser,
      ports: this.ports,
      clock,
      log: createLog("debug", {}, sink),
      metrics: createMetrics("Test", { Profile: "fraud" }, clock, sink),
      eventDetailType: "Transaction Scored",
      reserveMs: 1000,
      backoff: { ...DEFAULT_BACKOFF, sleep: () => Promise.resolve() },
      ...overrides,
    };
  }

  archived(area = "archive"): ArchiveRecord[] {
    return this.#read(area) as ArchiveRecord[];
  }

  quarantined(): QuarantineRecord[] {
    return this.#read("quarantine") as QuarantineRecord[];
  }

  /** The whole records in quarantine. */
  rawLines(): RawLine[] {
    return this.#read("quarantine", this.raw) as RawLine[];
  }

  #read(area: string, objects: ReadonlyMap<string, Uint8Array> = this.objects): unknown[] {
    return [...objects]
      .filter(([key]) => key.startsWith(`${area}/`))
      .flatMap(([key, body]) => unpackLines(key, body))
      .map((line): unknown => JSON.parse(line));
  }
}

const present = <T>(items: ReadonlyMap<string, T>, ids: readonly string[]): Reads<T> => ({
  found: new Map(
    ids.flatMap((id) => {
      const item = items.get(id);
      return item === undefined ? [] : [[id, item] as const];
    }),
  ),
  unread: new Set(),
  error: undefined,
});

export function fraudPolicy() {
  const compiled = compilePolicy(PROFILES.fraud.defaultPolicy, PROFILES.fraud, validatePolicy);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.policy;
}

export const context = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 30_000 };

export function kinesisRecord(sequence: number, data: string): KinesisStreamRecord {
  return {
    awsRegion: "us-east-1",
    eventID: `shardId-000000000000:${sequence}`,
    eventName: "aws:kinesis:record",
    eventSource: "aws:kinesis",
    eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/test",
    eventVersion: "1.0",
    invokeIdentityArn: "arn:aws:iam::000000000000:role/test",
    kinesis: {
      approximateArrivalTimestamp: ARRIVAL_MS / 1000 + sequence / 1000,
      data,
      kinesisSchemaVersion: "1.0",
      partitionKey: "key",
      sequenceNumber: String(sequence),
    },
  };
}

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

export function transaction(id: string, fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    transaction_id: id,
    user_id: "alice",
    amount: 25,
    timestamp: new Date(ARRIVAL_MS - 60_000).toISOString(),
    currency: "USD",
    country: "US",
    latitude: 40.7128,
    longitude: -74.006,
    ...fields,
  };
}

export const event = (...records: KinesisStreamRecord[]): KinesisStreamEvent => ({ Records: records });
