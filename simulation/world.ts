/** Everything of one history: services, event sources, and the processes that run on them. */
import type { KinesisStreamEvent, SQSEvent } from "aws-lambda";
import { Clients } from "./clients";
import {
  archiverFunction,
  BUCKET,
  DETAIL_TYPES,
  type FunctionTools,
  INCOMING,
  loaderFunction,
  queueFunction,
  RAW_BUCKET,
  streamFunction,
  TABLES,
} from "./functions";
import { type FaultKind, Faults, type Service } from "./kernel/faults";
import { Network } from "./kernel/network";
import { Process } from "./kernel/process";
import { Random } from "./kernel/random";
import { Scheduler } from "./kernel/scheduler";
import type { Trace } from "./kernel/trace";
import type { Plan } from "./plan";
import type { Prepared } from "./prepared";
import { DataApi } from "./services/data-api";
import { DynamoDb } from "./services/dynamodb";
import { EventBus } from "./services/event-bus";
import { failedBatch } from "./services/failure-destination";
import { Stream } from "./services/kinesis";
import { QueueSource } from "./services/queue-source";
import { byBucket, S3, type StoredObject } from "./services/s3";
import { Queue } from "./services/sqs";
import { StreamSource } from "./services/stream-source";
import { Warehouse } from "./services/warehouse";

export const START_MS = Date.UTC(2026, 10, 21, 12);
const ARCHIVER_TIMEOUT_MS = 60_000;
const LOADER_TIMEOUT_MS = 900_000;
const LONGEST_NOTICE_MS = 5_000;
/** Few, so that messages reach the dead-letter queue. */
const EVENT_RECEIVES = 3;
/** Share of S3's notifications that come twice on a good day. */
const REPEATED_NOTICES = 0.05;
const THROTTLED_MS = 1_000;
/** A crash falls into the first calls of a function: those of a request, or those of a batch. */
const CRASH_WITHIN_CALLS = [6, 30] as const;

export class World {
  readonly scheduler = new Scheduler(START_MS);
  readonly random: Random;
  readonly faults: Faults;
  readonly network: Network;
  readonly lines: string[] = [];
  readonly dynamodb: DynamoDb;
  readonly s3: S3;
  /** The raw bucket, which only a redrive reads. */
  readonly raw: S3;
  readonly bus: EventBus;
  readonly stream: Stream;
  readonly source: StreamSource;
  /** The bus whose events are scored. */
  readonly incoming: EventBus;
  readonly eventQueue: Queue;
  readonly archiveQueue: Queue;
  readonly loadQueue: Queue;
  readonly warehouse: Warehouse;
  readonly tools: FunctionTools;
  readonly trace: Trace;
  /** Batches at the failure destination. */
  givenUp = 0;
  #invocations = 0;
  #loads = 0;
  #loaders = 0;

