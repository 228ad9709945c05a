/** Moves what a delivery stream has accepted through its two buffers: to the transformation, then into objects. */
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { messageOf } from "@risk/program-graph";
import { AwsError } from "../../contracts";
import { type OutputType, objectKey } from "./prefix";
import type { Buffered, DeliveryStream, FirehoseStore, Output, PendingRecord, Processor } from "./store";
import { type Attempts, type FailureCode, failed, outputsOf, transformationEvent } from "./transform";

export interface PumpPorts {
  readonly store: FirehoseStore;
  readonly now: () => number;
  /** Runs `run` later; returns how to cancel it. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
  readonly region: string;
  readonly arnOf: (stream: string) => string;
  /** Invokes as the delivery role. @throws AwsError */
  readonly invoke: (
    roleArn: string,
    functionArn: string,
    payload: string,
  ) => Promise<{ readonly payload: string; readonly isError: boolean }>;
  /** Writes as the delivery role. @throws AwsError */
  readonly putObject: (stream: DeliveryStream, key: string, data: Buffer) => Promise<void>;
  readonly report: (stream: DeliveryStream, code: string, message: string) => void;
  readonly metric: (stream: string, name: string, value: number, unit: "Count" | "Seconds" | "Milliseconds") => void;
}

/** AWS waits longer between attempts; nobody wants to on a laptop. */
const RETRY_MS = 200;
/** After a fault of the destination, which Firehose tries again for up to 24 hours. */
const DESTINATION_RETRY_MS = 1_000;
const OUTPUTS: readonly OutputType[] = ["data", "processing-failed"];

export class Pump {
  private cancel: (() => void) | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private ended = false;

  constructor(
    private readonly name: string,
    private readonly ports: PumpPorts,
  ) {}

  /** Does what is due, and comes back when the next thing is. */
  wake(): void {
    if (this.ended) return;
    if (this.running !== undefined) {
      this.again = true;
      return;
    }
    this.cancel?.();
    this.again = false;
    this.running = this.work()
      .catch((error: unknown) => {
        this.comeBack(DESTINATION_RETRY_MS);
        const stream = this.ports.store.findStream(this.name);
        if (stream !== undefined) this.ports.report(stream, "S3.Failure", messageOf(error));
      })
      .finally(() => {
        this.running = undefined;
        if (this.again) this.wake();
      });
  }

  async end(): Promise<void> {
    this.ended = true;
    this.cancel?.();
    await this.running;
  }

  private comeBack(milliseconds: number): void {
    this.cancel = this.ports.after(Math.max(1, milliseconds), () => this.wake());
  }

  private async work(): Promise<void> {
    for (;;) {
      const stream = this.ports.store.findStream(this.name);
      if (stream === undefined || this.ended) return;
      const waits = [await this.transformDue(stream), ...(await this.deliverDue(stream))].filter((wait) => wait !== undefined);
      if (waits.length === 0) return;
      const next = Math.min(...waits);
      if (next > 0) return this.comeBack(next);
    }
  }

  /** @returns ms until more is due; undefined if nothing waits */
  private async transformDue(stream: DeliveryStream): Promise<number | undefined> {
    const { store } = this.ports;
    const { processor } = stream;
    const left = this.untilDue(store.pending(this.name), processor ?? { bufferBytes: 0, bufferMs: 0 });
    if (left === undefined || left > 0) return left;
    const records = store.oldest(this.name, processor?.bufferBytes ?? Number.POSITIVE_INFINITY);
    const outputs = processor === undefined ? records.map(untransformed) : await this.transform(stream, processor, records);
    if (outputs !== undefined) store.replace(this.name, records, outputs);
    return 0;
  }

  private async deliverDue(stream: DeliveryStream): Promise<(number | undefined)[]> {
    const waits: (number | undefined)[] = [];
    for (const type of OUTPUTS) {
      const left = this.untilDue(this.ports.store.buffered(this.name, type), stream);
      if (left === undefined || left > 0) waits.push(left);
      else await this.deliver(stream, type);
    }
    return waits;
  }

  private untilDue(waiting: Buffered | undefined, limit: Pick<Processor, "bufferBytes" | "bufferMs">): number | undefined {
    if (waiting === undefined) return undefined;
    return waiting.bytes >= limit.bufferBytes ? 0 : Math.max(0, waiting.sinceMs + limit.bufferMs - this.ports.now());
  }

  /** @returns undefined when the platform stops in the meantime: then the records stay, and are transformed again */
  private async transform(
    stream: DeliveryStream,
    processor: Processor,
    records: readonly PendingRecord[],
  ): Promise<readonly Output[] | undefined> {
    const { region, arnOf, now, metric } = this.ports;
    const event = transformationEvent(randomUUID(), arnOf(this.name), region, records);
    const startedMs = now();
    for (let made = 1; ; made++) {
      const { answer, code } = await this.attempt(stream, processor, event);
      if (this.ended && code !== undefined) return undefined;
      metric(this.name, "ExecuteProcessing.Success", code === undefined ? 1 : 0, "Count");
      metric(this.name, "ExecuteProcessing.Duration", now() - startedMs, "Milliseconds");
      const attempts: Attempts = { made, endedMs: now(), functionArn: processor.functionArn };
      if (answer !== undefined) {
        const outputs = outputsOf(records, answer, attempts);
        const failures = outputs.filter(({ type }) => type === "processing-failed").length;
        metric(this.name, "SucceedProcessing.Records", records.length - failures, "Count");
        return outputs;
      }
      if (made > processor.retries) {
        this.ports.report(stream, code, `${records.length} records were not transformed in ${made} attempts.`);
        return records.map((record) => failed(record, code, attempts));
      }
      await this.pause(RETRY_MS * made);
    }
  }

  private async attempt(
    { roleArn }: DeliveryStream,
    { functionArn }: Processor,
    event: string,
  ): Promise<{ readonly answer: string; readonly code?: never } | { readonly answer?: never; readonly code: FailureCode }> {
    try {
      const { payload, isError } = await this.ports.invoke(roleArn, functionArn, event);
      return isError ? { code: "Lambda.FunctionError" } : { answer: payload };
    } catch (error) {
      return { code: codeOf(error) };
    }
  }

  private async deliver(stream: DeliveryStream, type: OutputType): Promise<void> {
    const { store, now, metric } = this.ports;
    const { parts, remove } = store.outputs(this.name, type);
    const oldestMs = Math.min(...parts.map(({ arrivedMs }) => arrivedMs));
    const content = Buffer.concat(parts.map(({ data }) => data));
    await this.ports.putObject(
      stream,
      objectKey(stream, type, oldestMs),
      type === "data" && stream.gzip ? gzipSync(content) : content,
    );
    remove();
    if (type !== "data") return;
    metric(this.name, "DeliveryToS3.Success", 1, "Count");
    metric(this.name, "DeliveryToS3.Records", parts.length, "Count");
    metric(this.name, "DeliveryToS3.DataFreshness", Math.max(0, now() - oldestMs) / 1000, "Seconds");
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.ports.after(milliseconds, resolve));
  }
}

const untransformed = ({ data, arrivedMs }: PendingRecord): Output => ({ type: "data", data, arrivedMs });

function codeOf(error: unknown): FailureCode {
  if (!(error instanceof AwsError)) return "Lambda.FunctionError";
  if (error.status === 429) return "Lambda.InvokeLimitExceeded";
  if (error.status === 403) return "Lambda.InvokeAccessDenied";
  return error.status === 404 ? "Lambda.ResourceNotFound" : "Lambda.FunctionError";
}
