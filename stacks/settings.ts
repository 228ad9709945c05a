/**
 * Every setting of a stack: type, range, default and meaning. `fraud.shards` is the member `shards` of the key `risk:fraud`.
 * `Pulumi.yaml` declares those that are keys of their own; a test compares both.
 */

import { PIPELINE_SETTINGS } from "./pipeline-settings";
import { choice, flag, integer, type Setting, text } from "./setting-kinds";

export type { Setting } from "./setting-kinds";

const policy = (profile: "lead" | "churn" | "fraud" | "device") =>
  ({
    type: "policy",
    profile,
    description: `Overrides of the ${profile} policy: {"thresholds": {name: number}, "weights": {rule: number}, "bands": {band: lowest score}}.`,
  }) as const;

/** No shorter prefix than /8: nobody means half of the internet. */
const OCTET = "(\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])";
const CIDR = `${OCTET}(\\.${OCTET}){3}/([89]|[12]\\d|3[0-2])`;

const MODEL = "(endpoint:)?[a-z0-9](-*[a-z0-9]){0,62}";
const MODEL_KINDS = "builtin, rules, endpoint:NAME or a model of models/index.json";

const champion = (profile: string) =>
  text(
    new RegExp(`^${MODEL}$`),
    MODEL_KINDS,
    "builtin",
    `Model that ${profile} starts with; a promotion (npm run model) changes it later, and deployments leave that alone.`,
    "builtin",
  );

const fallbacks = (profile: string) =>
  text(
    new RegExp(`^(${MODEL}(,${MODEL})*)?$`),
    `names separated by commas, each ${MODEL_KINDS}`,
    "builtin",
    `Models that answer for ${profile}, in order, when the champion cannot; behind them stands the built-in one.`,
    "",
  );

const PERCENT = "(@([1-9]\\d?|100))?";
const challengers = (profile: string) =>
  text(
    new RegExp(`^(${MODEL}${PERCENT}(,${MODEL}${PERCENT})*)?$`),
    `names separated by commas, each with @PERCENT if it is to answer a share of requests`,
    "builtin",
    `Models that score ${profile} in shadow, as a new stack starts with; NAME@10 answers 10 % of the requests as well.`,
    "",
  );