  constructor(
    readonly plan: Plan,
    readonly prepared: Prepared,
    trace: Trace,
  ) {
    const { settings, seed } = plan;
    const { scheduler } = this;
    this.trace = trace;
    this.random = new Random(seed ^ 0x5bd1e995);
    const random = this.random;
    this.faults = new Faults(plan.faults, START_MS, random);
    this.network = new Network(scheduler, random, this.faults, trace);
    const now = () => scheduler.now();

    this.dynamodb = new DynamoDb(
      { [TABLES.results]: ["transaction_id"], [TABLES.states]: ["user_id"], [TABLES.scores]: ["leadId", "timestamp"] },
      random,
      () => this.happens("dynamodb", "throttle"),
      (item) =>
        new prepared.product.ConditionalCheckFailedException({
          message: "The conditional request failed",
          $metadata: { httpStatusCode: 400 },
          ...(item === undefined ? {} : { Item: item }),
        }),
    );
    this.loadQueue = new Queue(
      { name: "load", visibilitySeconds: LOADER_TIMEOUT_MS / 1000, maxReceives: settings.loadReceives },
      scheduler,
      () => {},
      this.#deadLetters("load-dead"),
    );
    this.s3 = new S3(BUCKET, now, (key, object) => this.#notify(key, object));
    this.raw = new S3(RAW_BUCKET, now, () => {});
    this.warehouse = new Warehouse({
      read: (bucket, key) => (bucket === BUCKET ? this.s3.objects.get(key)?.body : undefined),
      now,
      targets: prepared.product.TARGETS,
    });
    const eventSource = new QueueSource(
      () => this.eventQueue,
      { batchSize: settings.batchSize, windowMs: settings.windowMs, concurrency: 3 },
      {
        invoke: (event) => this.#scoreMessages(event),
        repeats: () => this.happens("sqs", "duplicate"),
      },
      scheduler,
    );
    this.eventQueue = new Queue(
      { name: "events", visibilitySeconds: (6 * settings.functionTimeoutMs) / 1000, maxReceives: EVENT_RECEIVES },
      scheduler,
      () => eventSource.wake(),
      this.#deadLetters("events-dead"),
    );
    this.incoming = new EventBus(
      [{ detailType: INCOMING, deliver: (envelope) => this.eventQueue.send(envelope) }],
      scheduler,
      random,
      () => this.happens("bus", "throttle"),
      () => this.happens("bus", "duplicate"),
    );
    const archiveSource = new QueueSource(
      () => this.archiveQueue,
      { batchSize: settings.archiveBatchSize, windowMs: settings.windowMs, concurrency: 2 },
      {
        invoke: (event) =>
          this.invoke("archiver", ARCHIVER_TIMEOUT_MS, (process) => archiverFunction(this.tools, process)(event)),
        repeats: () => this.happens("sqs", "duplicate"),
      },
      scheduler,
    );
    this.archiveQueue = new Queue(
      { name: "archive", visibilitySeconds: 6 * 60, maxReceives: settings.archiveReceives },
      scheduler,
      () => archiveSource.wake(),
      this.#deadLetters("archive-dead"),
    );
    this.bus = new EventBus(
      [{ detailType: DETAIL_TYPES.rest, deliver: (envelope) => this.archiveQueue.send(envelope) }],
      scheduler,
      random,
      () => this.happens("bus", "throttle"),
      () => this.happens("bus", "duplicate"),
    );
    this.stream = new Stream(settings.shards, now, (shard) => this.source.wake(shard));
    const clients = new Clients(this.network, {
      dynamodb: this.dynamodb,
      s3: byBucket([this.s3, this.raw]),
      bus: this.bus,
      kinesis: this.stream,
      redshift: new DataApi(this.warehouse, scheduler, random, this.faults, settings.loadMs),
    });
    this.tools = {
      prepared,
      clients,
      clock: { now },
      random,
      sink: (line) => void this.lines.push(line),
      loadQueue: this.loadQueue,
      eventQueue: this.eventQueue,
      objectsPerLoad: settings.objectsPerLoad,
    };
    this.source = new StreamSource(
      this.stream,
      settings,
      {
        invoke: (event) => this.#scoreBatch(event),
        giveUp: (records, reason) => {
          trace("stream", `gives up ${records.map(({ sequence }) => `…${sequence.slice(-4)}`).join(" ")}: ${reason}`);
          const { key, body } = failedBatch(records, reason, ++this.givenUp);
          this.raw.store(key, body);
        },
        repeats: () => this.happens("lambda", "duplicate"),
      },
      scheduler,
      random,
    );
  }

  happens(service: Service, kind: FaultKind): boolean {
    return this.faults.draw(service, this.scheduler.now(), new Set([kind])) !== undefined;
  }

  /** Runs a function once. @returns undefined when it failed, crashed, ran out of time, or its answer was lost */
  async invoke<T>(name: string, timeoutMs: number, body: (process: Process) => Promise<T>): Promise<T | undefined> {
    const { scheduler, random, trace } = this;
    while (this.happens("lambda", "throttle")) await scheduler.sleep(THROTTLED_MS);
    const crashAt = this.happens("lambda", "crash") ? random.between(1, random.pick(CRASH_WITHIN_CALLS)) : undefined;
    const isLost = this.happens("lambda", "lost");
    const actor = `${name}#${++this.#invocations}`;
    const process = new Process(actor, scheduler, scheduler.now() + timeoutMs, crashAt);
    const result = await new Promise<T | undefined>((resolve) => {
      process.onEnd(() => resolve(undefined));
      scheduler.after(timeoutMs, () => process.end());
      body(process).then(
        (value) => {
          if (process.isAlive) resolve(isLost ? undefined : value);
        },
        (error: unknown) => {
          trace(actor, `throws ${String(error)}`);
          if (process.isAlive) resolve(undefined);
        },
      );
    });
    process.end();
    trace(actor, result === undefined ? "ends without an answer" : `answers ${JSON.stringify(result)}`);
    return result;
  }

  #deadLetters(name: string): Queue {
    return new Queue({ name, visibilitySeconds: 30, maxReceives: Number.POSITIVE_INFINITY }, this.scheduler, () => {});
  }

  #scoreBatch(event: KinesisStreamEvent) {
    const { functionTimeoutMs } = this.plan.settings;
    return this.invoke("scorer", functionTimeoutMs, (process) => {
      this.trace(process.name, `gets ${event.Records.map(({ eventID }) => `…${eventID.slice(-4)}`).join(" ")}`);
      return streamFunction(
        this.tools,
        process,
        functionTimeoutMs,
      )(event, {
        awsRequestId: process.name,
        getRemainingTimeInMillis: () => process.deadline - this.scheduler.now(),
      });
    });
  }

  #scoreMessages(event: SQSEvent) {
    const { functionTimeoutMs } = this.plan.settings;
    return this.invoke("queue-scorer", functionTimeoutMs, (process) => {
      this.trace(process.name, `gets ${event.Records.map(({ messageId }) => messageId).join(" ")}`);
      return queueFunction(
        this.tools,
        process,
        functionTimeoutMs,
      )(event, {
        awsRequestId: process.name,
        getRemainingTimeInMillis: () => process.deadline - this.scheduler.now(),
      });
    });
  }

  /** Starts the loader if there is something to load and it isn't running as often as it may. */
  load(): void {
    if (this.loadQueue.size === 0 || this.#loaders >= this.plan.settings.loaders) return;
    this.#loaders++;
    void this.invoke("loader", LOADER_TIMEOUT_MS, (process) => {
      const loader = loaderFunction(this.tools, process, () => `load-${++this.#loads}`);
      return loader(process.deadline);
    }).then(() => {
      this.#loaders--;
    });
  }

  #notify(key: string, { body, etag }: StoredObject): void {
    if (!this.prepared.product.TARGETS.some(({ prefix }) => key.startsWith(prefix))) return;
    const object = { key: encodeURIComponent(key).replaceAll("%2F", "/"), size: body.length, eTag: etag };
    const notice = JSON.stringify({ Records: [{ eventName: "ObjectCreated:Put", s3: { bucket: { name: BUCKET }, object } }] });
    const isRepeated = this.happens("s3", "duplicate") || this.random.chance(REPEATED_NOTICES);
    for (let times = isRepeated ? 2 : 1; times > 0; times--)
      this.scheduler.after(this.random.between(20, LONGEST_NOTICE_MS), () => this.loadQueue.send(notice));
  }
}
