/** Both pipelines on a running platform: from history to a champion, and from a day's records to scores in the warehouse. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { StartExecutionCommand } from "@aws-sdk/client-sfn";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { loadTrees, type TreeEvaluator } from "@risk/tree-kernel";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { query } from "../../cli/demo/tally";
import { fill } from "../../cli/pipelines/fill";
import { follow, type Outcome } from "../../cli/pipelines/follow";
import { approve as approveModel, registeredModel, registeredModels } from "../../cli/pipelines/registry";
import { uploadSource } from "../../cli/pipelines/source-file";
import { connectPipelines, type PipelineName, type PipelineTarget } from "../../cli/pipelines/target";
import { deviceLines } from "../../cli/training/device-world";
import { history } from "../../cli/training/history";
import type { ModelsDocument, TreesRef } from "../../functions/scoring/models/document";
import { encoder } from "../../functions/scoring/models/feature-encoder";
import { featureSpecIn } from "../../functions/scoring/models/tree-image";
import { connection, startWorld, transactions, until, type World } from "./support";

const DAY_MS = 86_400_000;
/** Python starts Spark for every extract and load. */
const PIPELINE_MS = 240_000;

let world: World;
let target: PipelineTarget;
let ssm: SSMClient;
const end = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const yesterday = new Date(end - DAY_MS).toISOString().slice(0, 10);

beforeAll(async () => {
  world = await startWorld();
  const { endpoint, credentials, region } = connection(world);
  target = connectPipelines({ ...world.platform.outputs, region }, "outputs", { endpoint, credentials });
  ssm = new SSMClient({ endpoint, credentials, region });
}, 90_000);
afterAll(async () => {
  target?.close();
  ssm?.destroy();
  await world?.stop();
});

async function run(pipeline: PipelineName, input: Readonly<Record<string, unknown>>): Promise<Outcome> {
  const { executionArn = "" } = await target.sfn.send(
    new StartExecutionCommand({ stateMachineArn: target.machines[pipeline], input: JSON.stringify(input) }),
  );
  return ended(executionArn);
}

const ended = (executionArn: string): Promise<Outcome> =>
  follow(target.sfn, executionArn, { print: () => undefined, pollMs: 50, pause });

/** As `npm run model -- approve` does. */
async function approve(modelName: string): Promise<Outcome> {
  const execution = await approveModel(target, await registeredModel(target, modelName), "a test", pause);
  expect(execution).toBeDefined();
  return ended(execution ?? "");
}

async function modelsOf(profile: string): Promise<{ readonly document: ModelsDocument; readonly version: number }> {
  const names = world.platform.outputs.modelsParameters as Readonly<Record<string, string>>;
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: names[profile] ?? "" }));
  return { document: JSON.parse(Parameter?.Value ?? "{}") as ModelsDocument, version: Parameter?.Version ?? 0 };
}

interface Trained {
  readonly modelName: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly championMetrics: Readonly<Record<string, number>>;
}

const trained = ({ output }: Outcome) => output as Trained;

const succeeded = (outcome: Outcome): Outcome => {
  expect(`${outcome.status} ${outcome.error ?? ""} ${outcome.cause ?? ""}`).toBe("SUCCEEDED  ");
  return outcome;
};

/** The champion's image, as the functions load it. */
async function liveModel(profile: string): Promise<TreeEvaluator> {
  const { document } = await modelsOf(profile);
  const { key } = document.chain[0] as TreesRef;
  const image = await world.clients.s3.send(
    new GetObjectCommand({ Bucket: String(world.platform.outputs.modelBucket), Key: key }),
  );
  return loadTrees((await image.Body?.transformToByteArray()) ?? new Uint8Array());
}

const batchRows = (dataset: string) =>
  query<{ event_id: string; score: number; model_version: string; day: string }>(
    world.clients,
    `select *, score_date::text as day from risk.batch_scores where dataset = '${dataset}' order by score_date, event_id`,
  );

