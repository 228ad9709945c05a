/** An in-memory world around the function for files: objects, checkpoints, a queue and a bus, with faults on demand. */
import type { SQSEvent, SQSRecord } from "aws-lambda";
import { PROFILES } from "../../functions/scoring/profiles";
import { createLog } from "../../functions/shared/log";
import { createRecordScorer, type InvocationContext, type RecordScorerArgs } from "../../functions/stream/score-records";
import { createFileHandler, type FileHandler, type FileHandlerArgs } from "../../functions/stream-files/handler";
import { continuationText } from "../../functions/stream-files/message";
import { FileGoneError } from "../../functions/stream-files/ports";
import { type Checkpoint, type FileResult, fileId, type IncomingFile } from "../../functions/stream-files/types";
import { ARRIVAL_MS, StreamWorld } from "./stream-world";

/** Whether the call with this number fails before or after its effect. */
export type Crash = (call: number, port: string) => "before" | "after" | null;

const TIME = { awsRequestId: "request-1", getRemainingTimeInMillis: () => 600_000 };
const CHUNK = 97;

export class FileWorld {
  readonly stream = new StreamWorld();
  readonly objects = new Map<string, { readonly bytes: Uint8Array; readonly metadata: Readonly<Record<string, string>> }>();
  readonly checkpoints = new Map<string, Checkpoint>();
  readonly results = new Map<string, FileResult>();
  readonly published: FileResult[] = [];
  readonly queue: { readonly body: string; readonly delaySeconds: number }[] = [];
  /** Where each reading of a file began. */
  readonly offsets: number[] = [];
  calls = 0;
  crash: Crash = () => null;

  #call<T>(port: string, effect: () => T): T {
    const crash = this.crash(this.calls++, port);
    if (crash === "before") throw new Error(`${port} failed`);
    const value = effect();
    if (crash === "after") throw new Error(`${port} failed after its effect`);
    return value;
  }

  /** Puts a version of an object, and queues S3's notification. */
  put(
    key: string,
    content: string | Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
    version: string | null = "v1",
  ): IncomingFile {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const file = { key, version, etag: `etag-${bytes.length}` };
    this.objects.set(fileId(file), { bytes, metadata });
    this.notify(file, bytes.length);
    return file;
  }

  notify({ key, version, etag }: IncomingFile, size = 1): void {
    const object = { key: encodeURIComponent(key), size, eTag: etag, ...(version === null ? {} : { versionId: version }) };
    const body = JSON.stringify({ Records: [{ eventName: "ObjectCreated:Put", s3: { bucket: { name: "data" }, object } }] });
    this.queue.push({ body, delaySeconds: 0 });
  }

  handler(overrides: Partial<FileHandlerArgs> = {}, scoring: Partial<RecordScorerArgs> = {}): FileHandler {
    return createFileHandler({
      profile: PROFILES.fraud,
      score: createRecordScorer(this.stream.scorerArgs(scoring)),
      files: {
        facts: async (file) => this.#call("facts", () => ({ modifiedAtMs: ARRIVAL_MS, metadata: this.#object(file).metadata })),
        bytes: (file, offset) => this.#bytes(file, offset),
      },
      journal: {
        checkpoint: async (id) => this.#call("checkpoint", () => this.checkpoints.get(id) ?? null),
        // As JSON, which is what a real store keeps.
        writeCheckpoint: async (id, checkpoint) =>
          this.#call("writeCheckpoint", () => void this.checkpoints.set(id, JSON.parse(JSON.stringify(checkpoint)))),
        writeResult: async (key, result) =>
          this.#call("writeResult", () => void (this.results.has(key) || this.results.set(key, result))),
      },
      continuation: {
        send: async (file, delaySeconds) =>
          this.#call("send", () => void this.queue.push({ body: continuationText(file), delaySeconds })),
      },
      announcements: { publish: async (result) => this.#call("publish", () => void this.published.push(result)) },
      clock: { now: () => ARRIVAL_MS + 1000 },
      log: createLog("debug", {}, (line) => void this.stream.lines.push(line)),
      rowsPerBatch: 3,
      reserveMs: 60_000,
      checkpointEveryMs: 0,
      ...overrides,
    });
  }

  /** Delivers messages until none is left, those that fail again. @returns how many deliveries it took */
  async run(handler: FileHandler = this.handler(), context: InvocationContext = TIME, most = 1000): Promise<number> {
    let deliveries = 0;
    for (let message = this.queue.shift(); message !== undefined; message = this.queue.shift()) {
      if (++deliveries > most) throw new Error(`not finished after ${most} deliveries`);
      const { batchItemFailures } = await handler(event(message.body), context);
      if (batchItemFailures.length > 0) this.queue.push(message);
    }
    return deliveries;
  }

  #object(file: IncomingFile) {
    const object = this.objects.get(fileId(file));
    if (object === undefined) throw new FileGoneError("gone");
    return object;
  }

  async *#bytes(file: IncomingFile, offset: number): AsyncGenerator<Uint8Array> {
    const { bytes } = this.#object(file);
    this.offsets.push(offset);
    for (let at = offset; at < bytes.length; at += CHUNK) {
      this.#call("bytes", () => this.#object(file));
      const chunk = bytes.subarray(at, at + CHUNK);
      yield chunk;
    }
  }
}

export function event(...bodies: readonly string[]): SQSEvent {
  // The handler reads no more of a message.
  return { Records: bodies.map((body, i) => ({ messageId: `m${i}`, body }) as SQSRecord) };
}
