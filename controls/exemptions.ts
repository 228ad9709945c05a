/** Where a stack deviates from a control on purpose. An exemption without a violation is an error: it would hide the next mistake. */
export interface Exemption {
  readonly control: string;
  /** Logical name of the resource; `*` stands for any characters. */
  readonly resource: string;
  /** Stacks in which the violation is accepted; default: all. */
  readonly stacks?: readonly string[];
  readonly reason: string;
}

export const exemptions: readonly Exemption[] = [
  {
    control: "APIGateway.3",
    resource: "scoring-stage",
    stacks: ["dev"],
    reason: "Tracing is off in dev (risk:tracing): its calls are few and its logs hold each of them.",
  },
  {
    control: "APIGateway.4",
    resource: "scoring-stage",
    stacks: ["dev"],
    reason: "$9 a month for an environment without traffic from outside (risk:api.firewall).",
  },
  {
    control: "APIG4",
    resource: "scoring-*",
    reason: "The default (risk:api.auth apiKey): a key with a usage plan counts callers; iam and cognito are one setting away.",
  },
  {
    control: "Kinesis.3",
    resource: "fraud-stream",
    stacks: ["dev", "staging"],
    reason: "24 hours: nothing there is missed, and failed batches are kept in S3 (risk:fraud.retentionHours).",
  },
  {
    control: "DynamoDB.2",
    resource: "fraud-*-table",
    stacks: ["dev"],
    reason: "Dev holds nothing that is missed (risk:pointInTimeRecovery).",
  },
  {
    control: "DynamoDB.6",
    resource: "*-table",
    stacks: ["dev", "staging"],
    reason: "Stacks that are destroyed and created again (risk:deletionProtection).",
  },
  {
    control: "Protection",
    resource: "*",
    stacks: ["dev", "staging"],
    reason: "Stacks that are destroyed and created again (risk:deletionProtection).",
  },
  {
    control: "LambdaConcurrency",
    resource: "scoring-archiver-function",
    reason: "maximumConcurrency of its queue bounds it; reserved concurrency would throttle the poller and use up receives.",
  },
  {
    control: "LambdaConcurrency",
    resource: "*-scorer-function",
    reason: "maximumConcurrency of its queue bounds it; reserved concurrency would throttle the poller and use up receives.",
  },
  {
    control: "LambdaConcurrency",
    resource: "scoring-*-function",
    reason:
      "The stage's throttle bounds them (risk:api.throttleBurst); setting a burst aside for each of six functions takes the account's executions.",
  },
  {
    control: "S3.9",
    resource: "*access-logs-bucket",
    reason: "Logging the bucket of the logs would write a line for every line.",
  },
  {
    control: "S3.17",
    resource: "*access-logs-bucket",
    reason: "S3 delivers access logs to buckets under its own keys (SSE-S3) only.",
  },
  {
    control: "SecretsManager.1",
    resource: "*token-key-secret",
    reason: "A new key gives every user a new token and cuts all history; who can read it is restricted instead.",
  },
  {
    control: "SecretsManager.4",
    resource: "*token-key-secret",
    reason: "A new key gives every user a new token and cuts all history; who can read it is restricted instead.",
  },
  {
    control: "IAM5",
    resource: "gateway-logs-permissions",
    reason: "API Gateway asks for these actions on every log group of the account; the ids of its APIs are not known before.",
  },
  {
    control: "IAM5",
    resource: "*-steps-permissions",
    reason: "Step Functions refuses a machine whose role may not describe log groups in general; it reads names, no logs.",
  },
  {
    control: "CloudWatch.16",
    resource: "*",
    reason:
      "Logs are for finding faults and hold no scores: 7, 14 and 30 days (risk:logRetentionDays). The archive is the record.",
  },
];
