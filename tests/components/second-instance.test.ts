import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type * as Inference from "../../components/inference-pipeline";
import type * as Warehouse from "../../components/risk-warehouse";
import type * as Api from "../../components/scoring-api";
import type * as Account from "../../components/shared/access-log-bucket";
import type * as Key from "../../components/shared/encryption-key";
import type * as Models from "../../components/shared/model-store";
import type * as Store from "../../components/shared/pipeline-store";
import type * as Bus from "../../components/shared/score-bus";
import type * as Secret from "../../components/shared/secret";
import type * as Topic from "../../components/shared/topic";
import type * as Stream from "../../components/stream-processor";
import type * as Training from "../../components/training-pipeline";
import type { DatasetDocument } from "../../functions/pipeline/dataset";
import { PROFILES } from "../../functions/profiles";
import { datasets } from "../../stacks/datasets";
import type * as Bundles from "../../tools/bundle";
import { evaluate, load } from "../helpers/recorder";

// The compiled modules have the types of their sources.
const { ModelStore } = load("components/shared/model-store") as typeof Models;
const { EncryptionKey } = load("components/shared/encryption-key") as typeof Key;
const { accessLogBucket } = load("components/shared/access-log-bucket") as typeof Account;
const { GeneratedSecret } = load("components/shared/secret") as typeof Secret;
const { NotificationTopic } = load("components/shared/topic") as typeof Topic;
const { PipelineStore } = load("components/shared/pipeline-store") as typeof Store;
const { TrainingPipeline } = load("components/training-pipeline") as typeof Training;
const { InferencePipeline } = load("components/inference-pipeline") as typeof Inference;
const { RiskWarehouse } = load("components/risk-warehouse") as typeof Warehouse;
const { ScoreBus } = load("components/shared/score-bus") as typeof Bus;
const { ScoringApi } = load("components/scoring-api") as typeof Api;
const { StreamProcessor } = load("components/stream-processor") as typeof Stream;
const { buildFunctions } = load("tools/bundle") as typeof Bundles;

const naming = { environment: "test", suffix: "t1" };
const region = "us-east-1";
const bundle = (entry: string): string => buildFunctions()[entry] ?? "";

/** A store and both pipelines, named after `n`. */
function createPipelines(n: string, shared: Pick<Training.TrainingPipelineArgs, "context" | "modelStore">): void {
  const dataset: DatasetDocument = datasets({ fraudMaturityDays: 0, device: null }).churn;
  const { context } = shared;
  const store = new PipelineStore(`pipelines-${n}`, {
    context,
    naming,
    region,
    bucketPrefix: "acme",
    glueSources: [],
    sagemakerSources: { id: "sources", key: "code/sagemaker/sourcedir-1.tar.gz", file: "package.json" },
    documents: [],
    trainingDataDays: 30,
    inferenceDataDays: 30,
  });
  const common = {
    context,
    naming,
    region,
    store,
    datasets: [dataset],
    models: { churn: pulumi.output("/churn/models") },
    warehouse: undefined,
    schedule: "cron(0 3 * * ? *)",
    scheduleEnabled: true,
    glue: { workerType: "G.1X", workers: 2, timeoutMinutes: 5 },
    lateMinutes: 5,
    reserveConcurrency: false,
  } as const;
  new TrainingPipeline(`training-${n}`, {
    ...common,
    modelStore: shared.modelStore,
    bundles: {
      plan: bundle("pipeline-plan"),
      qualityGate: bundle("data-quality-gate"),
      evaluationGate: bundle("evaluation-gate"),
      promotion: bundle("model-promotion"),
    },
    training: { instanceType: "ml.m5.large", volumeGb: 1, maxRuntimeMinutes: 5, spot: { enabled: false } },
    servingInstanceType: "ml.m5.large",
    canary: { percent: 0, minutes: 0 },
    metricNamespaces: {},
    // An invariant that a transform may not weaken, and a setting that it may change.
    transform: { extractJob: () => ({ securityConfiguration: "none", timeout: 7 }) },
  });
  new InferencePipeline(`inference-${n}`, {
    ...common,
    bundles: { plan: bundle("pipeline-plan"), batchGate: bundle("batch-gate") },
    transformJob: { instanceType: "ml.m5.large", instanceCount: 1, timeoutMinutes: 5 },
    maxBackfillDays: 1,
    mapConcurrency: 1,
    transform: { machine: () => ({ type: "EXPRESS", name: `own-${n}` }) },
  });
}

/** Every component twice in one stack, with equal arguments. */
function twoOfEach(): Record<string, unknown> {
  const key = new EncryptionKey("shared", { description: "test", deletionProtection: false });
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
  const tokenSecret = new GeneratedSecret("token", {
    key,
    description: "test",
    recoveryWindowDays: 7,
    deletionProtection: false,
  });
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
      capacity: { mode: "onDemand" },
      policyTtlSeconds: 60,
      errorRateAlarmPercent: 5,
      maxEventAgeDays: 7300,
      maxEventFutureMinutes: 60,
      resultTtlDays: 1,
      archiveExpiryDays: 100,
      quarantineExpiryDays: 1,
      highRiskEmail: "a@example.com",
      connectionString: "none",
      // An invariant that a transform may not weaken, and a setting that it may change.
      transform: { stream: () => ({ encryptionType: "NONE", retentionPeriod: 48 }) },
    });
    new ScoringApi(`api-${n}`, {
      context,
      naming,
      region,
      routes: [{ path: "/score", profile: PROFILES.lead, policy: PROFILES.lead.defaultPolicy, models }],
      bundles: { scoring: bundle("rest-scoring"), archiver: bundle("score-archiver"), feedback: bundle("feedback") },
      auth: { mode: "iam" },
      bus,
      tokenSecret,
      archive: stream.dataBucket,
      notificationEmail: "a@example.com",
      memoryMb: 1024,
      timeoutSeconds: 30,
      policyTtlSeconds: 60,
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
      usageLimit: { rpuHoursPerDay: 100, action: "deactivate" },
      vpcCidr: "10.0.0.0/16",
      availabilityZones: [],
      clients: { cidrs: [], securityGroupIds: [] },
      reserveConcurrency: false,
    });
    createPipelines(n, { context, modelStore: store });
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
    for (const n of ["one", "two"]) {
      expect(graph.find("aws:glue/job:Job", `training-${n}-extract-job`).inputs).toMatchObject({
        securityConfiguration: `pipelines-${n}-security-0001`,
        timeout: 7,
      });
      expect(graph.find("aws:sfn/stateMachine:StateMachine", `inference-${n}-steps-machine`).inputs).toMatchObject({
        type: "STANDARD",
        name: `own-${n}`,
      });
    }
    for (const stream of graph.ofType("aws:kinesis/stream:Stream")) {
      expect(stream.inputs).toMatchObject({ encryptionType: "KMS", retentionPeriod: 48 });
    }
  });
});
