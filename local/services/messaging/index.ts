/** Wires queues, topics, events, logs, metrics and streams together. */
import type { AwsService, LocalContext, Part, ResourceBody } from "../../contracts";
import { Iam } from "../../gateway/iam";
import { CloudWatchService, cloudwatchBodies } from "../cloudwatch";
import { DeliverRegistry } from "../deliver";
import { EventsService, eventsBodies } from "../events";
import { KinesisService, kinesisBodies } from "../kinesis";
import { KmsService } from "../kms";
import { LogsService, logsBodies } from "../logs";
import { ServiceGate } from "../service-gate";
import { SnsService, snsBodies } from "../sns";
import { SqsService, sqsBodies } from "../sqs";

export interface Messaging {
  readonly iam: Iam;
  readonly kms: KmsService;
  readonly gate: ServiceGate;
  readonly registry: DeliverRegistry;
  readonly kinesis: KinesisService;
  readonly sqs: SqsService;
  readonly sns: SnsService;
  readonly events: EventsService;
  readonly logs: LogsService;
  readonly cloudwatch: CloudWatchService;
  readonly services: readonly AwsService[];
  readonly bodies: readonly ResourceBody[];
  readonly parts: readonly Part[];
}

/** Creates all messaging services over one context. Nothing runs by itself until the parts are started. */
export function createMessaging(context: LocalContext): Messaging {
  const registry = new DeliverRegistry();
  const cloudwatch = new CloudWatchService(context, registry);
  const iam = new Iam(context.accountId, context.region);
  const kms = new KmsService(context);
  const gate = new ServiceGate(context, iam, kms);
  const kinesis = new KinesisService(context, gate);
  const sqs = new SqsService(context, gate, cloudwatch.put);
  const sns = new SnsService(context, gate, sqs, registry);
  const events = new EventsService(context, gate, { registry, sqs, kinesis }, cloudwatch.put);
  const logs = new LogsService(context, gate, registry, cloudwatch.putEmbedded);
  registry.register("sqs", (arn, payload, delivery) => sqs.deliver(arn, payload, delivery));
  registry.register("kinesis", (arn, payload) => kinesis.deliver(arn, payload, payload));
  return {
    iam,
    kms,
    gate,
    registry,
    kinesis,
    sqs,
    sns,
    events,
    logs,
    cloudwatch,
    services: [kinesis, sqs, sns, events, logs, cloudwatch],
    bodies: [
      ...kinesisBodies(kinesis),
      ...sqsBodies(sqs),
      ...snsBodies(sns),
      ...eventsBodies(events),
      ...logsBodies(logs),
      ...cloudwatchBodies(cloudwatch),
    ],
    parts: [kinesis.part(), sqs.part(), events.part(), logs.part(), cloudwatch.part()],
  };
}
