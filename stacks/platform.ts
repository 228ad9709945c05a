/** The platform of one stack: what is shared, and the components on top of it. */
import type * as pulumi from "@pulumi/pulumi";
import { DataCatalog } from "../components/data-catalog";
import { RiskWarehouse, warehouseName } from "../components/risk-warehouse";
import { type ApiAuth, ScoringApi, type ScoringRoute } from "../components/scoring-api";
import { accessLogBucket } from "../components/shared/access-log-bucket";
import { ACCESS_LOG_DAYS, type PlatformContext } from "../components/shared/context";
import { EncryptionKey } from "../components/shared/encryption-key";
import type { ShippedModel } from "../components/shared/model-artifact";
import { ModelStore } from "../components/shared/model-store";
import { RawRecords } from "../components/shared/raw-records";
import { ScoreBus } from "../components/shared/score-bus";
import { type GeneratedSecret, tokenKey } from "../components/shared/secret";
import { NotificationTopic } from "../components/shared/topic";
import { type StreamCapacity, StreamProcessor } from "../components/stream-processor";
import { PROFILES } from "../functions/scoring/profiles";
import { allowGatewayLogs } from "./gateway-logs";
import type { StackModels } from "./models";
import { dataBucketOf, namingOf, pipelineBucketOf, STREAM } from "./naming-checks";
import { createPipelines, type Pipelines } from "./pipelines";
import { allowRedrive, type RedriveOutput } from "./redrive";
import type { StackConfig } from "./stack-config";
import { tagEverything } from "./tags";
import { hasTrigger, streamTriggers } from "./triggers";
import { listOf } from "./warehouse-checks";

/** The models that are uploaded, and which of them each profile starts with. */
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
  readonly catalog: DataCatalog | undefined;
  readonly bus: ScoreBus;
  readonly alarmTopic: NotificationTopic;
  readonly redrive: pulumi.Output<RedriveOutput>;
}

const WAREHOUSE = "warehouse";
const CATALOG = "catalog";

export function createPlatform(config: StackConfig, { shipped, initial }: PlatformModels): Platform {
  tagEverything(namingOf(config));
  const { context, alarmTopic } = createShared(config);
  const { key, alarmTopicArn } = context;
  const tokenSecret = tokenKey("token-key", context);
  const bus = new ScoreBus("scores", { key, alarmTopicArn });
  const models: Models = { store: new ModelStore("models", { context, shipped }), initial };
  const raw = new RawRecords("raw", { context, retentionDays: config.rawRecordDays });
  const warehouse = config["warehouse.enabled"] ? createWarehouse(config, context) : undefined;
  const stream = createStream(config, context, { tokenSecret, bus, raw, warehouse, models });
  const gatewayLogging = config["api.manageAccountLogging"] ? [allowGatewayLogs()] : [];
  const api = createApi(config, context, { tokenSecret, bus, raw, stream, gatewayLogging, models });
  const pipelines = config["pipelines.enabled"]
    ? createPipelines(config, { context, served: [...api.served, stream.served], warehouse })
    : undefined;
  const catalog = config["catalog.enabled"] ? createCatalog(config, context, stream, pipelines) : undefined;
  const deadLetters = [bus.deadLetters(), ...(warehouse?.deadLetters() ?? []), ...(pipelines?.deadLetters ?? [])];
  const redrive = allowRedrive({ raw, stream, api, deadLetters });
  return { models: models.store, api, stream, warehouse, pipelines, catalog, bus, alarmTopic, redrive };
}

/** What all components of the stack use. */
function createShared(config: StackConfig): { readonly context: PlatformContext; readonly alarmTopic: NotificationTopic } {
  const { environment, deletionProtection } = config;
  const key = new EncryptionKey("platform", { description: `Risk platform, ${environment}`, deletionProtection });
  const alarmTopic = new NotificationTopic("alarms", {
    key,
    displayName: `Risk platform ${environment}`,
    email: config.notificationEmail,
    publishers: ["cloudwatch.amazonaws.com"],
  });
  const context: PlatformContext = {
    naming: namingOf(config),
    key,
    logRetentionDays: Number(config.logRetentionDays),
    tracing: config.tracing,
    reserveConcurrency: config.reserveConcurrency,
    pointInTimeRecovery: config.pointInTimeRecovery,
    deletionProtection,
    alarmTopicArn: alarmTopic.arn,
    accessLogBucket: accessLogBucket("access-logs", { retentionDays: ACCESS_LOG_DAYS, deletionProtection }),
  };
  return { context, alarmTopic };
}

interface Models {
  readonly store: ModelStore;
  readonly initial: StackModels;
}

const modelsOf = ({ store, initial }: Models, profile: keyof StackModels) => ({ store, initial: initial[profile] });

function createWarehouse(config: StackConfig, context: PlatformContext): RiskWarehouse {
  return new RiskWarehouse(WAREHOUSE, {
    context,
    sourceBuckets: [dataBucketOf(config)],
    ...(config["pipelines.enabled"] ? { exchangeBucket: pipelineBucketOf(config) } : {}),
    database: { name: config["warehouse.databaseName"], adminUsername: config["warehouse.adminUsername"] },
    capacity: { baseRpu: config["warehouse.baseCapacityRpu"], maxRpu: config["warehouse.maxCapacityRpu"] },
    usageLimit: { rpuHoursPerDay: config["warehouse.dailyRpuHours"], action: config["warehouse.usageLimitAction"] },
    loading: {
      // The setting's pattern is stricter than the type.
      schedule: config["warehouse.loadSchedule"] as `rate(${string})`,
      freshnessAlarmMinutes: config["warehouse.freshnessAlarmMinutes"],
    },
    network: {
      vpcCidr: config["warehouse.vpcCidr"],
      availabilityZones: listOf(config["warehouse.availabilityZones"]),
      clientCidrs: listOf(config["warehouse.clientCidrs"]),
      clientSecurityGroupIds: listOf(config["warehouse.clientSecurityGroupIds"]),
    },
  });
}

