/**
 * Scores events one by one as they come: triggers → functions → results table, archive, quarantine and the score bus.
 */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Table } from "@pulumi/aws/dynamodb";
import type { Role } from "@pulumi/aws/iam";
import type { FirehoseDeliveryStream, Stream } from "@pulumi/aws/kinesis";
import type { Parameter } from "@pulumi/aws/ssm";
import * as pulumi from "@pulumi/pulumi";
import { FAILED_DELIVERIES } from "../../functions/shared/object-keys";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import { announceObjects, createDataBucket } from "../shared/data-bucket";
import type { EventIntake } from "../shared/event-intake";
import { grant, type Statement } from "../shared/iam";
import type { ServedProfile } from "../shared/models-parameter";
import type { DeadLetters } from "../shared/queue";
import type { RawRecords } from "../shared/raw-records";
import type { ScoreBus } from "../shared/score-bus";
import type { GeneratedSecret } from "../shared/secret";
import { resultsTable, stateTable, tableStatement } from "../shared/tables";
import type { StreamProcessorArgs } from "./args";
import { announceHighRisks } from "./high-risk-alert";
import { createParameters } from "./parameters";
import { rateAgeAlarm } from "./rates";
import { FILE_PREFIXES, incomingFiles } from "./s3-trigger";
import { createSchemaRegistry, type SchemaRegistry } from "./schema-registry";
import { METRIC_NAMESPACE } from "./scorer";
import { streamSettings } from "./settings";
import { createTriggers, type TriggerNodes } from "./triggers";

export class StreamProcessor extends pulumi.ComponentResource {
  /** This and the next two are undefined without the trigger kinesis. */
  readonly streamName: pulumi.Output<string> | undefined;
  readonly streamArn: pulumi.Output<string> | undefined;
  readonly functionName: pulumi.Output<string> | undefined;
  /** Name or ARN of the bus whose events are scored; undefined without the trigger eventBridge. */
  readonly incomingBus: pulumi.Output<string> | undefined;
  /** The queue of EventBridge and REST, and the function that empties it; undefined without either. */
  readonly eventQueueUrl: pulumi.Output<string> | undefined;
  readonly queueFunctionName: pulumi.Output<string> | undefined;
  /** The delivery stream and the function that transforms its records; undefined without the trigger firehose. */
  readonly deliveryStreamName: pulumi.Output<string> | undefined;
  readonly firehoseFunctionName: pulumi.Output<string> | undefined;
  /** Undefined without the trigger s3. */
  readonly fileFunctionName: pulumi.Output<string> | undefined;
  readonly resultsTable: pulumi.Output<string>;
  readonly stateTable: pulumi.Output<string>;
  /** Of Glue: where producers of Avro find the schema, and register their own. */
  readonly schemaRegistryName: pulumi.Output<string>;
  readonly dataBucket: PrivateBucket;
  readonly raw: RawRecords;
  readonly policyParameterName: pulumi.Output<string>;
  /** The profiles that training pipelines promote models for, and whose champion batch scoring uses. */
  readonly served: ServedProfile;
  /** What other components of the stack can share. */
  readonly context: PlatformContext;
  readonly bus: ScoreBus;
  readonly tokenSecret: GeneratedSecret;
  private readonly restIntake: EventIntake | undefined;
  /** Events that could not be scored or delivered. */
  readonly deadLetters: readonly DeadLetters[];
  readonly nodes: {
    /** By name; a trigger that the arguments don't name isn't there. */
    readonly triggers: TriggerNodes;
    readonly results: Table;
    readonly state: Table;
    readonly policyParameter: Parameter;
    readonly ratesParameter: Parameter;
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
    const results = resultsTable(`${instance}-results`, settings.names.resultsTable, context, units, this);
    const state = stateTable(`${instance}-state`, context, this);
    const { policy, rates, models, secure } = createParameters(instance, settings, this);
    const { dataBucketName: bucketName, retention } = settings;
    const expiring = settings.triggers.s3 ? FILE_PREFIXES : [];
    const failedDays = settings.triggers.firehose ? { failedDays: settings.raw.retentionDays } : {};
    const dataBucket = createDataBucket(instance, { context, bucketName, retention, expiring, ...failedDays }, this);
    const schemas = createSchemaRegistry(instance, settings, this);
    const triggers = createTriggers(instance, settings, { results, state, policy, rates, models, dataBucket, schemas }, this);
    const rateAge = rateAgeAlarm(instance, settings, this);
    const listeners = [...objectQueues, ...(triggers.s3 ? [incomingFiles(triggers.s3.queue)] : [])];
    if (listeners.length > 0) announceObjects(instance, dataBucket, listeners, this);
    if (settings.announcesHighRisks) announceHighRisks(instance, settings, this);

    const { kinesis, eventBridge, firehose, queue, s3 } = triggers;
    this.streamName = kinesis?.stream.name;
    this.streamArn = kinesis?.stream.arn;
    this.functionName = kinesis?.function.functionName;
    this.incomingBus = eventBridge?.busName;
    this.eventQueueUrl = queue?.queue.url;
    this.queueFunctionName = queue?.function.functionName;
    const { profile, eventTime } = settings;
    this.restIntake = settings.triggers.rest && queue ? { profile, queue: queue.queue, results, eventTime } : undefined;
    this.deliveryStreamName = firehose?.deliveryStream.name;
    this.firehoseFunctionName = firehose?.function.functionName;
    this.fileFunctionName = s3?.function.functionName;
    this.deadLetters = [queue, s3].flatMap((one) => one?.queue.deadLetters() ?? []);
    this.resultsTable = results.name;
    this.stateTable = state.name;
    this.schemaRegistryName = schemas.registry.registryName;
    this.dataBucket = dataBucket;
    this.raw = settings.raw;
    this.policyParameterName = policy.name;
    this.served = {
      profile: profile.id,
      modelsParameter: models.name,
      modelStore: settings.models.store,
      metricNamespace: METRIC_NAMESPACE,
    };
    this.context = context;
    this.bus = settings.bus;
    this.tokenSecret = settings.tokenSecret;
    this.nodes = {
      triggers,
      results,
      state,
      policyParameter: policy,
      ratesParameter: rates,
      modelsParameter: models,
      schemas,
      secureParameters: secure,
      alarms: [...[kinesis, firehose, queue, s3].flatMap((one) => one?.alarms ?? []), rateAge],
    };
    this.registerOutputs({
      ...(kinesis && { streamName: this.streamName, streamArn: this.streamArn, functionName: this.functionName }),
      ...(eventBridge && { incomingBus: this.incomingBus }),
      ...(firehose && { deliveryStreamName: this.deliveryStreamName, firehoseFunctionName: this.firehoseFunctionName }),
      ...(queue && { eventQueueUrl: this.eventQueueUrl, queueFunctionName: this.queueFunctionName }),
      ...(s3 && { fileFunctionName: this.fileFunctionName }),
      resultsTable: this.resultsTable,
      stateTable: this.stateTable,
      schemaRegistryName: this.schemaRegistryName,
      dataBucket: dataBucket.bucketName,
      policyParameterName: this.policyParameterName,
      modelsParameterName: models.name,
    });
  }

