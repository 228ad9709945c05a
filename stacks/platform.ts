/** The platform of one stack: what is shared, and the components on top of it. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Account as GatewayAccount } from "@pulumi/aws/apigateway";
import type * as pulumi from "@pulumi/pulumi";
import { RiskWarehouse, warehouseName } from "../components/risk-warehouse";
import { type ApiAuth, ScoringApi } from "../components/scoring-api";
import { METRIC_NAMESPACE as SCORING_METRICS } from "../components/scoring-api/scoring-function";
import { accessLogBucket } from "../components/shared/access-log-bucket";
import type { PlatformContext } from "../components/shared/context";
import { EncryptionKey } from "../components/shared/encryption-key";
import { grant, serviceRole } from "../components/shared/iam";
import type { ShippedModel } from "../components/shared/model-artifact";
import { ModelStore } from "../components/shared/model-store";
import type { Naming } from "../components/shared/naming";
import { ScoreBus } from "../components/shared/score-bus";
import { GeneratedSecret } from "../components/shared/secret";
import { NotificationTopic } from "../components/shared/topic";
import { type StreamCapacity, StreamProcessor } from "../components/stream-processor";
import { METRIC_NAMESPACE as STREAM_METRICS } from "../components/stream-processor/scorer";
import { PROFILES } from "../functions/profiles";
import { buildFunctions, type FunctionBundles } from "../tools/bundle";
import { bundleOf } from "./bundle-of";
import type { StackConfig } from "./config";
import type { StackModels } from "./models";
import { dataBucketOf, namingOf, pipelineBucketOf, STREAM } from "./naming-checks";
import { createPipelines, type Pipelines } from "./pipelines";
import { withOverrides } from "./policies";
import { tagEverything } from "./tags";
import { listOf } from "./warehouse-checks";

/** What scores: the models that are uploaded, and which of them each profile starts with. */
export interface PlatformModels {
  readonly shipped: readonly ShippedModel[];
  readonly initial: StackModels;
}

export interface Platform {
  readonly models: ModelStore;
  readonly api: ScoringApi;
  readonly stream: StreamProcessor;
  readonly warehouse: RiskWarehouse | undefined;
  readonly pipelines: Pipelines | undefined;
  readonly bus: ScoreBus;
  readonly alarmTopic: NotificationTopic;
}

const WAREHOUSE = "warehouse";
/** Days that access logs stay: long enough to look back after an incident. */
const ACCESS_LOG_DAYS = 90;

export function createPlatform(
  config: StackConfig,
  { shipped, initial }: PlatformModels,
  root: string = process.cwd(),
): Platform {
  const naming = namingOf(config);
  tagEverything(naming);
  const bundles = buildFunctions(root);
  const { deletionProtection } = config;
  const key = new EncryptionKey("platform", { description: `Risk platform, ${config.environment}`, deletionProtection });
  const alarmTopic = new NotificationTopic("alarms", {
    key,
    displayName: `Risk platform ${config.environment}`,
    email: config.notificationEmail,
    publishers: ["cloudwatch.amazonaws.com"],
  });
  const context: PlatformContext = {
    key,
    logRetentionDays: Number(config.logRetentionDays),
    tracing: config.tracing,
    pointInTimeRecovery: config.pointInTimeRecovery,
    deletionProtection,
    alarmTopicArn: alarmTopic.arn,
    accessLogBucket: accessLogBucket("access-logs", {
      retentionDays: ACCESS_LOG_DAYS,
      deletionProtection,
    }),
  };
  const tokenSecret = new GeneratedSecret("token-key", {
    key,
    description: "Key of the tokens that stand for personal fields",
    recoveryWindowDays: 30,
    deletionProtection,
  });
  const bus = new ScoreBus("scores", { key, alarmTopicArn: alarmTopic.arn });
  const models: Models = { store: new ModelStore("models", { context, shipped }), initial };
  const warehouse = config["warehouse.enabled"] ? createWarehouse(config, context, naming, bundles, root) : undefined;
  const stream = createStream(config, context, naming, bundles, { tokenSecret, bus, warehouse, models });
  const gatewayLogging = config["api.manageAccountLogging"] ? [allowGatewayLogs()] : [];
  const api = createApi(config, context, naming, bundles, { tokenSecret, bus, stream, gatewayLogging, models });
  const pipelines = config["pipelines.enabled"]
    ? createPipelines(
        config,
        {
          context,
          naming,
          bundles,
          models: models.store,
          modelsParameters: { ...api.modelsParameterNames, [STREAM]: stream.modelsParameterName },
          metricNamespaces: {
            ...Object.fromEntries(Object.keys(api.modelsParameterNames).map((profile) => [profile, SCORING_METRICS])),
            [STREAM]: STREAM_METRICS,
          },
          warehouse,
        },
        root,
      )
    : undefined;
  return { models: models.store, api, stream, warehouse, pipelines, bus, alarmTopic };
}

