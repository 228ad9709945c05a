/**
 * Scores a stream of events: Kinesis → function → results table, archive, quarantine and the score bus.
 */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Table } from "@pulumi/aws/dynamodb";
import type { Role } from "@pulumi/aws/iam";
import { Stream, type StreamArgs } from "@pulumi/aws/kinesis";
import { EventSourceMapping, type EventSourceMappingArgs } from "@pulumi/aws/lambda";
import { BucketNotification } from "@pulumi/aws/s3";
import { Parameter } from "@pulumi/aws/ssm";
import * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../functions/policy/document";
import { type AlarmContext, alarm, functionAlarms, queueNotEmptyAlarm } from "./lib/alarms";
import { type LifecycleRule, PrivateBucket } from "./lib/bucket";
import type { PlatformContext } from "./lib/context";
import { type FunctionTransform, PlatformFunction } from "./lib/function";
import { grant, type Statement } from "./lib/iam";
import { type Naming, type StreamNames, streamNames } from "./lib/naming";
import { policyParameter, readParameter } from "./lib/policy-parameter";
import { EncryptedQueue } from "./lib/queue";
import { type GeneratedSecret, randomValue } from "./lib/secret";
import { resultsTable, stateTable, type TableCapacity, tableStatement } from "./lib/tables";
import { type Transform, withTransform } from "./lib/transform";
import type { ScoreBus } from "./score-bus";

/** Where events come from. One kind now; a second one is a member here and a branch in `createTrigger`. */
export type StreamTrigger = KinesisTrigger;

export interface KinesisTrigger {
  readonly kind: "kinesis";
  /** Fixed shards (1 MB/s or 1,000 records/s each), or capacity that follows the load at a higher price. */
  readonly capacity: { readonly mode: "provisioned"; readonly shards: number } | { readonly mode: "onDemand" };
  /** Hours an event stays in the stream: 24 to 8760. How long the platform may be down without losing one. */
  readonly retentionHours: number;
  /** Records of one invocation, 1 to 10,000. */
  readonly batchSize: number;
  /** Seconds to wait for a full batch, 0 to 300: latency against fewer invocations and larger archive objects. */
  readonly batchWindowSeconds: number;
  /** Batches of one shard in flight, 1 to 10; records of one key stay in order. */
  readonly parallelization: number;
  /** Retries of a failing batch before it goes to the failure destination (AWS's default is for ever). */
  readonly maxRetries: number;
  /** Seconds after which a record is given up to the failure destination, 60 to 604,800. */
  readonly maxAgeSeconds: number;
}

export interface StreamProcessorArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  /** Region of the stack, part of the bucket's name. */
  readonly region: string;
  /** First part of the bucket's name, before the component's own name: `company` gives `company-fraud-data-…`. */
  readonly bucketPrefix: string;
  /** Path of the bundle of `stream-scoring`. */
  readonly bundle: string;
  readonly trigger: StreamTrigger;
  /** What a new stack decides by; see `functions/policy`. */
  readonly policy: PolicyDocument;
  /** Key of the tokens that stand for personal fields. */
  readonly tokenSecret: GeneratedSecret;
  /** Gets events of high-risk bands. */
  readonly bus: ScoreBus;
  /** MB. */
  readonly memoryMb: number;
  /** Seconds. */
  readonly timeoutSeconds: number;
  /** Executions set aside; default none. At least shards × parallelisation, or the stream waits. */
  readonly reservedConcurrency?: number;
  readonly capacity: TableCapacity;
  /** Percent of invocations that may fail before an alarm. */
  readonly errorRateAlarmPercent: number;
  /** Days a result stays in the table. */
  readonly resultTtlDays: number;
  /** Days an archive object lives; colder classes after 30 and 90 days. */
  readonly archiveExpiryDays: number;
  /** Days a quarantined record and a failed batch stay for inspection. */
  readonly quarantineExpiryDays: number;
  /** True mails every event of an alerting band through the alarm topic. */
  readonly highRiskAlerts: boolean;
  /** Kept as SecureString for systems beside this one that read the scores. */
  readonly connectionString: pulumi.Input<string>;
  /** Queues told about new objects; the warehouse's load queue, for one. */
  readonly objectQueues?: readonly ObjectQueue[];
  readonly transform?: {
    readonly stream?: Transform<StreamArgs>;
    readonly function?: FunctionTransform;
    readonly eventSource?: Transform<EventSourceMappingArgs>;
  };
}

