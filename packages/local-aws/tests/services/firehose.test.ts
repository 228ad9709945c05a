import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { AwsError } from "../../src/contracts";
import { type FirehosePorts, FirehoseService, firehoseBodies } from "../../src/services/firehose";
import { checkPrefixes, objectKey } from "../../src/services/firehose/prefix";
import type { DeliveryStream, Processor } from "../../src/services/firehose/store";
import { call, world } from "../messaging/helpers";

const MIB = 1024 * 1024;
const data = (text: string) => Buffer.from(text).toString("base64");

type Answer = { readonly recordId: string; readonly result: string; readonly data?: string };
interface TransformationEvent {
  readonly invocationId: string;
  readonly deliveryStreamArn: string;
  readonly records: readonly { readonly recordId: string; readonly approximateArrivalTimestamp: number; readonly data: string }[];
}

/** A delivery stream whose timers fire when the test moves the clock. */
function scene(processor: Partial<Processor> | undefined = {}) {
  const { context, advance } = world();
  const timers: { readonly atMs: number; readonly run: () => void }[] = [];
  const objects = new Map<string, Buffer>();
  const events: TransformationEvent[] = [];
  const metrics: [name: string, value: number][] = [];
  const reports: string[] = [];
  const behaviour = {
    answer: (event: TransformationEvent): unknown => ({
      records: event.records.map(({ recordId, data }): Answer => ({ recordId, result: "Ok", data })),
    }),
    isError: false,
    put: (): void => undefined,
  };
  const ports: FirehosePorts = {
    after: (ms, run) => {
      const timer = { atMs: context.clock.now() + ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
    },
    invoke: async (_roleArn, _functionArn, payload) => {
      const event = JSON.parse(payload) as TransformationEvent;
      events.push(event);
      return { payload: JSON.stringify(behaviour.answer(event)), isError: behaviour.isError };
    },
    putObject: async (_stream, key, content) => {
      behaviour.put();
      objects.set(key, content);
    },
    report: (_stream, code) => void reports.push(code),
    metric: (_stream, name, value) => void metrics.push([name, value]),
  };
  const stream: Omit<DeliveryStream, "version"> = {
    name: "d",
    roleArn: "arn:aws:iam::000000000000:role/d",
    bucket: "b",
    prefix: "archive/dt=!{timestamp:yyyy-MM-dd}/",
    errorPrefix: "failed/!{firehose:error-output-type}/",
    extension: ".ndjson",
    keyArn: undefined,
    gzip: false,
    bufferBytes: MIB,
    bufferMs: 10_000,
    processor: processor && { functionArn: "f", retries: 3, bufferBytes: 1_000, bufferMs: 1_000, ...processor },
    encrypted: true,
    log: undefined,
  };
  const open = (): FirehoseService => {
    const service = new FirehoseService(context, ports);
    service.put(stream);
    service.activate();
    return service;
  };
  const idle = () => new Promise((resolve) => setImmediate(resolve));
  /** Moves the clock in steps of 100 ms; each step runs what is due. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed <= ms; passed += 100) {
      for (const timer of timers.filter(({ atMs }) => atMs <= context.clock.now())) {
        timers.splice(timers.indexOf(timer), 1);
        timer.run();
      }
      await idle();
      if (passed < ms) advance(100);
    }
  };
  const put = (service: FirehoseService, ...texts: readonly string[]) =>
    call<{ FailedPutCount: number; RequestResponses: { RecordId: string }[] }>(service, "PutRecordBatch", {
      DeliveryStreamName: "d",
      Records: texts.map((text) => ({ Data: data(text) })),
    });
  const written = (prefix: string) =>
    [...objects].filter(([key]) => key.startsWith(prefix)).map(([, content]) => content.toString());
  const failures = () =>
    written("failed/processing-failed/")
      .flatMap((text) => text.trimEnd().split("\n"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { open, pass, put, written, failures, objects, events, metrics, reports, behaviour, stream, context };
}

describe("a delivery stream", () => {
  let s: ReturnType<typeof scene>;
  beforeEach(() => {
    s = scene();
  });

  it("transforms what its first buffer holds and writes what the second does, as one object", async () => {
    const service = s.open();
    const { FailedPutCount, RequestResponses } = await s.put(service, "a\n", "b\n");
    expect(FailedPutCount).toBe(0);
    await s.pass(900);
    expect(s.events).toEqual([]);
    await s.pass(200);
    expect(s.events).toHaveLength(1);
    const [event] = s.events;
    expect(event?.deliveryStreamArn).toBe("arn:aws:firehose:us-east-1:000000000000:deliverystream/d");
    expect(event?.records.map((record) => record.recordId)).toEqual(RequestResponses.map(({ RecordId }) => RecordId));
    expect(event?.records[0]?.approximateArrivalTimestamp).toBe(Date.UTC(2026, 0, 15, 12));
    expect(s.objects.size).toBe(0);
    await s.pass(10_000);
    expect(s.written("archive/dt=2026-01-15/d-1-2026-01-15-12-00-00-")).toEqual(["a\nb\n"]);
    expect([...s.objects.keys()][0]).toMatch(/-[0-9a-f-]{36}\.ndjson$/);
    expect(s.metrics).toContainEqual(["DeliveryToS3.Records", 2]);
    expect(s.metrics.find(([name]) => name === "DeliveryToS3.DataFreshness")?.[1]).toBeGreaterThanOrEqual(10);
    await s.pass(60_000);
    expect([s.events.length, s.objects.size]).toEqual([1, 1]);
    await service.end();
  });

  it("invokes as soon as its buffer is full, with at most that many bytes", async () => {
    const service = s.open();
    await s.put(service, "x".repeat(600), "y".repeat(300), "z".repeat(300));
    await s.pass(0);
    expect(s.events.map(({ records }) => records.length)).toEqual([2]);
    await service.end();
  });

  it("leaves out dropped records, and writes those that failed to the error prefix", async () => {
    s.behaviour.answer = ({ records }) => ({
      records: records.map(({ recordId, data }, index) =>
        index === 0 ? { recordId, result: "Ok", data } : { recordId, result: index === 1 ? "Dropped" : "ProcessingFailed" },
      ),
    });
    const service = s.open();
    await s.put(service, "ok\n", "dropped", "failed");
    await s.pass(12_000);
    expect(s.written("archive/")).toEqual(["ok\n"]);
    expect(s.failures()).toEqual([
      {
        attemptsMade: 1,
        arrivalTimestamp: Date.UTC(2026, 0, 15, 12),
        errorCode: "Lambda.ProcessingFailedStatus",
        errorMessage: "ProcessingFailed status set for record",
        attemptEndingTimestamp: Date.UTC(2026, 0, 15, 12) + 1_000,
        rawData: data("failed"),
        lambdaArn: "f",
      },
    ]);
    await service.end();
  });

  it("repeats a failing invocation with the same records three times, then gives them up", async () => {
    s.behaviour.isError = true;
    const service = s.open();
    await s.put(service, "a");
    await s.pass(14_000);
    expect(s.events).toHaveLength(4);
    expect(new Set(s.events.map((event) => JSON.stringify(event))).size).toBe(1);
    expect(s.failures()).toMatchObject([{ attemptsMade: 4, errorCode: "Lambda.FunctionError", rawData: data("a") }]);
    expect(s.reports).toEqual(["Lambda.FunctionError"]);
    await service.end();
  });

  it("names why a function could not be invoked", async () => {
    const codes: [AwsError, string][] = [
      [new AwsError("TooManyRequestsException", "", 429), "Lambda.InvokeLimitExceeded"],
      [new AwsError("AccessDenied", "", 403), "Lambda.InvokeAccessDenied"],
      [new AwsError("ResourceNotFoundException", "", 404), "Lambda.ResourceNotFound"],
      [new AwsError("ServiceException", "", 500), "Lambda.FunctionError"],
    ];
    for (const [error, code] of codes) {
      const one = scene({ retries: 0 });
      one.behaviour.answer = () => {
        throw error;
      };
      const service = one.open();
      await one.put(service, "a");
      await one.pass(12_000);
      expect(one.failures()).toMatchObject([{ errorCode: code }]);
      await service.end();
    }
  });

  it("gives up records for which the answer is none", async () => {
    const answers: [unknown, string][] = [
      ["text", "Lambda.JsonProcessingException"],
      [{ records: [1] }, "Lambda.JsonProcessingException"],
      [{ records: [] }, "Lambda.MissingRecordId"],
    ];
    for (const [answer, code] of answers) {
      const one = scene();
      one.behaviour.answer = () => answer;
      const service = one.open();
      await one.put(service, "a");
      await one.pass(12_000);
      expect(one.failures()).toMatchObject([{ errorCode: code }]);
      await service.end();
    }
    s.behaviour.answer = ({ records: [first, second] }) => ({
      records: [
        { recordId: first?.recordId, result: "Ok", data: "" },
        { recordId: first?.recordId, result: "Ok", data: "" },
        { recordId: second?.recordId, result: "Okay", data: "" },
      ],
    });
    const service = s.open();
    await s.put(service, "a", "b");
    await s.pass(12_000);
    expect(s.failures().map(({ errorCode }) => errorCode)).toEqual([
      "Lambda.DuplicatedRecordId",
      "Lambda.JsonProcessingException",
    ]);
    await service.end();
  });

  it("keeps what it accepted over a restart, transformed or not", async () => {
    const first = s.open();
    await s.put(first, "transformed\n");
    await s.pass(1_100);
    await s.put(first, "pending\n");
    await first.end();
    const second = s.open();
    await s.pass(13_000);
    expect(s.written("archive/").join("")).toBe("transformed\npending\n");
    await second.end();
  });

  it("tries again while its bucket refuses, and loses nothing", async () => {
    let refusals = 3;
    s.behaviour.put = () => {
      if (refusals-- > 0) throw new AwsError("SlowDown", "later", 503);
    };
    const service = s.open();
    await s.put(service, "a\n");
    await s.pass(20_000);
    expect(s.written("archive/")).toEqual(["a\n"]);
    expect(s.reports).toEqual(["S3.Failure", "S3.Failure", "S3.Failure"]);
    await service.end();
  });

  it("writes records as they are without a processor, compressed if asked", async () => {
    s = scene(undefined);
    const service = s.open();
    service.put({ ...s.stream, processor: undefined, gzip: true });
    await call(service, "PutRecord", { DeliveryStreamName: "d", Record: { Data: data("a") } });
    await s.pass(11_000);
    const [[key, content] = ["", Buffer.alloc(0)]] = s.objects;
    // The second version: it was changed once.
    expect(key).toMatch(/^archive\/dt=2026-01-15\/d-2-/);
    expect(gunzipSync(content).toString()).toBe("a");
    await service.end();
  });

  it("forgets what a deleted stream held", async () => {
    const service = s.open();
    await s.put(service, "a");
    await service.delete("d");
    await s.pass(20_000);
    expect([s.events.length, s.objects.size]).toEqual([0, 0]);
    await expect(s.put(service, "a")).rejects.toThrow(/d not found/);
    await service.end();
  });

  it("refuses what is beyond Firehose's limits", async () => {
    const service = s.open();
    await expect(s.put(service, ...Array.from({ length: 501 }, () => ""))).rejects.toThrow(/1 to 500/);
    await expect(s.put(service)).rejects.toThrow(/1 to 500/);
    await expect(s.put(service, "x".repeat(1_024_001))).rejects.toThrow(/1,000 KiB/);
    await expect(s.put(service, ...Array.from({ length: 5 }, () => "x".repeat(1_000_000)))).rejects.toThrow(/4 MiB/);
    const one = (body: object) => call(service, "PutRecord", { DeliveryStreamName: "d", ...body });
    await expect(one({})).rejects.toThrow(/Record is required/);
    await expect(one({ Record: {} })).rejects.toThrow(/Data is required/);
    await expect(call(service, "StartDeliveryStreamEncryption", {})).rejects.toThrow(/StartDeliveryStreamEncryption/);
    await service.end();
  });

  it("gives every record to the function, to the bucket or to the error prefix, exactly once without faults", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), fc.constantFrom("Ok", "Dropped", "ProcessingFailed")), {
          minLength: 1,
          maxLength: 30,
        }),
        async (records) => {
          const one = scene();
          const results = new Map(records.map(([, result], index) => [index, result]));
          const indexOf = (text: string) => Number(text.split(" ")[0]);
          one.behaviour.answer = (event) => ({
            records: event.records.map(({ recordId, data }) => ({
              recordId,
              result: results.get(indexOf(Buffer.from(data, "base64").toString())),
              data,
            })),
          });
          const service = one.open();
          await one.put(service, ...records.map(([size], index) => `${index} ${"x".repeat(size)}\n`));
          await one.pass(15_000);
          const lines = one.written("archive/").flatMap((text) => text.trimEnd().split("\n"));
          const failed = one.failures().map(({ rawData }) => Buffer.from(String(rawData), "base64").toString());
          const of = (wanted: string) => [...results].filter(([, result]) => result === wanted).map(([index]) => index);
          expect(lines.filter((line) => line !== "").map(indexOf)).toEqual(of("Ok"));
          expect(failed.map(indexOf)).toEqual(of("ProcessingFailed"));
          await service.end();
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("prefixes of a delivery stream", () => {
  const key = (prefix: string | undefined, errorPrefix?: string) => (type: "data" | "processing-failed") =>
    objectKey({ name: "d", version: 3, prefix, errorPrefix, extension: ".gz" }, type, Date.UTC(2026, 2, 4, 5, 6, 7));

  it("get the default date unless they have one", () => {
    expect(key(undefined)("data")).toMatch(/^2026\/03\/04\/05\/d-3-2026-03-04-05-06-07-[0-9a-f-]{36}\.gz$/);
    expect(key("a/")("data")).toMatch(/^a\/2026\/03\/04\/05\/d-3-/);
    expect(key("a/!{timestamp:yyyy'-'MM-dd'T'HHmmss''}/")("data")).toMatch(/^a\/2026-03-04T050607'\/d-3-/);
    expect(key("a/!{firehose:random-string}/")("data")).toMatch(/^a\/[A-Za-z0-9]{11}\/2026\/03/);
  });

  it("of errors name the kind of error", () => {
    expect(key("a/")("processing-failed")).toMatch(/^processing-failed\/2026\/03\/04\/05\/d-3-[^.]*$/);
    expect(key("a/", "e/!{firehose:error-output-type}/!{timestamp:yyyy}/")("processing-failed")).toMatch(
      /^e\/processing-failed\/2026\/d-3-/,
    );
  });

  it("are refused where Firehose refuses them, or where they have no local body", () => {
    expect(() => checkPrefixes("!{timestamp:yyyy}/", undefined)).toThrow(/needs errorOutputPrefix/);
    expect(() => checkPrefixes("!{timestamp:yyyy}/", "e/!{timestamp:yyyy}/")).toThrow(/must contain/);
    expect(() => checkPrefixes("!{firehose:error-output-type}/", "e/")).toThrow(/can't contain/);
    expect(() => checkPrefixes("!{partitionKeyFromLambda:user}/", "e/")).toThrow(/no local body/);
    expect(() => checkPrefixes("!{timestamp:EEE}/", "e/")).toThrow(/EEE has no local body/);
    expect(() => checkPrefixes(undefined, undefined)).not.toThrow();
  });
});

describe("the body of a delivery stream", () => {
  const put = (inputs: Readonly<Record<string, unknown>>, s3: Readonly<Record<string, unknown>> = {}) => {
    const { open, context } = scene();
    const service = open();
    const [body] = firehoseBodies(service);
    const all = {
      destination: "extended_s3",
      extendedS3Configuration: { bucketArn: "arn:aws:s3:::b", roleArn: "arn:aws:iam::000000000000:role/r", ...s3 },
      ...inputs,
    };
    const { id, state } = body?.outputs({ name: "d", inputs: all, ...context }) ?? { id: "", state: {} };
    const rest = { parent: undefined, dependsOn: [], protect: false, ignoreChanges: [], secretInputs: [] };
    void body?.create?.({ urn: "u", type: body.type, name: "d", inputs: all, id, state: { ...all, ...state }, ...rest });
    return service.store.stream(String(state.name));
  };
  const lambda = (parameters: Readonly<Record<string, string>>) => ({
    processingConfiguration: {
      enabled: true,
      processors: [
        {
          type: "Lambda",
          parameters: Object.entries(parameters).map(([parameterName, parameterValue]) => ({ parameterName, parameterValue })),
        },
      ],
    },
  });

  it("has Firehose's defaults", () => {
    expect(put({})).toMatchObject({ bufferBytes: 5 * MIB, bufferMs: 300_000, gzip: false, extension: "", encrypted: false });
    expect(put({}, { compressionFormat: "GZIP" })).toMatchObject({ gzip: true, extension: ".gz" });
    expect(put({ serverSideEncryption: { enabled: true } })).toMatchObject({ encrypted: true });
    expect(put({}, { processingConfiguration: { enabled: false, processors: [] } }).processor).toBeUndefined();
    expect(put({}, lambda({ LambdaArn: "f" })).processor).toEqual({
      functionArn: "f",
      retries: 3,
      bufferBytes: MIB,
      bufferMs: 60_000,
    });
    expect(put({}, lambda({ LambdaArn: "f", BufferSizeInMBs: "0.2" })).processor?.bufferBytes).toBeCloseTo(0.2 * MIB);
    const options = { enabled: true, logGroupName: "g", logStreamName: "s" };
    expect(put({}, { cloudwatchLoggingOptions: options }).log).toEqual({ group: "g", stream: "s" });
  });

  it("refuses what it would not do", () => {
    expect(() => put({ destination: "redshift" })).toThrow(/only extended_s3/);
    expect(() => put({}, { s3BackupMode: "Enabled" })).toThrow(/s3BackupMode has no local body/);
    expect(() => put({}, { compressionFormat: "ZIP" })).toThrow(/got ZIP/);
    expect(() => put({}, { bufferingSize: 129 })).toThrow(/from 1 to 128/);
    expect(() => put({}, lambda({ LambdaArn: "f", BufferSizeInMBs: "4" }))).toThrow(/from 0.2 to 3, got 4/);
    expect(() => put({}, lambda({ LambdaArn: "f", Delimiter: "," }))).toThrow(/Delimiter have no local body/);
    expect(() => put({}, { processingConfiguration: { enabled: true, processors: [{ type: "Decompression" }] } })).toThrow(
      /Lambda/,
    );
  });
});
