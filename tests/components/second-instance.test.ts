import { describe, expect, it } from "vitest";
import type * as Account from "../../components/lib/access-log-bucket";
import type * as Key from "../../components/lib/encryption-key";
import type * as Models from "../../components/lib/model-store";
import type * as Secret from "../../components/lib/secret";
import type * as Topic from "../../components/lib/topic";
import type * as Warehouse from "../../components/risk-warehouse";
import type * as Bus from "../../components/score-bus";
import type * as Api from "../../components/scoring-api";
import type * as Stream from "../../components/stream-processor";
import { PROFILES } from "../../functions/profiles";
import type * as Bundles from "../../tools/bundle";
import { evaluate, load } from "../helpers/recorder";

// The compiled modules have the types of their sources.
const { ModelStore } = load("components/lib/model-store") as typeof Models;
const { EncryptionKey } = load("components/lib/encryption-key") as typeof Key;
const { accessLogBucket } = load("components/lib/access-log-bucket") as typeof Account;
const { GeneratedSecret } = load("components/lib/secret") as typeof Secret;
const { NotificationTopic } = load("components/lib/topic") as typeof Topic;
const { RiskWarehouse } = load("components/risk-warehouse") as typeof Warehouse;
const { ScoreBus } = load("components/score-bus") as typeof Bus;
const { ScoringApi } = load("components/scoring-api") as typeof Api;
const { StreamProcessor } = load("components/stream-processor") as typeof Stream;
const { buildFunctions } = load("tools/bundle") as typeof Bundles;

const naming = { environment: "test", suffix: "t1" };
const region = "us-east-1";
const bundle = (entry: string): string => buildFunctions()[entry] ?? "";

/** Every component twice in one stack, with equal arguments. */
function twoOfEach(): Record<string, unknown> {
  const key = new EncryptionKey("shared", { description: "test" });
  const publishers = ["cloudwatch.amazonaws.com"] as const;
  const topic = new NotificationTopic("alarms", { key, displayName: "test", email: "a@example.com", publishers });
  const context = {
    key,
    logRetentionDays: 7,
    tracing: true,
    pointInTimeRecovery: true,
    deletionProtection: false,
    alarmTopicArn: topic.arn,
    accessLogBucket: accessLogBucket("logs", { retentionDays: 1, deletionProtection: false }),
  };
  const tokenSecret = new GeneratedSecret("token", { key, description: "test", recoveryWindowDays: 7 });
  for (const n of ["one", "two"]) {
    const store = new ModelStore(`models-${n}`, {
      context,
      shipped: [{ profile: "lead", name: "lead-trees-1", file: "package.json", sha256: "ab" }],
    });
    const models = { store, initial: { chain: [{ kind: "rules-only" }] } } as const;
    const bus = new ScoreBus(`bus-${n}`, { key, alarmTopicArn: topic.arn });
    const stream = new StreamProcessor(`stream-${n}`, {
      context,
      naming,
      region,
      bucketPrefix: "acme",
      bundle: bundle("stream-scoring"),
      trigger: {
        kind: "kinesis",
        capacity: { mode: "onDemand" },
        retentionHours: 24,
        batchSize: 100,
        batchWindowSeconds: 0,
        parallelization: 1,
        maxRetries: 1,
        maxAgeSeconds: 60,
      },
      policy: PROFILES.fraud.defaultPolicy,
      models,
      tokenSecret,
      bus,
      memoryMb: 512,
      timeoutSeconds: 30,
      capacity: { readUnits: 1, maxReadUnits: 2, writeUnits: 1, maxWriteUnits: 2 },
      errorRateAlarmPercent: 5,
      maxEventAgeDays: 7300,
      maxEventFutureMinutes: 60,
      resultTtlDays: 1,
      archiveExpiryDays: 100,
      quarantineExpiryDays: 1,
      highRiskAlerts: true,
      connectionString: "none",
      // An invariant that a transform may not weaken, and a setting that it may change.
      transform: { stream: () => ({ encryptionType: "NONE", retentionPeriod: 48 }) },
    });
    new ScoringApi(`api-${n}`, {
      context,
      naming,
      region,
      routes: [{ path: "/score", profile: PROFILES.lead, policy: PROFILES.lead.defaultPolicy, models }],
      bundles: { scoring: bundle("rest-scoring"), archiver: bundle("score-archiver") },
      auth: { mode: "iam" },
      bus,
      tokenSecret,
      archive: stream.dataBucket,
      notificationEmail: "a@example.com",
      memoryMb: 1024,
      timeoutSeconds: 30,
      provisionedConcurrency: 0,
      errorRateAlarmPercent: 5,
      throttle: { rateLimit: 1, burstLimit: 1 },
      quotaPerDay: 1,
      cacheTtlSeconds: 1,
      archiveWindowSeconds: 0,
      routeLogScore: 80,
      routeAlertScore: 95,
      firewall: true,
      demoJitter: false,
    });
    new RiskWarehouse(`warehouse-${n}`, {
      context,
      naming,
      region,
      sourceBuckets: ["acme-bucket"],
      bundles: { loader: bundle("warehouse-loader"), migrator: bundle("warehouse-migrator") },
      migrationsHash: "0",
      databaseName: "risk",
      adminUsername: "risk_owner",
      baseCapacityRpu: 8,
      maxCapacityRpu: 16,
      loadSchedule: "rate(5 minutes)",
      freshnessAlarmMinutes: 10,
      vpcCidr: "10.0.0.0/16",
      reserveConcurrency: false,
    });
  }
  return {};
}

/** Inputs that are physical names, by type. */
const PHYSICAL = ["name", "bucket", "dashboardName", "policyName", "namespaceName", "workgroupName"];
/** Names that are unique within their API or role only, or that refer to another resource. */
const LOCAL = /^aws:(apigateway\/model|s3\/bucket[A-Z])/;

describe("a second instance of every component", () => {
  it("collides with the first in no URN and no physical name", async () => {
    const graph = await evaluate("test", { "aws:region": region }, twoOfEach);
    const seen = new Set<string>();
    for (const { type, inputs, urn } of graph.resources.filter((resource) => resource.custom && !LOCAL.test(resource.type))) {
      for (const field of PHYSICAL) {
        if (typeof inputs[field] !== "string") continue;
        const physical = `${type} ${field}=${inputs[field]}`;
        expect(seen.has(physical), `${urn}: ${physical}`).toBe(false);
        seen.add(physical);
      }
    }
    expect(new Set(graph.resources.map(({ urn }) => urn)).size).toBe(graph.resources.length);
    for (const name of ["api-one-archive-source", "api-two-archive-source"]) {
      expect(graph.find("aws:lambda/eventSourceMapping:EventSourceMapping", name).inputs).toMatchObject({
        batchSize: 10,
        maximumBatchingWindowInSeconds: 0,
      });
    }
    for (const stream of graph.ofType("aws:kinesis/stream:Stream")) {
      expect(stream.inputs).toMatchObject({ encryptionType: "KMS", retentionPeriod: 48 });
    }
  });
});
