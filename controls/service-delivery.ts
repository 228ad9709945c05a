/** Whether AWS can deliver what the stack wires: checks each pair of service and resource against the policies of role, resource and key. */
import type { GraphResource } from "@risk/program-graph";
import { checkAuthorizer, checkIntegration, checkStage } from "./api-delivery";
import { at, type Control, isText, listAt, type ResourceGraph, refersTo } from "./control";
import { keyRefused, refused } from "./delivery";
import { parseJson } from "./documents";
import { checkFunction, checkMapping, checkOutcomes } from "./function-delivery";

const RULE = "aws:cloudwatch/eventRule:EventRule";
const TARGET = "aws:cloudwatch/eventTarget:EventTarget";
const ALARMS = ["aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"];
const BUS = "aws:cloudwatch/eventBus:EventBus";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
const NOTIFICATION = "aws:s3/bucketNotification:BucketNotification";
const LOGGING = "aws:s3/bucketLogging:BucketLogging";
const BUCKET = "aws:s3/bucket:Bucket";
const SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription";
const MACHINE = "aws:sfn/stateMachine:StateMachine";
const DELIVERY_STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";

const checkTarget: Control["check"] = ({ inputs }, graph) => {
  const rule = graph.ofType(RULE).find((candidate) => refersTo(inputs.rule, candidate));
  const wiring = { service: "events.amazonaws.com", sourceArn: String(rule?.state.arn ?? inputs.rule) };
  const path = "deadLetterConfig.arn";
  return [
    ...refused({ ...wiring, targetArn: inputs.arn, path: "arn", roleArn: inputs.roleArn }, graph),
    ...refused({ ...wiring, targetArn: at(inputs, path), path }, graph),
  ];
};

const checkAlarm: Control["check"] = ({ inputs, state }, graph) =>
  ["alarmActions", "okActions", "insufficientDataActions"].flatMap((path) =>
    listAt(inputs, path).flatMap((targetArn) =>
      refused({ service: "cloudwatch.amazonaws.com", sourceArn: String(state.arn), targetArn, path }, graph),
    ),
  );

/** S3 needs no permission for the default bus (`eventbridge`). */
const checkNotification: Control["check"] = ({ inputs }, graph) =>
  [
    ["queues", "queueArn"],
    ["topics", "topicArn"],
    ["lambdaFunctions", "lambdaFunctionArn"],
  ].flatMap(([list = "", field = ""]) =>
    listAt(inputs, list).flatMap((entry) => {
      const sourceArn = `arn:aws:s3:::${String(inputs.bucket)}`;
      const wiring = { service: "s3.amazonaws.com", sourceArn, targetArn: at(entry, field), path: `${list}.${field}` };
      return refused(wiring, graph);
    }),
  );