export interface ObjectQueue {
  readonly id: string;
  readonly queue: EncryptedQueue;
  readonly prefix: string;
  readonly suffix: string;
}

/** Prefixes of the data bucket. `aws/lambda/` is where Lambda itself puts failed batches. */
const WRITE_PREFIXES = ["archive/", "high-risk/", "quarantine/", "aws/lambda/"] as const;

/** A healthy consumer is seconds behind; five minutes is a person's time to notice, and far from the stream's retention. */
const ITERATOR_AGE_ALARM_MS = 5 * 60_000;

export class StreamProcessor extends pulumi.ComponentResource {
  readonly streamName: pulumi.Output<string>;
  readonly streamArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly resultsTable: pulumi.Output<string>;
  readonly stateTable: pulumi.Output<string>;
  readonly dataBucket: PrivateBucket;
  readonly policyParameterName: pulumi.Output<string>;
  readonly nodes: {
    readonly stream: Stream;
    readonly function: PlatformFunction;
    readonly eventSource: EventSourceMapping;
    readonly results: Table;
    readonly state: Table;
    readonly failedBatches: EncryptedQueue;
    readonly policyParameter: Parameter;
    readonly secureParameters: readonly Parameter[];
    readonly alarms: readonly MetricAlarm[];
  };
  private readonly names: StreamNames;

  constructor(
    private readonly instance: string,
    private readonly args: StreamProcessorArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:stream:StreamProcessor", instance, {}, opts);
    this.names = streamNames(instance, args.naming, args.region, args.bucketPrefix);
    const stream = this.createStream();
    const results = resultsTable(`${instance}-results`, this.names.resultsTable, args.context, args.capacity, this);
    const state = stateTable(`${instance}-state`, args.context, this);
    const policy = this.createPolicyParameter();
    const secureParameters = this.createSecureParameters();
    this.dataBucket = this.createBucket();
    const processor = this.createFunction(stream, results, state, policy);
    const eventSource = this.createTrigger(stream, processor);
    const failedBatches = this.createNotifications();
    const alarms = this.createAlarms(processor, failedBatches);
    if (args.highRiskAlerts) this.createHighRiskAlert();
    this.streamName = stream.name;
    this.streamArn = stream.arn;
    this.functionName = processor.functionName;
    this.resultsTable = results.name;
    this.stateTable = state.name;
    this.policyParameterName = policy.name;
    this.nodes = {
      stream,
      function: processor,
      eventSource,
      results,
      state,
      failedBatches,
      policyParameter: policy,
      secureParameters,
      alarms,
    };
    this.registerOutputs({
      streamName: this.streamName,
      streamArn: this.streamArn,
      functionName: this.functionName,
      resultsTable: this.resultsTable,
      stateTable: this.stateTable,
      dataBucket: this.dataBucket.bucketName,
      policyParameterName: this.policyParameterName,
    });
  }

  /** Lets a role put events into the stream. `name` is the policy's logical name. */
  grantPut(name: string, role: Role): void {
    const statements: Statement[] = [
      { sid: "PutEvents", actions: ["kinesis:PutRecord", "kinesis:PutRecords"], resources: [this.streamArn] },
      this.args.context.key.useStatement(),
    ];
    grant(name, role, statements, { parent: this });
  }

  /** Lets a role read scores from the results table. */
  grantReadResults(name: string, role: Role): void {
    const statements = [tableStatement("ReadResults", this.nodes.results, ["GetItem", "BatchGetItem", "Query"])];
    grant(name, role, [...statements, this.args.context.key.decryptStatement()], { parent: this });
  }

  private createStream(): Stream {
    const { capacity, retentionHours } = this.args.trigger;
    return new Stream(
      `${this.instance}-stream`,
      withTransform<StreamArgs, StreamArgs>(
        {
          name: this.names.stream,
          retentionPeriod: retentionHours,
          ...(capacity.mode === "provisioned"
            ? { shardCount: capacity.shards, streamModeDetails: { streamMode: "PROVISIONED" } }
            : { streamModeDetails: { streamMode: "ON_DEMAND" } }),
        },
        this.args.transform?.stream,
        { encryptionType: "KMS", kmsKeyId: this.args.context.key.arn },
      ),
      { parent: this, protect: this.args.context.deletionProtection },
    );
  }