interface Models {
  readonly store: ModelStore;
  readonly initial: StackModels;
}

const modelsOf = ({ store, initial }: Models, profile: keyof StackModels) => ({ store, initial: initial[profile] });

function createWarehouse(
  config: StackConfig,
  context: PlatformContext,
  naming: Naming,
  bundles: FunctionBundles,
  root: string,
): RiskWarehouse {
  return new RiskWarehouse(WAREHOUSE, {
    context,
    naming,
    region: config.region,
    sourceBuckets: [dataBucketOf(config)],
    ...(config["pipelines.enabled"] ? { exchangeBucket: pipelineBucketOf(config) } : {}),
    bundles: { loader: bundleOf(bundles, "warehouse-loader"), migrator: bundleOf(bundles, "warehouse-migrator") },
    migrationsHash: hashFolder(join(root, "sql", "migrations")),
    databaseName: config["warehouse.databaseName"],
    adminUsername: config["warehouse.adminUsername"],
    baseCapacityRpu: config["warehouse.baseCapacityRpu"],
    maxCapacityRpu: config["warehouse.maxCapacityRpu"],
    // The setting's pattern is stricter than the type.
    loadSchedule: config["warehouse.loadSchedule"] as `rate(${string})`,
    freshnessAlarmMinutes: config["warehouse.freshnessAlarmMinutes"],
    usageLimit: { rpuHoursPerDay: config["warehouse.dailyRpuHours"], action: config["warehouse.usageLimitAction"] },
    vpcCidr: config["warehouse.vpcCidr"],
    availabilityZones: listOf(config["warehouse.availabilityZones"]),
    clients: {
      cidrs: listOf(config["warehouse.clientCidrs"]),
      securityGroupIds: listOf(config["warehouse.clientSecurityGroupIds"]),
    },
    reserveConcurrency: config.reserveConcurrency,
  });
}

function createStream(
  config: StackConfig,
  context: PlatformContext,
  naming: Naming,
  bundles: FunctionBundles,
  parts: {
    readonly tokenSecret: GeneratedSecret;
    readonly bus: ScoreBus;
    readonly warehouse: RiskWarehouse | undefined;
    readonly models: Models;
  },
): StreamProcessor {
  const database = `redshift-data://${config.region}/${warehouseName(WAREHOUSE, naming)}/${config["warehouse.databaseName"]}`;
  return new StreamProcessor(STREAM, {
    context,
    naming,
    region: config.region,
    bucketPrefix: config.bucketPrefix,
    bundle: bundleOf(bundles, "stream-scoring"),
    trigger: {
      kind: "kinesis",
      retentionHours: config["fraud.retentionHours"],
      batchSize: config["fraud.batchSize"],
      batchWindowSeconds: config["fraud.batchWindowSeconds"],
      parallelization: config["fraud.parallelization"],
      maxRetries: config["fraud.maxRetries"],
      maxAgeSeconds: config["fraud.maxAgeSeconds"],
    },
    policy: withOverrides(PROFILES.fraud.defaultPolicy, config["fraud.policy"]),
    models: modelsOf(parts.models, "fraud"),
    tokenSecret: parts.tokenSecret,
    bus: parts.bus,
    memoryMb: config["fraud.memoryMb"],
    timeoutSeconds: config["fraud.timeoutSeconds"],
    policyTtlSeconds: config.policyTtlSeconds,
    ...(config.reserveConcurrency ? { reservedConcurrency: config["fraud.reservedConcurrency"] } : {}),
    capacity: streamCapacity(config),
    errorRateAlarmPercent: config["fraud.errorRateAlarmPercent"],
    maxEventAgeDays: config["fraud.maxEventAgeDays"],
    maxEventFutureMinutes: config["fraud.maxEventFutureMinutes"],
    resultTtlDays: config["fraud.resultTtlDays"],
    archiveExpiryDays: config["fraud.archiveExpiryDays"],
    quarantineExpiryDays: config["fraud.quarantineExpiryDays"],
    ...(config["fraud.highRiskAlerts"] ? { highRiskEmail: config.notificationEmail } : {}),
    connectionString: parts.warehouse ? database : "none",
    objectQueues: parts.warehouse?.objectQueues() ?? [],
  });
}