/** Access logs get lost in a bucket encrypted with KMS: S3 User Guide, "Enabling Amazon S3 server access logging". */
const checkLogging: Control["check"] = ({ inputs }, graph) => {
  const path = "targetBucket";
  const bucketArn = (name: unknown) => {
    const bucket = graph.ofType(BUCKET).find((candidate) => refersTo(name, candidate));
    return String(bucket?.state.arn ?? `arn:aws:s3:::${String(name)}`);
  };
  const encryption = graph
    .ofType("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
    .filter((candidate) => candidate.inputs.bucket === inputs[path])
    .flatMap((candidate) => listAt(candidate.inputs, "rules"))
    .map((entry) => at(entry, "applyServerSideEncryptionByDefault.sseAlgorithm"));
  const undeliverable = encryption.some((algorithm) => String(algorithm).startsWith("aws:kms"))
    ? [`${path}: S3 writes no access logs into ${String(inputs[path])}, whose sseAlgorithm is KMS; set it to "AES256".`]
    : [];
  const wiring = {
    service: "logging.s3.amazonaws.com",
    sourceArn: bucketArn(inputs.bucket),
    targetArn: `${bucketArn(inputs[path])}/${isText(inputs.targetPrefix) ? inputs.targetPrefix : ""}*`,
    path,
  };
  return [...undeliverable, ...refused(wiring, graph)];
};

/** Endpoints outside AWS confirm their subscriptions themselves. */
const OUTSIDE = new Set<unknown>(["email", "email-json", "http", "https", "sms", "application"]);

const checkSubscription: Control["check"] = ({ inputs }, graph) => {
  const redrive = isText(inputs.redrivePolicy) ? at(parseJson(inputs.redrivePolicy), "deadLetterTargetArn") : undefined;
  const wiring = { service: "sns.amazonaws.com", sourceArn: String(inputs.topic) };
  const endpoint = OUTSIDE.has(inputs.protocol) ? undefined : inputs.endpoint;
  return [
    ...refused({ ...wiring, targetArn: endpoint, path: "endpoint", roleArn: inputs.subscriptionRoleArn }, graph),
    ...refused({ ...wiring, targetArn: redrive, path: "redrivePolicy.deadLetterTargetArn" }, graph),
  ];
};

const checkBus: Control["check"] = ({ inputs, state }, graph) =>
  keyRefused("events.amazonaws.com", "event bus", String(state.arn), inputs.kmsKeyIdentifier, "kmsKeyIdentifier", graph);

const checkLogGroup: Control["check"] = ({ inputs, state }, graph) =>
  keyRefused("logs.REGION.amazonaws.com", "log group", String(state.arn), inputs.kmsKeyId, "kmsKeyId", graph);

const checkMachine: Control["check"] = ({ inputs, state }, graph) => {
  const level = at(inputs, "loggingConfiguration.level");
  if (level === undefined || level === "OFF") return [];
  const sourceArn = String(state.arn);
  const key = "encryptionConfiguration.kmsKeyId";
  const path = "loggingConfiguration.logDestination";
  const logs = { service: "states.amazonaws.com", sourceArn, targetArn: at(inputs, path), path, roleArn: inputs.roleArn };
  return [
    ...keyRefused("delivery.logs.amazonaws.com", "state machine", sourceArn, at(inputs, key), key, graph),
    ...refused(logs, graph),
  ];
};

/** Glue fetches the script from `s3://bucket/key` with the job's role. */
const checkJob: Control["check"] = ({ inputs, state }, graph) => {
  const path = "command.scriptLocation";
  const targetArn = String(at(inputs, path)).replace(/^s3:\/\//, "arn:aws:s3:::");
  const wiring = { service: "glue.amazonaws.com", sourceArn: String(state.arn), roleArn: inputs.roleArn };
  return refused({ ...wiring, targetArn, path }, graph);
};

/** Objects under both prefixes, the transformation, and the log, with one role. */
const checkDeliveryStream: Control["check"] = ({ inputs, state }, graph) => {
  const s3 = "extendedS3Configuration";
  const wiring = { service: "firehose.amazonaws.com", sourceArn: String(state.arn), roleArn: at(inputs, `${s3}.roleArn`) };
  const objects = ["prefix", "errorOutputPrefix"].flatMap((field) => {
    const path = `${s3}.${field}`;
    const prefix = at(inputs, path);
    if (!isText(prefix)) return [];
    // What comes after an expression is known only when an object is written.
    const [fixed = ""] = prefix.split("!{");
    return refused({ ...wiring, targetArn: `${String(at(inputs, `${s3}.bucketArn`))}/${fixed}x`, path }, graph);
  });
  const processors = `${s3}.processingConfiguration.processors`;
  const functions = listAt(inputs, processors)
    .flatMap((processor) => listAt(processor, "parameters"))
    .filter((parameter) => at(parameter, "parameterName") === "LambdaArn")
    .flatMap((parameter) => refused({ ...wiring, targetArn: at(parameter, "parameterValue"), path: processors }, graph));
  const logs = `${s3}.cloudwatchLoggingOptions.logGroupName`;
  const group = graph.ofType(LOG_GROUP).find((candidate) => refersTo(at(inputs, logs), candidate));
  return [...objects, ...functions, ...refused({ ...wiring, targetArn: group?.state.arn, path: logs }, graph)];
};

/** Other types that deliver: the service, and where they name targets and role. Most pairs have to be looked up first. */
interface Sender {
  readonly service: string;
  readonly targets: readonly string[];
  readonly role?: string;
}

const SENDERS: Readonly<Record<string, Sender>> = {
  "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": {
    service: "logs.amazonaws.com",
    targets: ["destinationArn"],
    role: "roleArn",
  },
  "aws:cloudwatch/metricStream:MetricStream": {
    service: "streams.metrics.cloudwatch.amazonaws.com",
    targets: ["firehoseArn"],
    role: "roleArn",
  },
  "aws:scheduler/schedule:Schedule": {
    service: "scheduler.amazonaws.com",
    targets: ["target.arn", "target.deadLetterConfig.arn"],
    role: "target.roleArn",
  },
  "aws:pipes/pipe:Pipe": { service: "pipes.amazonaws.com", targets: ["source", "enrichment", "target"], role: "roleArn" },
  "aws:dynamodb/kinesisStreamingDestination:KinesisStreamingDestination": {
    service: "dynamodb.amazonaws.com",
    targets: ["streamArn"],
  },
  "aws:ec2/flowLog:FlowLog": { service: "vpc-flow-logs.amazonaws.com", targets: ["logDestination"], role: "iamRoleArn" },
  "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {
    service: "delivery.logs.amazonaws.com",
    targets: ["logDestinationConfigs"],
  },
};

const checkSender: Control["check"] = ({ type, inputs, state }, graph) => {
  const { service, targets, role } = SENDERS[type] ?? { service: type, targets: [] };
  const wiring = { service, sourceArn: String(state.arn), roleArn: role === undefined ? undefined : at(inputs, role) };
  return targets.flatMap((path) => {
    const value = at(inputs, path);
    return (Array.isArray(value) ? value : [value]).flatMap((targetArn) => refused({ ...wiring, targetArn, path }, graph));
  });
};

const delivery = (id: string, title: string, appliesTo: readonly string[], check: Control["check"]): Control => ({
  id: `Delivery.${id}`,
  title,
  appliesTo,
  check,
});

/** Each type has a check of its own. */
const byType =
  (checks: Readonly<Record<string, Control["check"]>>): Control["check"] =>
  (resource: GraphResource, graph: ResourceGraph) =>
    checks[resource.type]?.(resource, graph) ?? [];

const API = {
  "aws:apigateway/integration:Integration": checkIntegration,
  "aws:apigateway/authorizer:Authorizer": checkAuthorizer,
};
const FUNCTIONS = {
  "aws:lambda/function:Function": checkFunction,
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": checkOutcomes,
  "aws:lambda/eventSourceMapping:EventSourceMapping": checkMapping,
};

export const serviceDeliveryControls: readonly Control[] = [
  delivery("targets", "EventBridge reaches targets and their dead-letter queues: role, policy and key", [TARGET], checkTarget),
  delivery("alarms", "Topics of alarms let CloudWatch in, and so do their keys", ALARMS, checkAlarm),
  delivery("notifications", "Queues and topics of buckets let S3 in, and so do their keys", [NOTIFICATION], checkNotification),
  delivery("accessLogs", "Buckets for access logs let S3 in", [LOGGING], checkLogging),
  delivery("subscriptions", "Subscribed queues let SNS in, and so do their keys", [SUBSCRIPTION], checkSubscription),
  delivery("integrations", "Functions let in the API that calls them", Object.keys(API), byType(API)),
  delivery("stages", "The account's role lets API Gateway write access logs", ["aws:apigateway/stage:Stage"], checkStage),
  delivery(
    "functions",
    "Roles of functions reach logs, event sources and destinations",
    Object.keys(FUNCTIONS),
    byType(FUNCTIONS),
  ),
  delivery("buses", "The keys of buses let EventBridge in", [BUS], checkBus),
  delivery("logs", "The keys of log groups let CloudWatch Logs in", [LOG_GROUP], checkLogGroup),
  delivery("machines", "Role and key of state machines let their logs be delivered", [MACHINE], checkMachine),
  delivery("jobs", "Roles of Glue jobs let Glue in and read the script", ["aws:glue/job:Job"], checkJob),
  delivery(
    "deliveryStreams",
    "Roles of delivery streams reach their bucket, function and log",
    [DELIVERY_STREAM],
    checkDeliveryStream,
  ),
  delivery("others", "Filters, schedules, pipes and other senders reach their targets", Object.keys(SENDERS), checkSender),
];