  private createPolicyParameter(): Parameter {
    return policyParameter(
      `${this.instance}-policy`,
      { parameterName: `${this.names.parameterPath}/policy`, policy: this.args.policy },
      { parent: this },
    );
  }

  private createSecureParameters(): Parameter[] {
    const secure = (name: string, description: string, value: pulumi.Input<string>, ignoreChanges: string[]) =>
      new Parameter(
        `${this.instance}-${name}`,
        {
          name: `${this.names.parameterPath}/${name}`,
          type: "SecureString",
          keyId: this.args.context.key.arn,
          description,
          value: pulumi.secret(value),
        },
        { parent: this, ignoreChanges },
      );
    return [
      // Drawn once; whoever replaces it in the console keeps their value.
      secure("api-key", "Key of an external scoring service", randomValue(this), ["value"]),
      secure("connection-string", "Where the scores can be queried", this.args.connectionString, []),
    ];
  }

  private createBucket(): PrivateBucket {
    const { context, archiveExpiryDays, quarantineExpiryDays } = this.args;
    return new PrivateBucket(
      `${this.instance}-data`,
      {
        bucketName: this.names.bucket,
        encryption: context.key,
        deletionProtection: context.deletionProtection,
        accessLogBucket: context.accessLogBucket,
        lifecycleRules: dataLifecycle(archiveExpiryDays, quarantineExpiryDays),
      },
      { parent: this },
    );
  }

  private createFunction(stream: Stream, results: Table, state: Table, policy: Parameter): PlatformFunction {
    const { args } = this;
    return new PlatformFunction(
      `${this.instance}-processor`,
      {
        ...args.context,
        description: `Scores the events of ${this.names.stream}`,
        functionName: this.names.function,
        bundle: args.bundle,
        callbackFactory: () => require("./bundles/stream-scoring/index.js").handler,
        memoryMb: args.memoryMb,
        timeoutSeconds: args.timeoutSeconds,
        ...(args.reservedConcurrency === undefined ? {} : { reservedConcurrency: args.reservedConcurrency }),
        environment: {
          PROFILE: args.policy.profile,
          RESULTS_TABLE: results.name,
          STATE_TABLE: state.name,
          POLICY_PARAMETER: policy.name,
          EVENT_BUS_NAME: args.bus.busName,
          EVENT_SOURCE: eventSourceName(args.policy.profile),
          EVENT_DETAIL_TYPE,
          METRIC_NAMESPACE: "RiskScoring",
          DATA_BUCKET: this.dataBucket.bucketName,
          TOKEN_SECRET_ARN: args.tokenSecret.arn,
          RESULT_TTL_DAYS: String(args.resultTtlDays),
          LOG_LEVEL: "info",
        },
        permissions: [
          {
            sid: "ReadStream",
            actions: [
              "kinesis:DescribeStream",
              "kinesis:DescribeStreamSummary",
              "kinesis:GetRecords",
              "kinesis:GetShardIterator",
              "kinesis:ListShards",
            ],
            resources: [stream.arn],
          },
          tableStatement("Results", results, ["BatchGetItem", "PutItem", "UpdateItem"]),
          tableStatement("State", state, ["BatchGetItem", "PutItem"]),
          readParameter(policy),
          ...args.tokenSecret.readStatements(),
          ...args.bus.publishStatements(),
          ...this.dataBucket.readStatements(["archive/"]),
          ...this.dataBucket.writeStatements(WRITE_PREFIXES),
        ],
        ...(args.transform?.function ? { transform: args.transform.function } : {}),
      },
      { parent: this },
    );
  }

  private createTrigger(stream: Stream, processor: PlatformFunction): EventSourceMapping {
    const { trigger, transform } = this.args;
    return new EventSourceMapping(
      `${this.instance}-source`,
      withTransform<EventSourceMappingArgs, EventSourceMappingArgs>(
        {
          functionName: processor.functionName,
          eventSourceArn: stream.arn,
          startingPosition: "TRIM_HORIZON",
          batchSize: trigger.batchSize,
          maximumBatchingWindowInSeconds: trigger.batchWindowSeconds,
          parallelizationFactor: trigger.parallelization,
          maximumRetryAttempts: trigger.maxRetries,
          maximumRecordAgeInSeconds: trigger.maxAgeSeconds,
        },
        transform?.eventSource,
        {
          functionName: processor.functionName,
          // One bad record never takes its batch with it, and a failed batch never vanishes: S3 keeps the whole records.
          bisectBatchOnFunctionError: true,
          functionResponseTypes: ["ReportBatchItemFailures"],
          destinationConfig: { onFailure: { destinationArn: this.dataBucket.arn } },
        },
      ),
      { parent: this, dependsOn: [processor.policy] },
    );
  }

