/**
 * Every setting of a stack: type, range, default and meaning. `fraud.shards` is the member `shards` of the key `risk:fraud`.
 * `Pulumi.yaml` declares the settings that are keys of their own; a test compares the two.
 */

import { PIPELINE_SETTINGS } from "./pipeline-settings";
import { choice, flag, integer, type Setting, text } from "./setting-kinds";
import { TRIGGERS } from "./trigger-names";

export type { Setting } from "./setting-kinds";

const policy = (profile: "lead" | "churn" | "fraud" | "device") =>
  ({
    type: "policy",
    profile,
    description: `Overrides of the ${profile} policy: {"thresholds": {name: number}, "weights": {rule: number}, "bands": {band: lowest score}}.`,
  }) as const;

/** No prefix shorter than /8: nobody means half of the internet. */
const OCTET = "(\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])";
const CIDR = `${OCTET}(\\.${OCTET}){3}/([89]|[12]\\d|3[0-2])`;

const MODEL = "(endpoint:)?[a-z0-9](-*[a-z0-9]){0,62}";
const MODEL_KINDS = "builtin, rules, endpoint:NAME or a model of models/index.json";

const champion = (profile: string) =>
  text(
    new RegExp(`^${MODEL}$`),
    MODEL_KINDS,
    "builtin",
    `Model that ${profile} starts with; a promotion (npm run model) changes it later, and deployments don't change it back.`,
    "builtin",
  );

const fallbacks = (profile: string) =>
  text(
    new RegExp(`^(${MODEL}(,${MODEL})*)?$`),
    `names separated by commas, each ${MODEL_KINDS}`,
    "builtin",
    `Models that answer for ${profile}, in order, when the champion can't; the built-in one comes last.`,
    "",
  );

const PERCENT = "(@([1-9]\\d?|100))?";
const challengers = (profile: string) =>
  text(
    new RegExp(`^(${MODEL}${PERCENT}(,${MODEL}${PERCENT})*)?$`),
    `names separated by commas, each with @PERCENT if it should answer a share of requests`,
    "builtin",
    `Models that score ${profile} in shadow on a new stack; NAME@10 also answers 10 % of the requests.`,
    "",
  );

/** The numbers of days that CloudWatch accepts. */
const RETENTION = [
  "1",
  "3",
  "5",
  "7",
  "14",
  "30",
  "60",
  "90",
  "120",
  "150",
  "180",
  "365",
  "400",
  "545",
  "731",
  "1096",
  "1827",
  "3653",
] as const;

