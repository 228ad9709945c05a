/** The product's functions as their entries put them together, over simulated services. */

import { BULK, BULK_SINGLE, type Clients, type Endpoint, FAST } from "./clients";
import type { Process } from "./kernel/process";
import type { Random } from "./kernel/random";
import type { Prepared } from "./prepared";

export const TABLES = { results: "results", states: "states", scores: "scores" } as const;
export const BUCKET = "data";
export const RAW_BUCKET = "raw";
/** Detail type of events that are to be scored. */
export const INCOMING = "Payment";
export const DETAIL_TYPES = { fraud: "Transaction Scored", rest: "Score Made" } as const;
const DAY_MS = 86_400_000;
const LEASE_SECONDS = 60;
const EVENT_TIME = { maxAgeMs: 365 * DAY_MS, maxFutureMs: 3_600_000 };

export interface FunctionTools {
  readonly prepared: Prepared;
  readonly clients: Clients;
  readonly clock: { now(): number };
  readonly random: Random;
  /** Takes lines of logs and metrics. */
  readonly sink: (line: string) => void;
  readonly loadQueue: Endpoint;
  readonly eventQueue: Endpoint;
  readonly objectsPerLoad: number;
}

const backoffOf = ({ random }: FunctionTools, process: Process) => ({
  attempts: 5,
  baseMs: 25,
  capMs: 800,
  random: () => random.next(),
  sleep: (milliseconds: number) => process.sleep(milliseconds),
});

function toolsOf({ prepared: { product }, clock, sink }: FunctionTools) {
  return { clock, log: product.createLog("debug", {}, sink), metrics: product.createMetrics("Simulated", {}, clock, sink) };
}

function storesOf({ prepared: { product }, clients }: FunctionTools, process: Process) {
  const client = clients.s3(process, BULK);
  return { objects: product.createObjectStore(client, BUCKET), raw: product.createObjectStore(client, RAW_BUCKET) };
}

export const streamFunction = (tools: FunctionTools, process: Process, timeoutMs: number) =>
  tools.prepared.product.createStreamHandler(scorerArgs(tools, process, timeoutMs));

export const queueFunction = (tools: FunctionTools, process: Process, timeoutMs: number) =>
  tools.prepared.product.createQueueHandler(scorerArgs(tools, process, timeoutMs));

function scorerArgs(tools: FunctionTools, process: Process, timeoutMs: number) {
  const { prepared, clients, clock } = tools;
  const { product, policies, tokenisers } = prepared;
  const client = clients.dynamodb(process, BULK_SINGLE);
  const backoff = backoffOf(tools, process);
  return {
    ...toolsOf(tools),
    profile: product.PROFILES.fraud,
    validate: product.fraud,
    formats: product.recordFormats(product.PROFILES.fraud, product.NO_REGISTRY, clock),
    policies: { current: async () => policies.fraud },
    tokeniser: async () => tokenisers.fraud,
    ports: {
      results: product.createResultStore({ client, table: TABLES.results, clock, ttlSeconds: 90 * 86_400 }),
      states: product.createStateStore({ client, table: TABLES.states, clock, ttlSeconds: 30 * 86_400 }),
      alerts: product.createEventBus(clients.bus(process), "bus", "risk.fraud", backoff),
      ...storesOf(tools, process),
    },
    eventDetailType: DETAIL_TYPES.fraud,
    ...EVENT_TIME,
    reserveMs: timeoutMs / 10,
    backoff,
  };
}

export function eventsFunction(tools: FunctionTools, process: Process) {
  const { prepared, clients, eventQueue } = tools;
  const { product } = prepared;
  return product.createEventsHandler({
    ...toolsOf(tools),
    ...EVENT_TIME,
    profile: product.PROFILES.fraud,
    validate: product.events,
    validateEvent: product.fraud,
    queue: product.createQueueSender(clients.sqs(process, eventQueue), "events", backoffOf(tools, process)),
  });
}

export function archiverFunction(tools: FunctionTools, process: Process) {
  return tools.prepared.product.createArchiverHandler({ ...storesOf(tools, process), log: toolsOf(tools).log });
}

export function scoreFunction(tools: FunctionTools, process: Process, profile: "lead" | "device") {
  const { prepared, clients, clock, random } = tools;
  const { product, policies, tokenisers } = prepared;
  const client = clients.dynamodb(process, FAST);
  return product.createRestHandler({
    ...toolsOf(tools),
    profile: product.PROFILES[profile],
    validate: product[profile],
    policies: { current: async () => policies[profile] },
    tokeniser: async () => tokenisers[profile],
    scores: product.createScoreStore(client, TABLES.scores),
    idempotency: product.createIdempotencyStore({
      client,
      table: TABLES.scores,
      clock,
      ttlSeconds: 86_400,
      leaseSeconds: LEASE_SECONDS,
    }),
    bus: product.createEventBus(clients.bus(process), "bus", "risk.scores", backoffOf(tools, process)),
    objects: product.createObjectStore(clients.s3(process, FAST), BUCKET),
    eventDetailType: DETAIL_TYPES.rest,
    cacheTtlSeconds: 300,
    jitter: 0,
    random: () => random.next(),
  });
}

export function feedbackFunction(tools: FunctionTools, process: Process) {
  const { product } = tools.prepared;
  const objects = product.createObjectStore(tools.clients.s3(process, FAST), BUCKET);
  return product.createFeedbackHandler({ ...toolsOf(tools), validate: product.feedback, objects });
}

export function loaderFunction(tools: FunctionTools, process: Process, newId: () => string) {
  const { prepared, clients, loadQueue, objectsPerLoad } = tools;
  const { product } = prepared;
  const { log, clock: time } = toolsOf(tools);
  const clock = { now: () => time.now(), sleep: (milliseconds: number) => process.sleep(milliseconds) };
  const where = { workgroupName: "risk", database: "risk", secretArn: undefined };
  return product.createLoader(
    {
      queue: product.createQueue(clients.sqs(process, loadQueue), "load"),
      manifests: product.createManifestStore(clients.s3(process, BULK), BUCKET),
      sql: product.createSqlClient(product.createDataApi(clients.redshift(process), where), clock),
      clock,
      log,
      metrics: { run: () => {} },
      newId,
    },
    {
      ...product.DEFAULT_SETTINGS,
      copyRoleArn: "arn:aws:iam::000000000000:role/copy",
      maxObjects: objectsPerLoad,
      settleMilliseconds: 2_000,
    },
  );
}