describe("fraud, from its own history", () => {
  let modelName = "";

  it(
    "trains on scored and labelled events, and registers a model that beats the champion",
    async () => {
      const filled = await fill(world.clients, world.names, history({ seed: 3, users: 300, endMs: end }), () => undefined);
      expect(filled).toMatchObject({ scored: filled.events, labelled: filled.labels });

      const outcome = succeeded(await run("training", { dataset: "fraud" }));
      const { metrics, championMetrics } = trained(outcome);
      modelName = trained(outcome).modelName;
      expect(metrics.auc).toBeGreaterThan(championMetrics.auc ?? 1);
      const [registered] = await registeredModels(target, "fraud");
      expect(registered).toMatchObject({ modelName, version: 1, status: "PendingManualApproval" });
      expect((await modelsOf("fraud")).document.chain[0]).toMatchObject({ name: "fraud-trees-1" });
    },
    PIPELINE_MS,
  );

  it(
    "promotes the model once it is approved, and a second approval changes nothing",
    async () => {
      succeeded(await approve(modelName));
      const { document, version } = await modelsOf("fraud");
      expect(document.chain[0]).toMatchObject({ kind: "trees", name: modelName });
      await until("a transaction scored by the new model", async () => {
        const [sent] = transactions(`live-${Date.now()}`, 1);
        await world.clients.kinesis.send(
          new PutRecordCommand({
            StreamName: world.names.streamName,
            PartitionKey: sent?.user_id ?? "",
            Data: Buffer.from(JSON.stringify(sent)),
          }),
        );
        const key = { transaction_id: { S: sent?.transaction_id ?? "" } };
        const item = await until("its score", async () => {
          const { Item } = await world.clients.dynamodb.send(
            new GetItemCommand({ TableName: world.names.resultsTable, Key: key, ConsistentRead: true }),
          );
          return Item;
        });
        return item.model_version?.S === modelName;
      });
      succeeded(await approve(modelName));
      expect((await modelsOf("fraud")).version).toBe(version);
    },
    PIPELINE_MS,
  );

  it(
    "scores a day into the warehouse exactly once, with the same scores as real time",
    async () => {
      const outcome = succeeded(await run("inference", { dataset: "fraud", date: yesterday }));
      const rows = await batchRows("fraud");
      expect(outcome.output).toMatchObject({ modelName, rows: rows.length, days: 1 });
      expect(rows.length).toBeGreaterThan(20);
      expect(new Set(rows.map((row) => row.model_version))).toEqual(new Set([modelName]));

      const model = await liveModel("fraud");
      const archived = await query<{ event_id: string; features: Record<string, number | null> }>(
        world.clients,
        "select event_id, features from risk.risk_events where profile = 'fraud'",
      );
      const features = new Map(archived.map((row) => [row.event_id, row.features]));
      const columns = model.description.features.map(({ name }) => name);
      for (const { event_id, score } of rows) {
        const values = columns.map((name) => features.get(event_id)?.[name] ?? Number.NaN);
        expect(Math.abs((model.predict(values)[0] ?? Number.NaN) - score)).toBeLessThan(1e-7);
      }

      succeeded(await run("inference", { dataset: "fraud", date: yesterday }));
      expect(await batchRows("fraud")).toEqual(rows);
    },
    PIPELINE_MS,
  );

  it(
    "scores a range of days, and succeeds for a day without records",
    async () => {
      const [from, to] = [new Date(end - 62 * DAY_MS), new Date(end - 60 * DAY_MS)].map((day) => day.toISOString().slice(0, 10));
      const { output } = succeeded(await run("inference", { dataset: "fraud", from, to }));
      const { results } = output as { results: { date: string; status: string; rows: number }[] };
      expect(results.map(({ status }) => status)).toEqual(["empty", "empty", expect.stringMatching(/scored|empty/)]);
      expect(results.map(({ date }) => date)).toHaveLength(3);
    },
    PIPELINE_MS,
  );
});

describe("device, from files", () => {
  it(
    "scores ten thousand rows in batch like the live model, including unseen categories and missing values",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "device-"));
      try {
        const trainingFile = join(folder, "training.csv");
        const scoringFile = join(folder, "scoring.csv");
        writeFileSync(trainingFile, `${[...deviceLines(1, 3000)].join("\n")}\n`);
        // Without a time column, the whole file counts for the day.
        writeFileSync(
          scoringFile,
          `${[...deviceLines(2, 10_000)].map((line) => line.replace(/^([^,]*),[^,]*/, "$1")).join("\n")}\n`,
        );
        const training = succeeded(
          await run("training", { dataset: "device", file: await uploadSource(target, "device", trainingFile) }),
        );
        const { modelName } = trained(training);
        succeeded(await approve(modelName));
        const file = await uploadSource(target, "device", scoringFile);
        succeeded(await run("inference", { dataset: "device", date: yesterday, file }));
        const scores = new Map((await batchRows("device")).map((row) => [row.event_id, row.score]));
        expect(scores.size).toBe(10_000);

        const model = await liveModel("device");
        const featureSpec = featureSpecIn(model);
        if (featureSpec === undefined) throw new Error("The image has no feature spec.");
        const encode = encoder(featureSpec);
        const records = parse(readFileSync(scoringFile), { columns: true }) as Readonly<Record<string, string>>[];
        let furthest = 0;
        for (const record of records) {
          const [live = Number.NaN] = model.predict(encode.encode(record));
          furthest = Math.max(
            furthest,
            Math.abs(Math.min(100, Math.max(0, live)) - (scores.get(record.key ?? "") ?? Number.NaN)),
          );
        }
        // Scores up to 100 in float32.
        expect(furthest).toBeLessThan(1e-5);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    PIPELINE_MS,
  );
});