  /** What a ScoringApi needs to take events for this component. @throws Error without the trigger rest */
  intake(): EventIntake {
    if (this.restIntake !== undefined) return this.restIntake;
    throw new Error("intake() needs the trigger rest: pass triggers: { rest: true } to the StreamProcessor.");
  }

  /** Lets a role put events into the stream, into the delivery stream and onto the component's own bus. `name` is the logical name of the IAM policy. */
  grantPut(name: string, role: Role): void {
    const { kinesis, eventBridge, firehose } = this.nodes.triggers;
    const statements = [
      ...(kinesis ? [putStatement(kinesis.stream, ["PutRecord", "PutRecords"])] : []),
      ...(firehose ? [deliverStatement(firehose.deliveryStream, ["PutRecord", "PutRecordBatch"])] : []),
      ...(eventBridge?.bus ? [{ sid: "PublishEvents", actions: ["events:PutEvents"], resources: [eventBridge.bus.arn] }] : []),
    ];
    grant(name, role, [...statements, this.context.key.useStatement()], { parent: this });
  }

  /** What putting records back the way they came, and looking up what became of them, needs. */
  redriveStatements(): Statement[] {
    const { kinesis, firehose, queue } = this.nodes.triggers;
    return [
      ...(kinesis ? [putStatement(kinesis.stream, ["PutRecords"])] : []),
      ...(firehose
        ? [deliverStatement(firehose.deliveryStream, ["PutRecordBatch"]), ...this.dataBucket.readStatements([FAILED_DELIVERIES])]
        : []),
      ...(queue?.queue.sendStatements() ?? []),
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

const putStatement = ({ arn }: Stream, actions: readonly ("PutRecord" | "PutRecords")[]): Statement => ({
  sid: "PutEvents",
  actions: actions.map((action) => `kinesis:${action}`),
  resources: [arn],
});

const deliverStatement = ({ arn }: FirehoseDeliveryStream, actions: readonly ("PutRecord" | "PutRecordBatch")[]): Statement => ({
  sid: "DeliverEvents",
  actions: actions.map((action) => `firehose:${action}`),
  resources: [arn],
});
