/** Pairs of service and resource where the service is given a role and reaches the resource with it. */
import type { RoleUse, ServicePair } from "./pair";

const EVENTS_ROLES = 'EventBridge User Guide, "IAM roles for sending events to targets in Amazon EventBridge"';
const LAMBDA_FAILURES = 'Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations"';

const FIREHOSE_ROLE = 'Data Firehose Developer Guide, "Grant Firehose access to an Amazon S3 destination"';

const asRole = (...actions: readonly string[]): RoleUse => ({ actions, on: "target", trustSends: ["aws:SourceAccount"] });

export const ROLE_PAIRS: readonly ServicePair[] = [
  {
    service: "glue.amazonaws.com",
    target: "bucket",
    from: "the script of a job",
    role: asRole("s3:GetObject"),
    key: [],
    source: ['Glue Developer Guide, "Step 2: Create an IAM role for AWS Glue"'],
  },
  {
    service: "apigateway.amazonaws.com",
    target: "log group",
    from: "access logs of a stage, with the account's role",
    role: {
      actions: [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
      ],
      on: "*",
      trustSends: ["aws:SourceAccount"],
    },
    key: [],
    source: ['API Gateway Developer Guide, "Set up CloudWatch logging for REST APIs in API Gateway"'],
  },
  {
    service: "events.amazonaws.com",
    target: "state machine",
    from: "a rule",
    role: asRole("states:StartExecution"),
    key: [],
    source: [EVENTS_ROLES],
  },
  {
    service: "logs.amazonaws.com",
    target: "stream",
    from: "a subscription filter",
    role: { actions: ["kinesis:PutRecord"], on: "target", trustSends: ["aws:SourceArn"] },
    key: [],
    source: ['CloudWatch Logs User Guide, "Log group-level subscription filters"'],
  },
  {
    service: "states.amazonaws.com",
    target: "log group",
    from: "logs of a machine",
    role: {
      actions: [
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
      ],
      on: "*",
      trustSends: ["aws:SourceAccount"],
    },
    key: [],
    source: ['Step Functions Developer Guide, "Using CloudWatch Logs to log execution history in Step Functions"'],
  },
  {
    service: "lambda.amazonaws.com",
    target: "log group",
    from: "a function's log",
    role: asRole("logs:CreateLogStream", "logs:PutLogEvents"),
    key: [],
    source: ['Lambda Developer Guide, "Defining Lambda function permissions with an execution role"'],
  },
  {
    service: "lambda.amazonaws.com",
    target: "queue",
    from: "a function's destination or dead-letter queue",
    role: asRole("sqs:SendMessage"),
    key: [],
    source: [LAMBDA_FAILURES],
  },
  {
    service: "lambda.amazonaws.com",
    target: "bucket",
    from: "failed batches of an event source",
    role: asRole("s3:PutObject", "s3:ListBucket"),
    key: [],
    source: ['Lambda Developer Guide, "Retain discarded batch records for a Kinesis Data Streams event source in Lambda"'],
  },
  {
    service: "lambda.amazonaws.com",
    target: "queue as event source",
    from: "an event source mapping",
    role: asRole("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    key: [],
    source: ['Lambda Developer Guide, "Using Lambda with Amazon SQS"'],
  },
  {
    service: "lambda.amazonaws.com",
    target: "stream as event source",
    from: "an event source mapping",
    role: asRole("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"),
    key: [],
    source: ['Lambda Developer Guide, "Process Amazon Kinesis Data Streams records with Lambda"'],
  },
  {
    service: "firehose.amazonaws.com",
    target: "bucket",
    from: "objects of a delivery stream",
    role: {
      actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"],
      on: "target",
      trustSends: [],
    },
    key: [],
    source: [FIREHOSE_ROLE],
  },
  {
    service: "firehose.amazonaws.com",
    target: "function",
    from: "the transformation of a delivery stream",
    role: { actions: ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"], on: "target", trustSends: [] },
    key: [],
    source: [FIREHOSE_ROLE],
  },
  {
    service: "firehose.amazonaws.com",
    target: "log group",
    from: "errors of a delivery stream",
    role: { actions: ["logs:PutLogEvents"], on: "target", trustSends: [] },
    key: [],
    source: [FIREHOSE_ROLE],
  },
];