function streamCapacity(config: StackConfig): StreamCapacity {
  if (config["fraud.capacityMode"] === "onDemand") return { mode: "onDemand" };
  return {
    mode: "provisioned",
    shards: config["fraud.shards"],
    table: {
      readUnits: config["fraud.readCapacity"],
      maxReadUnits: config["fraud.readCapacityMax"],
      writeUnits: config["fraud.writeCapacity"],
      maxWriteUnits: config["fraud.writeCapacityMax"],
    },
  };
}

function createApi(
  config: StackConfig,
  context: PlatformContext,
  naming: Naming,
  bundles: FunctionBundles,
  parts: {
    readonly tokenSecret: GeneratedSecret;
    readonly bus: ScoreBus;
    readonly stream: StreamProcessor;
    readonly gatewayLogging: readonly pulumi.Resource[];
    readonly models: Models;
  },
): ScoringApi {
  const { lead, churn, device } = PROFILES;
  return new ScoringApi(
    "scoring",
    {
      context,
      naming,
      region: config.region,
      routes: [
        {
          path: "/score",
          profile: lead,
          policy: withOverrides(lead.defaultPolicy, config["lead.policy"]),
          models: modelsOf(parts.models, "lead"),
        },
        {
          path: "/predict",
          profile: churn,
          policy: withOverrides(churn.defaultPolicy, config["churn.policy"]),
          models: modelsOf(parts.models, "churn"),
        },
        {
          path: "/device",
          profile: device,
          policy: withOverrides(device.defaultPolicy, config["device.policy"]),
          models: modelsOf(parts.models, "device"),
        },
      ],
      bundles: {
        scoring: bundleOf(bundles, "rest-scoring"),
        archiver: bundleOf(bundles, "score-archiver"),
        feedback: bundleOf(bundles, "feedback"),
      },
      auth: apiAuth(config),
      bus: parts.bus,
      tokenSecret: parts.tokenSecret,
      archive: parts.stream.dataBucket,
      notificationEmail: config.notificationEmail,
      memoryMb: config["api.memoryMb"],
      timeoutSeconds: config["api.timeoutSeconds"],
      policyTtlSeconds: config.policyTtlSeconds,
      ...(config.reserveConcurrency && config["api.reservedConcurrency"] > 0
        ? { reservedConcurrency: config["api.reservedConcurrency"] }
        : {}),
      provisionedConcurrency: config["api.provisionedConcurrency"],
      errorRateAlarmPercent: config["api.errorRateAlarmPercent"],
      throttle: { rateLimit: config["api.throttleRate"], burstLimit: config["api.throttleBurst"] },
      quotaPerDay: config["api.quotaPerDay"],
      archiveWindowSeconds: config["api.archiveWindowSeconds"],
      cacheTtlSeconds: config["api.cacheTtlSeconds"],
      routeLogScore: config["lead.routeLogScore"],
      routeAlertScore: config["lead.routeAlertScore"],
      firewall: config["api.firewall"],
      demoJitter: config["lead.demoJitter"],
    },
    // API Gateway refuses a stage with logs while the account has no role for them.
    { dependsOn: [...parts.gatewayLogging] },
  );
}

function apiAuth(config: StackConfig): ApiAuth {
  const mode = config["api.auth"];
  if (mode === "cognito") return { mode, userPoolArns: [config["api.cognitoUserPoolArn"]] };
  return { mode };
}

/**
 * The role that API Gateway writes logs with: one setting of an account and region for all its stacks. Destroying the setting would reset
 * it, and destroying the role would leave it pointing at nothing, so both outlive the stack. A second stack that manages it too puts its
 * own role there, which serves as well. https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade
 */
function allowGatewayLogs(): GatewayAccount {
  const kept = { retainOnDelete: true };
  const role = serviceRole(
    "gateway-logs-role",
    { service: "apigateway.amazonaws.com", description: "API Gateway writes its logs" },
    kept,
  );
  const policy = grant(
    "gateway-logs-permissions",
    role,
    [
      {
        sid: "WriteLogs",
        // The list that API Gateway checks the role for; its log groups are of any stage, hence no narrower resource.
        actions: [
          "logs:CreateLogGroup",
          "logs:CreateLogStream",
          "logs:DescribeLogGroups",
          "logs:DescribeLogStreams",
          "logs:PutLogEvents",
          "logs:GetLogEvents",
          "logs:FilterLogEvents",
        ],
        resources: ["*"],
      },
    ],
    kept,
  );
  return new GatewayAccount("gateway-logs", { cloudwatchRoleArn: role.arn }, { ...kept, dependsOn: [policy] });
}

/** Changes when a file of the folder is added, removed, renamed or changed. */
function hashFolder(folder: string): string {
  const hash = createHash("sha256");
  for (const file of readdirSync(folder).sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(folder, file)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}