function createCatalog(
  config: StackConfig,
  context: PlatformContext,
  stream: StreamProcessor,
  pipelines: Pipelines | undefined,
): DataCatalog {
  return new DataCatalog(CATALOG, {
    bucket: stream.dataBucket,
    profiles: Object.values(PROFILES),
    retention: { archiveDays: config["fraud.archiveExpiryDays"], quarantineDays: config["fraud.quarantineExpiryDays"] },
    ...(pipelines
      ? {
          batch: {
            bucket: pipelines.store.bucket,
            datasets: pipelines.datasets,
            retentionDays: config["pipelines.inferenceDataDays"],
          },
        }
      : {}),
    scanLimitMb: config["catalog.scanLimitMb"],
    resultDays: config["catalog.resultDays"],
    context,
  });
}

function createStream(
  config: StackConfig,
  context: PlatformContext,
  parts: {
    readonly tokenSecret: GeneratedSecret;
    readonly bus: ScoreBus;
    readonly raw: RawRecords;
    readonly warehouse: RiskWarehouse | undefined;
    readonly models: Models;
  },
): StreamProcessor {
  const database = `redshift-data://${config.region}/${warehouseName(WAREHOUSE, context.naming)}/${config["warehouse.databaseName"]}`;
  return new StreamProcessor(STREAM, {
    profile: PROFILES.fraud,
    policy: config["fraud.policy"],
    rates: config["fraud.rates"],
    rateMaxAgeDays: config["fraud.rateMaxAgeDays"],
    models: modelsOf(parts.models, "fraud"),
    context,
    bus: parts.bus,
    tokenSecret: parts.tokenSecret,
    raw: parts.raw,
    triggers: streamTriggers(config),
    queue: {
      batchSize: config["fraud.batchSize"],
      batchWindowSeconds: config["fraud.batchWindowSeconds"],
      maxConcurrency: config["fraud.queueConcurrency"],
      maxAgeSeconds: config["fraud.maxAgeSeconds"],
    },
    capacity: streamCapacity(config),
    function: {
      memoryMb: config["fraud.memoryMb"],
      timeoutSeconds: config["fraud.timeoutSeconds"],
      reservedConcurrency: config["fraud.reservedConcurrency"],
      policyTtlSeconds: config.policyTtlSeconds,
      errorRateAlarmPercent: config["fraud.errorRateAlarmPercent"],
    },
    eventTime: { maxAgeDays: config["fraud.maxEventAgeDays"], maxFutureMinutes: config["fraud.maxEventFutureMinutes"] },
    retention: {
      resultDays: config["fraud.resultTtlDays"],
      archiveDays: config["fraud.archiveExpiryDays"],
      quarantineDays: config["fraud.quarantineExpiryDays"],
    },
    dataBucketName: dataBucketOf(config),
    ...(config["fraud.highRiskAlerts"] ? { highRiskEmail: config.notificationEmail } : {}),
    ...(parts.warehouse ? { connectionString: database, objectQueues: parts.warehouse.objectQueues() } : {}),
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
  parts: {
    readonly tokenSecret: GeneratedSecret;
    readonly bus: ScoreBus;
    readonly raw: RawRecords;
    readonly stream: StreamProcessor;
    readonly gatewayLogging: readonly pulumi.Resource[];
    readonly models: Models;
  },
): ScoringApi {
  return new ScoringApi(
    "scoring",
    {
      profiles: [
        routeOf(config, parts.models, "lead", "/score"),
        routeOf(config, parts.models, "churn", "/predict"),
        routeOf(config, parts.models, "device", "/device"),
      ],
      context,
      auth: apiAuth(config),
      bus: parts.bus,
      tokenSecret: parts.tokenSecret,
      archive: { bucket: parts.stream.dataBucket, raw: parts.raw, windowSeconds: config["api.archiveWindowSeconds"] },
      function: {
        memoryMb: config["api.memoryMb"],
        timeoutSeconds: config["api.timeoutSeconds"],
        ...(config["api.reservedConcurrency"] > 0 ? { reservedConcurrency: config["api.reservedConcurrency"] } : {}),
        provisionedConcurrency: config["api.provisionedConcurrency"],
        policyTtlSeconds: config.policyTtlSeconds,
        errorRateAlarmPercent: config["api.errorRateAlarmPercent"],
      },
      limits: {
        perSecond: config["api.throttleRate"],
        burst: config["api.throttleBurst"],
        perDay: config["api.quotaPerDay"],
      },
      cacheTtlSeconds: config["api.cacheTtlSeconds"],
      highScores: {
        logAbove: config["lead.routeLogScore"],
        alertAbove: config["lead.routeAlertScore"],
        email: config.notificationEmail,
      },
      firewall: config["api.firewall"],
      demoJitter: config["lead.demoJitter"],
      ...(hasTrigger(config, "rest") ? { events: parts.stream.intake() } : {}),
    },
    // API Gateway rejects a stage with logs while the account has no role for them.
    { dependsOn: [...parts.gatewayLogging] },
  );
}

function routeOf(config: StackConfig, models: Models, id: "lead" | "churn" | "device", path: string): ScoringRoute {
  const profile = PROFILES[id];
  return {
    profile,
    path,
    policy: config[`${id}.policy`],
    models: modelsOf(models, id),
  };
}

function apiAuth(config: StackConfig): ApiAuth {
  const mode = config["api.auth"];
  if (mode === "cognito") return { mode, userPoolArns: [config["api.cognitoUserPoolArn"]] };
  return { mode };
}
