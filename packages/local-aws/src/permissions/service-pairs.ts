/**
 * Which AWS service reaches which kind of resource on its own behalf, and the context that it sends to the policies that decide: the
 * resource's own, and the policy of the customer-managed key that encrypts the resource. A condition on a key that the service
 * doesn't send is never met. The controls check the stacks against this table, the local runtime every delivery.
 */
import type { KeyUse, ServicePair, SourceKey } from "./pair";
import { ROLE_PAIRS } from "./role-pairs";

const SNS_KEYS = 'SNS Developer Guide, "Managing Amazon SNS encryption keys and costs"';
const SNS_CONTEXT =
  'GameLift FlexMatch Developer Guide, "Set up an SNS topic with server-side encryption" (the encryption context)';
const SQS_KEYS = 'SQS Developer Guide, "Amazon SQS Key management"';
const EVENTS_POLICIES = 'EventBridge User Guide, "Using resource-based policies for Amazon EventBridge"';

/** SNS puts the topic's ARN into the encryption context of every call, whoever the publisher is. */
const topicKey = (sends: readonly SourceKey[]): readonly KeyUse[] => [
  {
    actions: ["kms:GenerateDataKey", "kms:Decrypt"],
    sends,
    encryptionContext: { key: "aws:sns:topicArn", value: "target" },
  },
];

/**
 * SQS's page says that services support aws:SourceArn here, and to set it to "the resource that is being encrypted". It doesn't say
 * whether that is the queue or the sender, so a policy can't rely on it. The encryption context isn't documented, but public key
 * policies for these senders use it. The stack's own policy uses the account.
 */
const queueKey: readonly KeyUse[] = [
  {
    actions: ["kms:GenerateDataKey", "kms:Decrypt"],
    sends: ["aws:SourceAccount"],
    encryptionContext: { key: "aws:sqs:arn", value: "target" },
  },
];

export const SERVICE_PAIRS: readonly ServicePair[] = [
  {
    service: "events.amazonaws.com",
    target: "topic",
    from: "a rule",
    resource: { actions: ["sns:Publish"], sends: "no conditions" },
    key: topicKey([]),
    source: [EVENTS_POLICIES, SNS_KEYS, SNS_CONTEXT],
  },
  {
    service: "events.amazonaws.com",
    target: "queue",
    from: "a rule, or a target's dead-letter queue",
    resource: { actions: ["sqs:SendMessage"], sends: ["aws:SourceArn", "aws:SourceAccount"] },
    key: queueKey,
    source: [EVENTS_POLICIES, SQS_KEYS],
  },
  {
    service: "events.amazonaws.com",
    target: "log group",
    from: "a rule",
    // The page shows a policy without conditions and names none.
    resource: { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], sends: "no conditions" },
    // CloudWatch Logs uses the group's key itself.
    key: [],
    source: [EVENTS_POLICIES],
  },
  {
    service: "events.amazonaws.com",
    target: "function",
    from: "a rule",
    resource: { actions: ["lambda:InvokeFunction"], sends: ["aws:SourceArn"] },
    key: [],
    source: [EVENTS_POLICIES],
  },
  {
    service: "events.amazonaws.com",
    target: "event bus",
    from: "the bus's own store of events, rules and targets",
    key: [
      { actions: ["kms:DescribeKey"], sends: [] },
      {
        actions: ["kms:GenerateDataKey", "kms:Decrypt"],
        sends: ["aws:SourceArn"],
        encryptionContext: { key: "aws:events:event-bus:arn", value: "target" },
      },
    ],
    source: ['EventBridge User Guide, "Encrypting EventBridge event buses with AWS KMS keys"'],
  },
  {
    service: "cloudwatch.amazonaws.com",
    target: "topic",
    from: "an alarm",
    resource: { actions: ["sns:Publish"], sends: ["aws:SourceArn", "aws:SourceAccount"] },
    key: topicKey(["aws:SourceArn", "aws:SourceAccount"]),
    source: ['SNS Developer Guide, "Example cases for Amazon SNS access control"', SNS_KEYS],
  },
  {
    service: "s3.amazonaws.com",
    target: "queue",
    from: "a bucket's notification",
    resource: { actions: ["sqs:SendMessage"], sends: ["aws:SourceArn", "aws:SourceAccount"] },
    key: queueKey,
    source: ['S3 User Guide, "Granting permissions to publish event notification messages to a destination"', SQS_KEYS],
  },
  {
    service: "sns.amazonaws.com",
    target: "queue",
    from: "a subscription, or its dead-letter queue",
    resource: { actions: ["sqs:SendMessage"], sends: ["aws:SourceArn"] },
    key: queueKey,
    source: ['SNS Developer Guide, "Subscribing an Amazon SQS queue to an Amazon SNS topic"', SQS_KEYS],
  },
  {
    service: "logs.REGION.amazonaws.com",
    target: "log group",
    from: "CloudWatch Logs' own store of the group's events",
    key: [
      {
        actions: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"],
        sends: [],
        encryptionContext: { key: "aws:logs:arn", value: "target" },
      },
    ],
    source: ['CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"'],
  },
  {
    service: "delivery.logs.amazonaws.com",
    target: "state machine",
    from: "logs of a machine whose data is under a key",
    key: [{ actions: ["kms:Decrypt"], sends: [], encryptionContext: { key: "SourceArn", value: "account logs" } }],
    source: [
      'Step Functions Developer Guide, "Data at rest encryption in Step Functions"',
      'EventBridge User Guide, "Encrypting event bus logs with AWS KMS in EventBridge" (the same delivery)',
    ],
  },
  {
    service: "apigateway.amazonaws.com",
    target: "function",
    from: "a method's integration, or an authorizer",
    resource: { actions: ["lambda:InvokeFunction"], sends: ["aws:SourceArn"] },
    key: [],
    source: ['Lambda Developer Guide, "Granting Lambda function access to AWS services"'],
  },
  {
    service: "logging.s3.amazonaws.com",
    target: "bucket",
    from: "server access logs of a bucket",
    resource: { actions: ["s3:PutObject"], sends: ["aws:SourceArn", "aws:SourceAccount"] },
    key: [],
    source: ['S3 User Guide, "Enabling Amazon S3 server access logging"'],
  },
  ...ROLE_PAIRS,
];