  /** A bucket has one notification configuration, so all listeners are declared here. */
  private createNotifications(): EncryptedQueue {
    const failedBatches = new EncryptedQueue(
      `${this.instance}-failed-batches`,
      {
        key: this.args.context.key,
        deadLetter: false,
        senders: [{ service: "s3.amazonaws.com", sourceArns: [`arn:aws:s3:::${this.names.bucket}`] }],
      },
      { parent: this },
    );
    const listeners: readonly ObjectQueue[] = [
      { id: "failed-batches", queue: failedBatches, prefix: "aws/lambda/", suffix: "" },
      ...(this.args.objectQueues ?? []),
    ];
    new BucketNotification(
      `${this.instance}-notifications`,
      {
        bucket: this.dataBucket.bucketName,
        queues: listeners.map(({ id, queue, prefix, suffix }) => ({
          id,
          queueArn: queue.arn,
          events: ["s3:ObjectCreated:*"],
          filterPrefix: prefix,
          ...(suffix === "" ? {} : { filterSuffix: suffix }),
        })),
      },
      // S3 sends a test message at once, so every queue has to accept it by then.
      { parent: this, dependsOn: listeners.map(({ queue }) => queue.nodes.policy) },
    );
    return failedBatches;
  }

  private createAlarms(processor: PlatformFunction, failedBatches: EncryptedQueue): MetricAlarm[] {
    const { context, timeoutSeconds, errorRateAlarmPercent } = this.args;
    const alarms: AlarmContext = { parent: this, topicArn: context.alarmTopicArn };
    const { functionName } = processor;
    return [
      ...functionAlarms(this.instance, alarms, { functionName, timeoutSeconds, errorRatePercent: errorRateAlarmPercent }),
      alarm(`${this.instance}-iterator-age`, alarms, {
        alarmDescription: "The function is more than 5 minutes behind the stream: add shards, parallelisation or memory.",
        namespace: "AWS/Lambda",
        metricName: "IteratorAge",
        dimensions: { FunctionName: functionName },
        statistic: "Maximum",
        period: 300,
        evaluationPeriods: 1,
        threshold: ITERATOR_AGE_ALARM_MS,
      }),
      queueNotEmptyAlarm(
        `${this.instance}-failed-batch`,
        alarms,
        failedBatches.queueName,
        "A batch was given up after its retries; the message names the object below aws/lambda/ that holds its records.",
      ),
    ];
  }

  private createHighRiskAlert(): void {
    const { bus, policy, context } = this.args;
    const bands = policy.bands.filter((band) => band.alert).map((band) => band.name);
    bus.route(
      `${this.instance}-high-risk`,
      {
        description: `Scores of ${policy.profile} in an alerting band`,
        eventPattern: JSON.stringify({
          source: [eventSourceName(policy.profile)],
          "detail-type": [EVENT_DETAIL_TYPE],
          // The names of the bands, not their limits: moving a limit must not touch this rule.
          detail: { band: bands },
        }),
        targetArn: context.alarmTopicArn,
      },
      { parent: this },
    );
  }
}

const EVENT_DETAIL_TYPE = "Transaction Scored";
const eventSourceName = (profile: string): string => `${profile}.scoring`;

function dataLifecycle(archiveExpiryDays: number, quarantineExpiryDays: number): LifecycleRule[] {
  const archive = (prefix: string): LifecycleRule => ({
    id: prefix.replace("/", ""),
    status: "Enabled",
    filter: { prefix },
    transitions: [
      { days: 30, storageClass: "STANDARD_IA" },
      { days: 90, storageClass: "GLACIER_IR" },
    ],
    expiration: { days: archiveExpiryDays },
  });
  const expiring = (prefix: string): LifecycleRule => ({
    id: prefix.replaceAll("/", "-").replace(/-$/, ""),
    status: "Enabled",
    filter: { prefix },
    expiration: { days: quarantineExpiryDays },
  });
  return [archive("archive/"), archive("high-risk/"), expiring("quarantine/"), expiring("aws/lambda/"), expiring("manifests/")];
}