/** What CloudWatch accepts, days. */
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
    "Environment in physical names; another value is another stack, made anew and empty.",
  ),
  suffix: text(
    /^[a-z0-9]{1,8}$/,
    "1 to 8 lower-case letters and digits",
    "a1",
    "Makes physical names unique across accounts and copies; another value is another stack, made anew and empty.",
  ),
  bucketPrefix: text(
    /^[a-z0-9][a-z0-9-]{1,15}$/,
    "2 to 16 lower-case letters, digits and hyphens",
    "company",
    "First part of bucket names: company gives company-fraud-data-…; another value puts new, empty buckets in their place.",
    "company",
  ),
  notificationEmail: text(
    /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
    "an e-mail address",
    "risk-team@example.com",
    "Who gets alarms and high scores by e-mail.",
  ),
  logRetentionDays: { ...choice(RETENTION, "Days that logs are kept."), example: "30" },
  tracing: flag("X-Ray traces of functions and API."),
  pointInTimeRecovery: flag("Continuous backups of stream tables. The table of REST scores always has them."),
  deletionProtection: flag("Protects tables, buckets, stream and warehouse from pulumi destroy.", false),
  policyTtlSeconds: integer(
    1,
    3600,
    "Seconds, ± 20 %, after which a warm function reads its policy and models again. An account makes 40 reads a second: 60 carries 2,400 warm executions, 5 carries 200.",
    60,
  ),
  reserveConcurrency: flag("Sets Lambda executions aside. False in an account with a limit of 10.", true),
  accountConcurrencyLimit: integer(
    1,
    1_000_000,
    "Lambda executions at once that this stack may count on: the account's limit in the region, less what other stacks set aside there.",
    1000,
  ),

  "fraud.capacityMode": choice(
    ["provisioned", "onDemand"],
    "Capacity of stream and results table: fixed shards and units, or following the load (docs/capacity.md).",
    "provisioned",
  ),
  "fraud.shards": integer(1, 1000, "Kinesis shards (1 MB/s or 1,000 records/s each); unused with onDemand."),
  "fraud.retentionHours": integer(24, 8760, "Hours that events stay in the stream; at most fraud.maxAgeSeconds, rounded up.", 24),
  "fraud.memoryMb": { ...integer(128, 10_240, "Memory of the stream function, MB."), example: "1024" },
  "fraud.timeoutSeconds": integer(10, 900, "Time limit of the stream function, seconds.", 60),
  "fraud.reservedConcurrency": integer(
    1,
    10_000,
    "Executions set aside for the stream function; at least shards × parallelization.",
    10,
  ),
  "fraud.batchSize": integer(1, 10_000, "Records of one invocation.", 1000),
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
    "Seconds after which a record is given up to the failure destination: how far the platform may fall behind without losing one.",
    86_400,
  ),
  "fraud.readCapacity": { ...integer(1, 40_000, "Read units of the results table; unused with onDemand."), example: "5" },
  "fraud.readCapacityMax": { ...integer(1, 40_000, "Ceiling of auto scaling, read units; unused with onDemand."), example: "20" },
  "fraud.writeCapacity": {
    ...integer(1, 40_000, "Write units of the results table; a record a second each; unused with onDemand."),
    example: "5",
  },
  "fraud.writeCapacityMax": {
    ...integer(1, 40_000, "Ceiling of auto scaling, write units; unused with onDemand."),
    example: "20",
  },
  "fraud.errorRateAlarmPercent": { ...integer(1, 100, "Percent of failed invocations that raise an alarm."), example: "5" },
  "fraud.resultTtlDays": integer(1, 3650, "Days that results stay in the table.", 90),
  "fraud.archiveExpiryDays": integer(
    91,
    3650,
    "Days that archive objects live; over 90, where the last colder class begins.",
    730,
  ),
  "fraud.quarantineExpiryDays": integer(1, 3650, "Days that quarantined records and failed batches live.", 30),
  "fraud.maxEventAgeDays": integer(
    1,
    36_500,
    "Days that an event may lie back; histories are backfilled, and anything older is a clock fault that goes to quarantine.",
    7300,
  ),
  "fraud.maxEventFutureMinutes": integer(
    0,
    525_600,
    "Minutes that an event may lie ahead, for clocks that run fast; beyond, it goes to quarantine.",
    60,
  ),
  "fraud.highRiskAlerts": flag("Mails every event of an alerting band, from a topic of its own.", false),
  "fraud.policy": policy("fraud"),
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
  "api.memoryMb": integer(128, 10_240, "Memory of the scoring functions, MB.", 1024),
  "api.timeoutSeconds": integer(10, 900, "Time limit of the scoring functions; the gateway gives up after 29.", 30),
  "api.reservedConcurrency": integer(
    0,
    5000,
    "Executions set aside for each function that answers requests, at least api.throttleBurst; 0 for none, as the throttle bounds them.",
    0,
  ),
  "api.provisionedConcurrency": integer(0, 1000, "Warm executions of each scoring function; 0 for none.", 0),
  "api.errorRateAlarmPercent": integer(1, 100, "Percent of failed invocations that raise an alarm.", 5),
  "api.throttleRate": integer(1, 10_000, "Requests a second.", 100),
  "api.throttleBurst": integer(1, 5000, "Requests at once.", 200),
  "api.quotaPerDay": integer(1, 100_000_000, "Requests a day of one API key.", 1_000_000),
  "api.cacheTtlSeconds": integer(0, 2_592_000, "Seconds that an equal input gets its earlier answer.", 86_400),
  "api.archiveWindowSeconds": integer(
    0,
    300,
    "Seconds that scores gather before they are archived as one object; 0 archives at once, ten scores an object at most.",
    30,
  ),
  "api.firewall": flag("Web ACL in front of the API.", false),
  "api.manageAccountLogging": flag("Sets the log role of API Gateway, one for the whole account and region.", true),
  "lead.routeLogScore": integer(0, 100, "Lead scores above go to the log group.", 80),
  "lead.routeAlertScore": integer(0, 100, "Lead scores above are mailed.", 95),
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
    "What SageMaker endpoints are sent: a line of features, or instances as JSON.",
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
    "Database; another value puts a new, empty warehouse in the place of the old one.",
    "risk",
  ),
  "warehouse.adminUsername": text(
    /^(?!(admin|awsuser|rdsdb|rdsadmin)$)[a-z][a-z0-9_]{0,62}$/,
    "lower-case letters, digits and underscores, and neither admin nor awsuser",
    "risk_owner",
    "Owner of the database.",
    "risk_owner",
  ),
  "warehouse.baseCapacityRpu": { ...integer(8, 512, "Base capacity, RPUs in steps of 8.", 8), multipleOf: 8 },
  "warehouse.maxCapacityRpu": { ...integer(8, 5632, "Ceiling of the capacity, RPUs in steps of 8.", 32), multipleOf: 8 },
  "warehouse.loadSchedule": text(
    /^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d) (minutes|hours))\)$/,
    "rate(1 minute), rate(2 minutes) to rate(99 minutes), the same in hours, or rate(1 day)",
    "rate(15 minutes)",
    "How often new archive objects are loaded.",
    "rate(15 minutes)",
  ),
  "warehouse.freshnessAlarmMinutes": integer(1, 10_080, "Minutes that an object may wait for the warehouse.", 60),
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
    "Zones of the warehouse, where Redshift Serverless isn't in all; empty takes the region's first three.",
    "",
  ),
  "warehouse.clientCidrs": text(
    new RegExp(`^(${CIDR}(,${CIDR})*)?$`),
    "networks of /8 to /32 such as 10.8.0.0/16, separated by commas, or nothing",
    "10.8.0.0/16",
    "Networks from which psql and BI tools may connect; empty lets in nobody.",
    "",
  ),
  "warehouse.clientSecurityGroupIds": text(
    /^(sg-[0-9a-f]{8,17}(,sg-[0-9a-f]{8,17})*)?$/,
    "ids of security groups, separated by commas, or nothing",
    "sg-0123456789abcdef0",
    "Security groups whose members may connect; empty lets in nobody.",
    "",
  ),
  "warehouse.dailyRpuHours": integer(
    1,
    100_000,
    "RPU-hours that the warehouse may use a day; an alarm at 80 % of them. A load bills a minute of its capacity.",
    100,
  ),
  "warehouse.usageLimitAction": choice(
    ["deactivate", "emit-metric", "log"],
    "What the limit does: deactivate refuses queries until the next day or a higher limit, and loads wait; the others only tell.",
    "deactivate",
  ),

  ...PIPELINE_SETTINGS,
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingKey = keyof typeof SETTINGS;
