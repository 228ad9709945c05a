/** The ways in of a stream processor: what each brings, and that nothing is there for one that isn't named. */
import { describe, expect, it } from "vitest";
import type * as Stream from "../../components/stream-processor";
import { PROFILES } from "../../functions/scoring/profiles";
import { type Evaluation, evaluate, load, type Recorded } from "../helpers/recorder";
import { CHILDREN } from "./minimal-children";

// The compiled module has the types of its source.
const { StreamProcessor } = load("components/stream-processor") as typeof Stream;

const withTriggers = (triggers: Stream.StreamTriggers, args: Partial<Stream.StreamProcessorArgs> = {}): Promise<Evaluation> =>
  evaluate("test", {}, () => new StreamProcessor("fraud", { profile: PROFILES.fraud, triggers, ...args }));

const childrenOf = ({ resources }: Evaluation): string[] =>
  resources
    .filter(({ parent }) => parent.includes(":StreamProcessor::"))
    .map(({ name, type }) => `${name} (${type})`)
    .sort();

const OF_STREAM = [
  "fraud-duration (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-error-rate (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-failed-batch (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-iterator-age (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-processor (risk:lib:Function)",
  "fraud-source (aws:lambda/eventSourceMapping:EventSourceMapping)",
  "fraud-stream (aws:kinesis/stream:Stream)",
  "fraud-throttles (aws:cloudwatch/metricAlarm:MetricAlarm)",
];
const OF_QUEUE = [
  "fraud-events (risk:lib:Queue)",
  "fraud-events-age (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-events-source (aws:lambda/eventSourceMapping:EventSourceMapping)",
  "fraud-queue-scorer (risk:lib:Function)",
  "fraud-queue-scorer-duration (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-queue-scorer-error-rate (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-queue-scorer-throttles (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-unscored-events (aws:cloudwatch/metricAlarm:MetricAlarm)",
];
const OF_RULE = [
  "fraud-incoming-rule (aws:cloudwatch/eventRule:EventRule)",
  "fraud-incoming-target (aws:cloudwatch/eventTarget:EventTarget)",
];
const OF_BUS = [
  "fraud-incoming-bus (aws:cloudwatch/eventBus:EventBus)",
  "fraud-incoming-policy (aws:cloudwatch/eventBusPolicy:EventBusPolicy)",
];
const OF_FILES = [
  "fraud-file-scorer (risk:lib:Function)",
  "fraud-file-scorer-duration (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-file-scorer-error-rate (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-file-scorer-throttles (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-files (risk:lib:Queue)",
  "fraud-files-source (aws:lambda/eventSourceMapping:EventSourceMapping)",
  "fraud-notifications (aws:s3/bucketNotification:BucketNotification)",
  "fraud-unscored-files (aws:cloudwatch/metricAlarm:MetricAlarm)",
];

const OF_DELIVERY = [
  "fraud-delivery (aws:iam/rolePolicy:RolePolicy)",
  "fraud-delivery (aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream)",
  "fraud-delivery-attempts (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-delivery-failures (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-delivery-freshness (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-delivery-log (aws:cloudwatch/logStream:LogStream)",
  "fraud-delivery-logs (aws:cloudwatch/logGroup:LogGroup)",
  "fraud-delivery-role (aws:iam/role:Role)",
  "fraud-delivery-throttles (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-transformation (risk:lib:Function)",
  "fraud-transformation-duration (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-transformation-error-rate (aws:cloudwatch/metricAlarm:MetricAlarm)",
  "fraud-transformation-throttles (aws:cloudwatch/metricAlarm:MetricAlarm)",
];
const COMMON = (CHILDREN.StreamProcessor ?? []).filter((child) => !OF_STREAM.includes(child));

const documentOf = ({ inputs }: Recorded) => JSON.parse(String(inputs.policy));
const actionsOf = (graph: Evaluation, policy: string): string[] =>
  documentOf(graph.find("aws:iam/rolePolicy:RolePolicy", policy)).Statement.flatMap(
    ({ Action }: { readonly Action: string[] }) => Action,
  );