export const SETTINGS = {
  environment: text(
    /^[a-z][a-z0-9]{1,9}$/,
    "2 to 10 lower-case letters and digits",
    "dev",
    "Environment in physical names; changing it replaces the stack by a new, empty one.",
  ),
  suffix: text(
    /^[a-z0-9]{1,8}$/,
    "1 to 8 lower-case letters and digits",
    "a1",
    "Makes physical names unique across accounts and copies; changing it replaces the stack by a new, empty one.",
  ),
  bucketPrefix: text(
    /^[a-z0-9][a-z0-9-]{1,15}$/,
    "2 to 16 lower-case letters, digits and hyphens",
    "company",
    "First part of bucket names: company gives company-fraud-data-…; changing it replaces them by new, empty buckets.",
    "company",
  ),
  notificationEmail: text(
    /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
    "an e-mail address",
    "risk-team@example.com",
    "Who gets alarms and high scores by e-mail.",
  ),
  logRetentionDays: { ...choice(RETENTION, "Days that logs are kept."), example: "30" },
  rawRecordDays: integer(
    1,
    3650,
    "Days that records which could not be scored are kept whole; so long npm run redrive can bring them back.",
    30,
  ),
  tracing: flag("X-Ray traces of functions and API."),
  pointInTimeRecovery: flag("Continuous backups of stream tables. The table of REST scores always has them."),
  deletionProtection: flag("Protects tables, buckets, stream and warehouse from pulumi destroy.", false),
  policyTtlSeconds: integer(
    1,
    3600,
    "Seconds, ± 20 %, after which a warm function reads its policy and models again. An account has 40 reads per second: 60 is enough for 2,400 warm executions, 5 for 200.",
    60,
  ),
  reserveConcurrency: flag("Whether to reserve Lambda executions. False in an account with a limit of 10.", true),
  accountConcurrencyLimit: integer(
    1,
    1_000_000,
    "Concurrent Lambda executions that this stack may count on: the account's limit in the region minus what other stacks reserve there.",
    1000,
  ),

  "fraud.triggers": text(
    new RegExp(`^(${TRIGGERS.join("|")})(,(${TRIGGERS.join("|")}))*$`),
    `one or more of ${TRIGGERS.join(", ")}, separated by commas`,
    "kinesis,eventbridge",
    "Ways in for events: a Kinesis stream, a rule on an EventBridge bus, a delivery stream of Data Firehose, POST /events of the API, files under incoming/ of the data bucket. Without kinesis there is no stream.",
    "kinesis",
  ),
  "fraud.eventBus": text(
    /^([/A-Za-z0-9_.-]{1,256}|arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/[/A-Za-z0-9_.-]{1,256})?$/,
    "the name or ARN of an event bus of the account, or nothing",
    "default",
    "Existing bus of the trigger eventbridge; empty for a bus of the stack's own.",
    "",
  ),
  "fraud.eventPattern": {
    type: "eventPattern",
    description: "EventBridge's pattern of the events that are scored; the detail of each is one record.",
  },
  "fraud.queueConcurrency": integer(
    2,
    1000,
    "Invocations at the same time for the queue of eventbridge and rest; they aren't reserved.",
    10,
  ),
  "fraud.firehoseSeconds": integer(
    0,
    900,
    "Seconds for which the records of the delivery stream wait for others: before their transformation, and again before their archive object.",
    60,
  ),
  "fraud.capacityMode": choice(
    ["provisioned", "onDemand"],
    "Capacity of stream and results table: fixed shards and units, or scaling with the load (docs/capacity.md).",
    "provisioned",
  ),
  "fraud.shards": integer(
    1,
    1000,
    "Kinesis shards (1 MB/s or 1,000 records/s each); unused with onDemand, and without the trigger kinesis.",
  ),
  "fraud.retentionHours": integer(
    24,
    8760,
    "Hours that events are kept in the stream; at most fraud.maxAgeSeconds, rounded up.",
    24,
  ),
  "fraud.memoryMb": { ...integer(128, 10_240, "Memory of the stream function in MB."), example: "1024" },
  "fraud.timeoutSeconds": integer(10, 900, "Time limit of the stream function in seconds.", 60),
  "fraud.reservedConcurrency": integer(
    1,
    10_000,
    "Executions reserved for the stream function, at least shards × parallelization, and as many for the function of the trigger firehose.",
    10,
  ),
  "fraud.batchSize": integer(1, 10_000, "Records per invocation.", 1000),
  "fraud.batchWindowSeconds": integer(0, 300, "Seconds to wait for a full batch.", 1),
  "fraud.parallelization": integer(1, 10, "Batches of one shard in flight.", 1),
  "fraud.maxRetries": integer(
    -1,
    10_000,
    "Retries of a failing or throttled batch before it goes to the failure destination; -1 retries until fraud.maxAgeSeconds.",
    -1,
  ),
  "fraud.maxAgeSeconds": integer(
    60,
    604_800,
    "Seconds after which a record goes to the failure destination: how far the platform may fall behind without giving up records.",
    86_400,
  ),
  "fraud.readCapacity": { ...integer(1, 40_000, "Read units of the results table; unused with onDemand."), example: "5" },
  "fraud.readCapacityMax": {
    ...integer(1, 40_000, "Ceiling of auto scaling in read units; unused with onDemand."),
    example: "20",
  },
  "fraud.writeCapacity": {
    ...integer(1, 40_000, "Write units of the results table, one record per second each; unused with onDemand."),
    example: "5",
  },
  "fraud.writeCapacityMax": {
    ...integer(1, 40_000, "Ceiling of auto scaling in write units; unused with onDemand."),
    example: "20",
  },
  "fraud.errorRateAlarmPercent": { ...integer(1, 100, "Percentage of failed invocations that raises an alarm."), example: "5" },
  "fraud.resultTtlDays": integer(1, 3650, "Days that results are kept in the table.", 90),
  "fraud.archiveExpiryDays": integer(
    91,
    3650,
    "Days that archive objects are kept; over 90, when the cheapest storage class begins.",
    730,
  ),
  "fraud.quarantineExpiryDays": integer(1, 3650, "Days that the lines of quarantine are kept, which say why and where.", 30),
  "fraud.maxEventAgeDays": integer(
    1,
    36_500,
    "Days that an event may be old: histories are backfilled, but anything older is a clock fault and goes to quarantine.",
    7300,
  ),
  "fraud.maxEventFutureMinutes": integer(
    0,
    525_600,
    "Minutes that an event may be in the future, for clocks that run fast; later ones go to quarantine.",
    60,
  ),
  "fraud.highRiskAlerts": flag("Whether to send an e-mail for every event of an alerting band, from a topic of its own.", false),
  "fraud.policy": policy("fraud"),
  "fraud.referenceCurrency": text(
    /^[A-Z]{3}$/,
    "a currency of three capitals",
    "EUR",
    "Currency that amounts are compared in: thresholds, sums and means are in its units. Users' sums and means aren't converted when it changes.",
    "USD",
  ),
  "fraud.rates": {
    type: "rates",
    description:
      'Exchange rates: {"as_of": day, "rates": {currency: number}}, how much of each currency one unit of the reference currency buys, or of "base", if given. Default: rounded rates of June 2025.',
  },
  "fraud.rateMaxAgeDays": integer(1, 3650, "Days after which exchange rates that are still used raise an alarm.", 35),
  "fraud.champion": champion("fraud"),
  "fraud.fallbacks": fallbacks("fraud"),
  "fraud.challengers": challengers("fraud"),

  "api.auth": choice(["apiKey", "iam", "cognito", "none"], "Who may call the API.", "apiKey"),
  "api.cognitoUserPoolArn": text(
    /^(arn:aws[a-z-]*:cognito-idp:\S+:userpool\/\S+)?$/,
    "the ARN of a Cognito user pool",
    "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_EXAMPLE",
    "User pool of api.auth cognito.",
    "",
  ),
  "api.memoryMb": integer(128, 10_240, "Memory of the scoring functions in MB.", 1024),
  "api.timeoutSeconds": integer(10, 900, "Time limit of the scoring functions; the gateway gives up after 29.", 30),
  "api.reservedConcurrency": integer(
    0,
    5000,
    "Executions reserved for each function that answers requests, at least api.throttleBurst; 0 for none, since the throttle limits them.",
    0,
  ),
  "api.provisionedConcurrency": integer(0, 1000, "Warm executions of each scoring function; 0 for none.", 0),
  "api.errorRateAlarmPercent": integer(1, 100, "Percentage of failed invocations that raises an alarm.", 5),
  "api.throttleRate": integer(1, 10_000, "Requests per second.", 100),
  "api.throttleBurst": integer(1, 5000, "Concurrent requests.", 200),
  "api.quotaPerDay": integer(1, 100_000_000, "Requests per day with one API key.", 1_000_000),
  "api.cacheTtlSeconds": integer(0, 2_592_000, "Seconds for which an equal input gets the earlier answer.", 86_400),
  "api.archiveWindowSeconds": integer(
    0,
    300,
    "Seconds that scores are collected before they are archived as one object; 0 archives at once, at most ten scores per object.",
    30,
  ),
  "api.firewall": flag("Whether a web ACL protects the API.", false),
  "api.manageAccountLogging": flag(
    "Whether the stack sets API Gateway's log role, of which an account has one per region.",
    true,
  ),
  "lead.routeLogScore": integer(0, 100, "Lead scores above this go to the log group.", 80),
  "lead.routeAlertScore": integer(0, 100, "Lead scores above this are sent by e-mail.", 95),
  "lead.demoJitter": flag("Adds up to ±5 to lead scores; for demonstrations.", false),
  "lead.policy": policy("lead"),
  "lead.champion": champion("lead"),
  "lead.fallbacks": fallbacks("lead"),
  "lead.challengers": challengers("lead"),
  "churn.policy": policy("churn"),
  "churn.champion": champion("churn"),
  "churn.fallbacks": fallbacks("churn"),
  "churn.challengers": challengers("churn"),
  "device.policy": policy("device"),
  "device.champion": champion("device"),
  "device.fallbacks": fallbacks("device"),
  "device.challengers": challengers("device"),

  "models.endpointFormat": choice(
    ["text/csv", "application/json"],
    "Format of requests to SageMaker endpoints: a line of features, or instances as JSON.",
    "text/csv",
  ),
  "models.endpointTimeoutMs": integer(
    10,
    10_000,
    "Milliseconds that an endpoint may take before the next model of the chain answers.",
    500,
  ),

  "warehouse.enabled": flag("Redshift Serverless and its loader; false removes them, with the data.", true),
  "warehouse.databaseName": text(
    /^(?!dev$)[a-z][a-z0-9_]{0,62}$/,
    "lower-case letters, digits and underscores, and not dev",
    "risk",
    "Database; changing it replaces the warehouse by a new, empty one.",
    "risk",
  ),
  "warehouse.adminUsername": text(
    /^(?!(admin|awsuser|rdsdb|rdsadmin)$)[a-z][a-z0-9_]{0,62}$/,
    "lower-case letters, digits and underscores, and neither admin nor awsuser",
    "risk_owner",
    "Owner of the database.",
    "risk_owner",
  ),
  "warehouse.baseCapacityRpu": { ...integer(8, 512, "Base capacity in RPUs, in steps of 8.", 8), multipleOf: 8 },
  "warehouse.maxCapacityRpu": { ...integer(8, 5632, "Ceiling of the capacity in RPUs, in steps of 8.", 32), multipleOf: 8 },
  "warehouse.loadSchedule": text(
    /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d) (minutes|hours))\)$/,
    "rate(1 minute), rate(2 minutes) to rate(99 minutes), the same in hours, or rate(1 day)",
    "rate(15 minutes)",
    "How often new archive objects are loaded.",
    "rate(15 minutes)",
  ),
  "warehouse.freshnessAlarmMinutes": integer(1, 10_080, "Minutes that an object may wait to be loaded before an alarm.", 60),
  "warehouse.vpcCidr": text(
    /^10\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])\.0\.0\/16$/,
    "a /16 network such as 10.60.0.0/16",
    "10.60.0.0/16",
    "Network of the warehouse.",
    "10.60.0.0/16",
  ),
  "warehouse.availabilityZones": text(
    /^([a-z]{2}(-[a-z]+)+-\d[a-z](,[a-z]{2}(-[a-z]+)+-\d[a-z]){2,5})?$/,
    "three to six zones, separated by commas, or nothing",
    "us-east-1a,us-east-1b,us-east-1d",
    "Zones of the warehouse, for regions where not every zone has Redshift Serverless; empty takes the first three.",
    "",
  ),
  "warehouse.clientCidrs": text(
    new RegExp(`^(${CIDR}(,${CIDR})*)?$`),
    "networks of /8 to /32 such as 10.8.0.0/16, separated by commas, or nothing",
    "10.8.0.0/16",
    "Networks from which psql and BI tools may connect; if empty, nobody may.",
    "",
  ),
  "warehouse.clientSecurityGroupIds": text(
    /^(sg-[0-9a-f]{8,17}(,sg-[0-9a-f]{8,17})*)?$/,
    "ids of security groups, separated by commas, or nothing",
    "sg-0123456789abcdef0",
    "Security groups whose members may connect; if empty, nobody may.",
    "",
  ),
  "warehouse.dailyRpuHours": integer(
    1,
    100_000,
    "RPU-hours that the warehouse may use per day, with an alarm at 80 %. Each load is billed for at least a minute of its capacity.",
    100,
  ),
  "warehouse.usageLimitAction": choice(
    ["deactivate", "emit-metric", "log"],
    "What happens at the limit: deactivate rejects queries until the next day or a higher limit, and loads wait; the others only report it.",
    "deactivate",
  ),

  "catalog.enabled": flag(
    "Tables over the files of archive, quarantine, labels and batch scoring, and an Athena workgroup that queries them (docs/catalog.md).",
    true,
  ),
  "catalog.scanLimitMb": integer(
    10,
    1_048_576,
    "Megabytes that one query may read before it is cancelled; a terabyte costs $5 in most regions.",
    10_240,
  ),
  "catalog.resultDays": integer(1, 365, "Days that results of queries are kept.", 7),

  ...PIPELINE_SETTINGS,
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingKey = keyof typeof SETTINGS;
