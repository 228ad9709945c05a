import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type * as Inference from "../../components/inference-pipeline";
import type * as Warehouse from "../../components/risk-warehouse";
import type * as Api from "../../components/scoring-api";
import type * as Account from "../../components/shared/access-log-bucket";
import type { PlatformContext } from "../../components/shared/context";
import type * as Key from "../../components/shared/encryption-key";
import type * as Models from "../../components/shared/model-store";
import type * as Store from "../../components/shared/pipeline-store";
import type * as Bus from "../../components/shared/score-bus";
import type * as Secret from "../../components/shared/secret";
import type * as Topic from "../../components/shared/topic";
import type * as Stream from "../../components/stream-processor";
import type * as Training from "../../components/training-pipeline";
import type { DatasetDocument } from "../../functions/gates/dataset";
import { PROFILES } from "../../functions/scoring/profiles";
import { datasets } from "../../stacks/datasets";
import { evaluate, load } from "../helpers/recorder";

// The compiled modules have the types of their sources.
const { ModelStore } = load("components/shared/model-store") as typeof Models;
const { EncryptionKey } = load("components/shared/encryption-key") as typeof Key;
const { accessLogBucket } = load("components/shared/access-log-bucket") as typeof Account;
const { tokenKey } = load("components/shared/secret") as typeof Secret;
const { NotificationTopic } = load("components/shared/topic") as typeof Topic;
const { PipelineStore } = load("components/shared/pipeline-store") as typeof Store;
const { TrainingPipeline } = load("components/training-pipeline") as typeof Training;
const { InferencePipeline } = load("components/inference-pipeline") as typeof Inference;
const { RiskWarehouse } = load("components/risk-warehouse") as typeof Warehouse;
const { ScoreBus } = load("components/shared/score-bus") as typeof Bus;
const { ScoringApi } = load("components/scoring-api") as typeof Api;
const { StreamProcessor } = load("components/stream-processor") as typeof Stream;

/** A store and both pipelines, named after `n`. */
function createPipelines(n: string, context: PlatformContext, modelStore: Models.ModelStore): void {
  const dataset: DatasetDocument = datasets({ fraudMaturityDays: 0, device: null }).device;
  const store = new PipelineStore(`pipelines-${n}`, { context, datasets: [dataset] });
  const served = [
    { profile: "device", modelsParameter: pulumi.output("/device/models"), modelStore, metricNamespace: "Scoring" },
  ];
  const common = { context, store, datasets: [dataset], served };
  new TrainingPipeline(`training-${n}`, {
    ...common,
    // An invariant that a transform may not weaken, and a setting that it may change.
    transform: { extractJob: () => ({ securityConfiguration: "none", timeout: 7 }) },
  });
  new InferencePipeline(`inference-${n}`, {
    ...common,
    transform: { machine: () => ({ type: "EXPRESS", name: `own-${n}` }) },
  });
}

/** Every component twice in one stack, with equal arguments. */
function twoOfEach(): Record<string, unknown> {
  const key = new EncryptionKey("shared", { description: "test", deletionProtection: false });
  const publishers = ["cloudwatch.amazonaws.com"] as const;
  const topic = new NotificationTopic("alarms", { key, displayName: "test", email: "a@example.com", publishers });
  const context: PlatformContext = {
    naming: { environment: "test", suffix: "t1" },
    key,
    logRetentionDays: 7,
    tracing: true,
    reserveConcurrency: false,
    pointInTimeRecovery: true,
    deletionProtection: false,
    alarmTopicArn: topic.arn,
    accessLogBucket: accessLogBucket("logs", { retentionDays: 1, deletionProtection: false }),
  };
  const tokenSecret = tokenKey("token", context);
  for (const n of ["one", "two"]) {
    const store = new ModelStore(`models-${n}`, {
      context,
      shipped: [{ profile: "lead", name: "lead-trees-1", file: "package.json", sha256: "ab" }],
    });
    const models = { store, initial: { chain: [{ kind: "rules-only" }] } } as const;
    const bus = new ScoreBus(`bus-${n}`, { key, alarmTopicArn: topic.arn });
    const stream = new StreamProcessor(`stream-${n}`, {
      profile: PROFILES.fraud,
      models,
      context,
      tokenSecret,
      bus,
      highRiskEmail: "a@example.com",
      // An invariant that a transform may not weaken, and a setting that it may change.
      transform: { stream: () => ({ encryptionType: "NONE", retentionPeriod: 48 }) },
    });
    new ScoringApi(`api-${n}`, {
      profiles: [{ profile: PROFILES.lead, models }],
      context,
      auth: { mode: "iam" },
      bus,
      tokenSecret,
      archive: { bucket: stream.dataBucket, windowSeconds: 0 },
    });
    new RiskWarehouse(`warehouse-${n}`, { context, sourceBuckets: ["acme-bucket"] });
    createPipelines(n, context, store);
  }
  return {};
}

/** Inputs that are physical names, by type. */
const PHYSICAL = ["name", "bucket", "dashboardName", "policyName", "namespaceName", "workgroupName"];
/** Names that are unique within their API or role only, or that refer to another resource. */
const LOCAL = /^aws:(apigateway\/model|s3\/bucket[A-Z])/;

describe("a second instance of every component", () => {
  it("shares no URN and no physical name with the first", async () => {
    const graph = await evaluate("test", { "aws:region": "us-east-1" }, twoOfEach);
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
  }, 60_000);
});