describe("the triggers of a stream processor", () => {
  it("are a stream when none is named, and every other one brings exactly its own resources", async () => {
    expect(childrenOf(await withTriggers({ kinesis: {} }))).toEqual(CHILDREN.StreamProcessor);
    expect(childrenOf(await withTriggers({ rest: true }))).toEqual([...COMMON, ...OF_QUEUE].sort());
    expect(childrenOf(await withTriggers({ eventBridge: {} }))).toEqual([...COMMON, ...OF_QUEUE, ...OF_RULE, ...OF_BUS].sort());
    expect(childrenOf(await withTriggers({ s3: {} }))).toEqual([...COMMON, ...OF_FILES].sort());
    expect(childrenOf(await withTriggers({ firehose: {} }))).toEqual([...COMMON, ...OF_DELIVERY].sort());
    expect(childrenOf(await withTriggers({ kinesis: {}, eventBridge: { busName: "shop" }, rest: true }))).toEqual(
      [...COMMON, ...OF_STREAM, ...OF_QUEUE, ...OF_RULE].sort(),
    );
  });

  it("are refused when there is none at all", async () => {
    await expect(withTriggers({})).rejects.toThrow(
      'StreamProcessor "fraud": args.triggers must name at least one way in, and names none. Pass { kinesis: {} }, or leave it out.',
    );
  });

  it("take the events of a bus of their own by its source, or those of a given pattern from an existing one", async () => {
    const own = await withTriggers({ eventBridge: {} });
    const bus = own.find("aws:cloudwatch/eventBus:EventBus", "fraud-incoming-bus");
    const ruleOf = (graph: Evaluation) => graph.find("aws:cloudwatch/eventRule:EventRule", "fraud-incoming-rule").inputs;
    expect(bus.inputs.kmsKeyIdentifier).toEqual(expect.stringContaining(":kms:"));
    expect(JSON.parse(String(ruleOf(own).eventPattern))).toEqual({ source: ["fraud.events"] });
    const pattern = { source: ["shop"], detail: { amount: [{ numeric: [">", 0] }] } };
    const existing = ruleOf(await withTriggers({ eventBridge: { busName: "default", pattern } }));
    expect(existing).toMatchObject({ eventBusName: "default", eventPattern: JSON.stringify(pattern) });
  });

  it("let only their rule send to the queue, whose dead letters take what EventBridge can't deliver", async () => {
    const graph = await withTriggers({ eventBridge: {} });
    const target = graph.find("aws:cloudwatch/eventTarget:EventTarget", "fraud-incoming-target").inputs;
    expect(target).toMatchObject({
      arn: expect.stringContaining("fraud-events-queue"),
      deadLetterConfig: { arn: expect.stringContaining("fraud-events-dlq-queue") },
      retryPolicy: { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 },
    });
    for (const name of ["fraud-events-policy", "fraud-events-dlq-policy"]) {
      const [, sender] = documentOf(graph.find("aws:sqs/queuePolicy:QueuePolicy", name)).Statement;
      expect(sender, name).toMatchObject({
        Principal: { Service: ["events.amazonaws.com"] },
        Action: ["sqs:SendMessage"],
        Condition: { ArnLike: { "aws:SourceArn": [expect.stringContaining("fraud-incoming-rule")] } },
      });
    }
    const rest = await withTriggers({ rest: true });
    expect(documentOf(rest.find("aws:sqs/queuePolicy:QueuePolicy", "fraud-events-policy")).Statement).toHaveLength(1);
  });

  it("deliver a failing message for at least the given time, hidden for six time limits after each failure", async () => {
    const queueWith = async (maxAgeSeconds: number) => {
      const graph = await withTriggers({ rest: true }, { queue: { maxAgeSeconds } });
      const { redrivePolicy, visibilityTimeoutSeconds } = graph.find("aws:sqs/queue:Queue", "fraud-events-queue").inputs;
      return { visibilityTimeoutSeconds, receives: JSON.parse(String(redrivePolicy)).maxReceiveCount };
    };
    expect(await queueWith(86_400)).toEqual({ visibilityTimeoutSeconds: 361, receives: 240 });
    expect(await queueWith(604_800)).toEqual({ visibilityTimeoutSeconds: 361, receives: 1000 });
  });

  it("deliver large batches only with a window, as Lambda demands, and bound the invocations", async () => {
    const mapping = async (queue: Partial<Stream.QueueDelivery>) =>
      (await withTriggers({ rest: true }, { queue })).find(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "fraud-events-source",
      ).inputs;
    expect(await mapping({})).toMatchObject({
      batchSize: 1000,
      maximumBatchingWindowInSeconds: 1,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 10 },
    });
    expect(await mapping({ batchWindowSeconds: 0, maxConcurrency: 2 })).toMatchObject({
      batchSize: 10,
      maximumBatchingWindowInSeconds: 0,
      scalingConfig: { maximumConcurrency: 2 },
    });
  });

  it("give the queue's function what the stream's may do, with its queue in place of the stream", async () => {
    const graph = await withTriggers({ kinesis: {}, rest: true });
    const distinct = (policy: string) => [...new Set(actionsOf(graph, policy))];
    const ofStream = distinct("fraud-processor-permissions").filter((action) => !action.startsWith("kinesis:"));
    const ofQueue = distinct("fraud-queue-scorer-permissions");
    expect(ofQueue.filter((action) => !action.startsWith("sqs:")).sort()).toEqual(ofStream.sort());
    expect(ofQueue.filter((action) => action.startsWith("sqs:")).sort()).toEqual([
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
    ]);
  });

  it("announce files under incoming/ to their queue, which lets the bucket alone send", async () => {
    const graph = await withTriggers({ s3: { maxConcurrency: 2 } });
    const { queues } = graph.find("aws:s3/bucketNotification:BucketNotification", "fraud-notifications").inputs;
    expect(queues).toEqual([
      {
        id: "incoming",
        queueArn: expect.stringContaining("fraud-files-queue"),
        events: ["s3:ObjectCreated:*"],
        filterPrefix: "incoming/",
      },
    ]);
    const [, sender] = documentOf(graph.find("aws:sqs/queuePolicy:QueuePolicy", "fraud-files-policy")).Statement;
    expect(sender).toMatchObject({
      Principal: { Service: ["s3.amazonaws.com"] },
      Condition: { ArnLike: { "aws:SourceArn": [expect.stringMatching(/^arn:aws:s3:.*fraud-data/)] } },
    });
    const mapping = graph.find("aws:lambda/eventSourceMapping:EventSourceMapping", "fraud-files-source").inputs;
    expect(mapping).toMatchObject({ batchSize: 1, scalingConfig: { maximumConcurrency: 2 } });
    expect(mapping.functionResponseTypes).toEqual(["ReportBatchItemFailures"]);
  });

  it("let the files' function read versions, and keep what it needs no longer than quarantine", async () => {
    const graph = await withTriggers({ s3: {} });
    const { Statement } = documentOf(graph.find("aws:iam/rolePolicy:RolePolicy", "fraud-file-scorer-permissions"));
    const of = (action: string) =>
      Statement.filter(({ Action }: { readonly Action: string[] }) => Action.includes(action)).flatMap(
        ({ Resource }: { readonly Resource: string[] }) => Resource,
      );
    expect(of("s3:GetObjectVersion")).toEqual([expect.stringMatching(/\/incoming\/\*$/)]);
    expect(of("s3:PutObject").filter((arn: string) => /\/(files|results)\/\*$/.test(arn))).toHaveLength(2);
    expect(of("sqs:SendMessage")).toEqual([expect.stringContaining("fraud-files-queue")]);
    const rules = (one: Evaluation) =>
      Object(one.find("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "fraud-data-lifecycle").inputs.rules)
        .map(({ id }: { readonly id: string }) => id)
        .filter((name: string) => ["incoming", "files", "results"].includes(name));
    expect(rules(graph)).toEqual(["incoming", "files", "results"]);
    expect(rules(await withTriggers({ kinesis: {} }))).toEqual([]);
  });

  it("write the archive by the delivery stream, by day, and what it gave up under a prefix that expires like raw records", async () => {
    const graph = await withTriggers({ firehose: {} });
    const { inputs } = graph.find("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", "fraud-delivery");
    expect(inputs).toMatchObject({
      destination: "extended_s3",
      serverSideEncryption: { enabled: true, keyType: "CUSTOMER_MANAGED_CMK", keyArn: expect.stringContaining(":kms:") },
      extendedS3Configuration: {
        prefix: "archive/fraud/dt=!{timestamp:yyyy-MM-dd}/",
        errorOutputPrefix: "failed/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/",
        compressionFormat: "GZIP",
        fileExtension: ".ndjson.gz",
        bufferingInterval: 60,
        processingConfiguration: {
          enabled: true,
          processors: [
            {
              type: "Lambda",
              // The default interval is left out: the provider would see a difference at every update.
              parameters: [
                {
                  parameterName: "LambdaArn",
                  parameterValue: expect.stringMatching(/fraud-transformation-function.*:\$LATEST$/),
                },
                { parameterName: "BufferSizeInMBs", parameterValue: "0.5" },
              ],
            },
          ],
        },
      },
    });
    const { rules } = graph.find(
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      "fraud-data-lifecycle",
    ).inputs;
    expect(rules).toContainEqual({
      id: "failed",
      status: "Enabled",
      filter: { prefix: "failed/" },
      expiration: { days: 30 },
      noncurrentVersionExpiration: { noncurrentDays: 1 },
    });
    const hurried = (await withTriggers({ firehose: { bufferSeconds: 1 } })).find(
      "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
      "fraud-delivery",
    );
    expect(JSON.stringify(hurried.inputs)).toContain('{"parameterName":"BufferIntervalInSeconds","parameterValue":"1"}');
  });

  it("let the delivery stream reach its bucket's two prefixes, its function and its log, and nothing else", async () => {
    const graph = await withTriggers({ firehose: {} });
    const { Statement } = documentOf(graph.find("aws:iam/rolePolicy:RolePolicy", "fraud-delivery"));
    const resources = Statement.flatMap(({ Resource }: { readonly Resource: string[] }) => Resource);
    expect(
      resources.filter((one: string) => /\/(archive|failed)\//.test(one)).map((one: string) => one.replace(/^[^/]*/, "")),
    ).toEqual(["/archive/fraud/*", "/failed/*"]);
    // The last one is of the streams of its own log group.
    expect(resources.filter((one: string) => one.includes("*"))).toHaveLength(3);
    const ofFunction = (policy: string) => [...new Set(actionsOf(graph, policy))];
    const stream = await withTriggers({ kinesis: {} });
    const ofStream = [...new Set(actionsOf(stream, "fraud-processor-permissions"))].filter((one) => !one.startsWith("kinesis:"));
    expect(ofFunction("fraud-transformation-permissions").sort()).toEqual(ofStream.sort());
  });

  it("refuse a function that takes longer than Firehose waits", async () => {
    await expect(withTriggers({ firehose: {} }, { function: { timeoutSeconds: 301 } })).rejects.toThrow(
      "args.function.timeoutSeconds must be at most 300 with the trigger firehose, got 301",
    );
  });

  it("can be given to a role that puts events: into the stream and onto the component's own bus", async () => {
    const { Role } = load("@pulumi/aws/iam") as typeof import("@pulumi/aws/iam");
    const granted = async (triggers: Stream.StreamTriggers) => {
      const graph = await evaluate("test", {}, () => {
        const stream = new StreamProcessor("fraud", { profile: PROFILES.fraud, triggers });
        stream.grantPut("producer", new Role("producer", { assumeRolePolicy: "{}" }));
      });
      return actionsOf(graph, "producer").filter((action) => !action.startsWith("kms:"));
    };
    expect(await granted({ kinesis: {}, eventBridge: {} })).toEqual([
      "kinesis:PutRecord",
      "kinesis:PutRecords",
      "events:PutEvents",
    ]);
    expect(await granted({ firehose: {} })).toEqual(["firehose:PutRecord", "firehose:PutRecordBatch"]);
    expect(await granted({ eventBridge: { busName: "shop" } })).toEqual([]);
  });
});
