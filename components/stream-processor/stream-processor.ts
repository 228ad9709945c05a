/**
 * Scores a stream of events: Kinesis → function → results table, archive, quarantine and the score bus.
 */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Table } from "@pulumi/aws/dynamodb";
import type { Role } from "@pulumi/aws/iam";
import { Stream, type StreamArgs } from "@pulumi/aws/kinesis";
import { EventSourceMapping, type EventSourceMappingArgs } from "@pulumi/aws/lambda";
import { Parameter } from "@pulumi/aws/ssm";
import * as pulumi from "@pulumi/pulumi";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformFunction } from "../shared/function";
import { grant, type Statement } from "../shared/iam";
import { modelsParameter } from "../shared/models-parameter";
import { type StreamNames, streamNames } from "../shared/naming";
import { policyParameter } from "../shared/policy-parameter";
import { randomValue } from "../shared/secret";
import { resultsTable, stateTable, tableStatement } from "../shared/tables";
import { NotificationTopic } from "../shared/topic";
import { withTransform } from "../shared/transform";
import { createAlarms } from "./alarms";
import type { StreamProcessorArgs } from "./args";
import { announceObjects, createDataBucket } from "./data-bucket";
import { createScorer, EVENT_DETAIL_TYPE, eventSourceName } from "./scorer";

export class StreamProcessor extends pulumi.ComponentResource {
  readonly streamName: pulumi.Output<string>;
  readonly streamArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly resultsTable: pulumi.Output<string>;
  readonly stateTable: pulumi.Output<string>;
  readonly dataBucket: PrivateBucket;
  readonly policyParameterName: pulumi.Output<string>;
  readonly modelsParameterName: pulumi.Output<string>;
  readonly nodes: {
    readonly stream: Stream;
    readonly function: PlatformFunction;
    readonly eventSource: EventSourceMapping;
    readonly results: Table;
    readonly state: Table;
    readonly policyParameter: Parameter;
    readonly modelsParameter: Parameter;
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
    const results = this.createResults();
    const state = stateTable(`${instance}-state`, args.context, this);
    const policy = this.createPolicyParameter();
    const models = this.createModelsParameter();
    const secureParameters = this.createSecureParameters();
    this.dataBucket = createDataBucket(instance, this.names.bucket, args, this);
    const processor = createScorer(
      instance,
      this.names,
      { stream, results, state, policy, models, dataBucket: this.dataBucket },
      args,
      this,
    );
    const eventSource = this.createTrigger(stream, processor);
    if (args.objectQueues?.length) announceObjects(instance, this.dataBucket, args.objectQueues, this);
    const alarms = createAlarms(instance, args, processor, eventSource, this);
    if (args.highRiskEmail !== undefined) this.createHighRiskAlert(args.highRiskEmail);
    this.streamName = stream.name;
    this.streamArn = stream.arn;
    this.functionName = processor.functionName;
    this.resultsTable = results.name;
    this.stateTable = state.name;
    this.policyParameterName = policy.name;
    this.modelsParameterName = models.name;
    this.nodes = {
      stream,
      function: processor,
      eventSource,
      results,
      state,
      policyParameter: policy,
      modelsParameter: models,
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
      modelsParameterName: this.modelsParameterName,
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
    const { capacity, trigger } = this.args;
    return new Stream(
      `${this.instance}-stream`,
      withTransform<StreamArgs, StreamArgs>(
        {
          name: this.names.stream,
          retentionPeriod: trigger.retentionHours,
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

  private createResults(): Table {
    const { capacity, context } = this.args;
    const units = capacity.mode === "provisioned" ? { mode: capacity.mode, ...capacity.table } : capacity;
    return resultsTable(`${this.instance}-results`, this.names.resultsTable, context, units, this);
  }

  private createPolicyParameter(): Parameter {
    return policyParameter(
      `${this.instance}-policy`,
      { parameterName: `${this.names.parameterPath}/policy`, policy: this.args.policy },
      { parent: this },
    );
  }

  private createModelsParameter(): Parameter {
    const { policy, models } = this.args;
    return modelsParameter(
      `${this.instance}-models`,
      { parameterName: `${this.names.parameterPath}/models`, profile: policy.profile, initial: models.initial },
      { parent: this, protect: this.args.context.deletionProtection },
    );
  }

  private createSecureParameters(): Parameter[] {
    const secure = (name: string, description: string, value: pulumi.Input<string>, keepsValue: boolean) =>
      new Parameter(
        `${this.instance}-${name}`,
        {
          name: `${this.names.parameterPath}/${name}`,
          type: "SecureString",
          keyId: this.args.context.key.arn,
          description,
          value: pulumi.secret(value),
        },
        keepsValue ? { parent: this, ignoreChanges: ["value"], protect: this.args.context.deletionProtection } : { parent: this },
      );
    return [
      // Drawn once; whoever replaces it in the console keeps their value.
      secure("api-key", "Key of an external scoring service", randomValue(this), true),
      secure("connection-string", "Where the scores can be queried", this.args.connectionString, false),
    ];
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
          metricsConfig: { metrics: ["EventCount"] },
        },
      ),
      { parent: this, dependsOn: [processor.policy] },
    );
  }

  /** Mail about single events, apart from the alarms about the platform: another audience, and many more of them. */
  private createHighRiskAlert(email: pulumi.Input<string>): void {
    const { bus, policy, context } = this.args;
    const bands = policy.bands.filter((band) => band.alert).map((band) => band.name);
    const topic = new NotificationTopic(
      `${this.instance}-alerts`,
      { key: context.key, displayName: "High-risk events", email, publishers: ["events.amazonaws.com"] },
      { parent: this },
    );
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
        targetArn: topic.arn,
        inputTransformer: {
          inputPaths: {
            eventId: "$.detail.eventId",
            score: "$.detail.score",
            band: "$.detail.band",
            // Reasons are sorted by their share of the score.
            reason: "$.detail.reasons[0].text",
            occurredAt: "$.detail.occurredAt",
          },
          inputTemplate: '"Event <eventId> of <occurredAt> scored <score> (<band>): <reason>."',
        },
      },
      { parent: this, dependsOn: [topic.nodes.policy] },
    );
  }
}
