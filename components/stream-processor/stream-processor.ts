/**
 * Scores a stream of events: Kinesis → function → results table, archive, quarantine and the score bus.
 */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Table } from "@pulumi/aws/dynamodb";
import type { Role } from "@pulumi/aws/iam";
import type { Stream } from "@pulumi/aws/kinesis";
import type { EventSourceMapping } from "@pulumi/aws/lambda";
import type { Parameter } from "@pulumi/aws/ssm";
import * as pulumi from "@pulumi/pulumi";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import { announceObjects, createDataBucket } from "../shared/data-bucket";
import type { PlatformFunction } from "../shared/function";
import { grant, type Statement } from "../shared/iam";
import type { ServedProfile } from "../shared/models-parameter";
import type { RawRecords } from "../shared/raw-records";
import type { ScoreBus } from "../shared/score-bus";
import type { GeneratedSecret } from "../shared/secret";
import { resultsTable, stateTable, tableStatement } from "../shared/tables";
import { createAlarms } from "./alarms";
import type { StreamProcessorArgs } from "./args";
import { announceHighRisks } from "./high-risk-alert";
import { createParameters } from "./parameters";
import { createSchemaRegistry, type SchemaRegistry } from "./schema-registry";
import { createScorer, METRIC_NAMESPACE } from "./scorer";
import { streamSettings } from "./settings";
import { createStream, createTrigger } from "./stream";

export class StreamProcessor extends pulumi.ComponentResource {
  readonly streamName: pulumi.Output<string>;
  readonly streamArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  readonly resultsTable: pulumi.Output<string>;
  readonly stateTable: pulumi.Output<string>;
  readonly dataBucket: PrivateBucket;
  readonly raw: RawRecords;
  readonly policyParameterName: pulumi.Output<string>;
  /** The profiles that training pipelines promote models for, and whose champion batch scoring uses. */
  readonly served: ServedProfile;
  /** What other components of the stack can share. */
  readonly context: PlatformContext;
  readonly bus: ScoreBus;
  readonly tokenSecret: GeneratedSecret;
  readonly nodes: {
    readonly stream: Stream;
    readonly function: PlatformFunction;
    readonly eventSource: EventSourceMapping;
    readonly results: Table;
    readonly state: Table;
    readonly policyParameter: Parameter;
    readonly modelsParameter: Parameter;
    readonly schemas: SchemaRegistry;
    readonly secureParameters: readonly Parameter[];
    readonly alarms: readonly MetricAlarm[];
  };

  constructor(instance: string, args: StreamProcessorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:stream:StreamProcessor", instance, {}, opts);
    const settings = streamSettings(instance, args, this);
    const { context, capacity, objectQueues } = settings;
    const units = capacity.mode === "provisioned" ? { mode: capacity.mode, ...capacity.table } : capacity;
    const stream = createStream(instance, settings, this);
    const results = resultsTable(`${instance}-results`, settings.names.resultsTable, context, units, this);
    const state = stateTable(`${instance}-state`, context, this);
    const { policy, models, secure } = createParameters(instance, settings, this);
    const { dataBucketName: bucketName, retention } = settings;
    const dataBucket = createDataBucket(instance, { context, bucketName, retention }, this);
    const schemas = createSchemaRegistry(instance, settings, this);
    const scorer = createScorer(instance, settings, { stream, results, state, policy, models, dataBucket, schemas }, this);
    const eventSource = createTrigger(instance, settings, stream, scorer, this);
    if (objectQueues.length > 0) announceObjects(instance, dataBucket, objectQueues, this);
    const alarms = createAlarms(instance, settings, scorer, eventSource, this);
    if (settings.announcesHighRisks) announceHighRisks(instance, settings, this);

    this.streamName = stream.name;
    this.streamArn = stream.arn;
    this.functionName = scorer.functionName;
    this.resultsTable = results.name;
    this.stateTable = state.name;
    this.dataBucket = dataBucket;
    this.raw = settings.raw;
    this.policyParameterName = policy.name;
    this.served = {
      profile: settings.profile.id,
      modelsParameter: models.name,
      modelStore: settings.models.store,
      metricNamespace: METRIC_NAMESPACE,
    };
    this.context = context;
    this.bus = settings.bus;
    this.tokenSecret = settings.tokenSecret;
    this.nodes = {
      stream,
      function: scorer,
      eventSource,
      results,
      state,
      policyParameter: policy,
      modelsParameter: models,
      schemas,
      secureParameters: secure,
      alarms,
    };
    this.registerOutputs({
      streamName: this.streamName,
      streamArn: this.streamArn,
      functionName: this.functionName,
      resultsTable: this.resultsTable,
      stateTable: this.stateTable,
      dataBucket: dataBucket.bucketName,
      policyParameterName: this.policyParameterName,
      modelsParameterName: models.name,
    });
  }

  /** Lets a role put events into the stream. `name` is the logical name of the IAM policy. */
  grantPut(name: string, role: Role): void {
    const put = { sid: "PutEvents", actions: ["kinesis:PutRecord", "kinesis:PutRecords"], resources: [this.streamArn] };
    grant(name, role, [put, this.context.key.useStatement()], { parent: this });
  }

  /** What putting records back into the stream, and looking up what became of them, needs. */
  redriveStatements(): Statement[] {
    return [
      { sid: "PutEvents", actions: ["kinesis:PutRecords"], resources: [this.streamArn] },
      tableStatement("ReadResults", this.nodes.results, ["BatchGetItem"]),
      this.context.key.useStatement(),
    ];
  }

  /** Lets a role read scores from the results table. `name` is the logical name of the IAM policy. */
  grantReadResults(name: string, role: Role): void {
    const read = tableStatement("ReadResults", this.nodes.results, ["GetItem", "BatchGetItem", "Query"]);
    grant(name, role, [read, this.context.key.decryptStatement()], { parent: this });
  }
}
