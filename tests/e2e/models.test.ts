/** Models on a running platform: endpoints and their fallbacks, promotion and rollback, shadow scores, damaged artifacts. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runLoader } from "../../cli/demo/tally";
import { ModelCommands } from "../../cli/model-lifecycle/commands";
import { goldenIn } from "../../cli/model-lifecycle/golden";
import { connectModels, type Target } from "../../cli/model-lifecycle/target";
import { endpointModel } from "../../cli/shipped-models";
import { PROFILES } from "../../functions/scoring/profiles";
import { withConfig } from "../helpers/stack-file";
import { connection, linkProject, send, settled, startWorld, transactions, until, type World } from "./support";

const ENDPOINT = "churn-prod";

let world: World;
let target: Target;
let commands: ModelCommands;
let projectDir: string;
beforeAll(async () => {
  projectDir = mkdtempSync(join(tmpdir(), "project-"));
  const stack = withConfig(readFileSync("Pulumi.dev.yaml", "utf8"), {
    "risk:churn.champion": `endpoint:${ENDPOINT}`,
    "risk:churn.fallbacks": "churn-trees-1",
    // Short for a caller, long for a machine that runs other tests beside this one.
    "risk:models.endpointTimeoutMs": 2000,
  });
  writeFileSync(join(projectDir, "Pulumi.dev.yaml"), stack);
  linkProject(projectDir);
  world = await startWorld({ projectDir });
  const columns = PROFILES.churn.features.definitions.map(({ name }) => name);
  world.platform.services.sagemaker.putEndpoint(ENDPOINT, endpointModel(readFileSync("models/churn-trees-1.rsm")), columns);
  const { endpoint, credentials, region } = connection(world);
  const modelsParameters = world.platform.outputs.modelsParameters as Target["parameters"];
  target = connectModels(
    { modelBucket: String(world.platform.outputs.modelBucket), modelsParameters, region },
    { endpoint, credentials },
  );
  commands = new ModelCommands(target, goldenIn(process.cwd()), { contentType: "text/csv", timeoutMs: 2000 });
}, 90_000);
afterAll(async () => {
  target?.close();
  await world?.stop();
  if (projectDir) rmSync(projectDir, { recursive: true, force: true });
});

interface ChurnAnswer {
  readonly result: string;
  readonly modelVersion: string;
  readonly modelRole?: string;
  readonly modelFallback?: readonly { readonly model: string; readonly reason: string }[];
  readonly score: number;
  readonly reasons: readonly { readonly code: string; readonly contribution: number }[];
}

let salary = 50_000;

/** Sends a customer that has not been scored before. */
async function predict(): Promise<ChurnAnswer> {
  salary += 1;
  const { status, text } = await send(world, "/predict", JSON.stringify({ data: [619, 0, 42, 2, 0, 1, 1, 1, salary, 1, 0, 0] }));
  expect([status, status === 200 ? "" : text]).toEqual([200, ""]);
  return JSON.parse(text) as ChurnAnswer;
}

/** Until then, each answer comes entirely from one of the two models. */
async function answersBy(model: string, before: string): Promise<ChurnAnswer> {
  return until(`an answer of ${model}`, async () => {
    const answer = await predict();
    expect([before, model]).toContain(answer.modelVersion);
    return answer.modelVersion === model && answer;
  });
}

const churnFunction = () =>
  world.platform.services.lambda.pool.names().find((name) => name.startsWith("scoring-churn")) ?? "no churn function";

function processes(): string[] {
  const { lambda, logs } = world.platform.services;
  const events = logs.events(lambda.pool.get(churnFunction())?.config.logGroup ?? "", 0, Number.MAX_SAFE_INTEGER);
  return [...new Set(events.map(({ stream }) => stream))].sort();
}

async function warned(startTime: number, about: string): Promise<boolean> {
  const logGroupName = world.platform.services.lambda.pool.get(churnFunction())?.config.logGroup;
  const { events = [] } = await world.clients.logs.send(
    new FilterLogEventsCommand({ logGroupName, filterPattern: "model_refresh_failed", startTime }),
  );
  return events.some(({ message }) => message?.includes(about));
}

const putModels = (document: object) =>
  target.ssm.send(new PutParameterCommand({ Name: target.parameters.churn, Value: JSON.stringify(document), Overwrite: true }));

describe("an endpoint as champion", () => {
  it("answers through the same interface as in-process models", async () => {
    const answer = await predict();
    expect(answer).toMatchObject({ result: expect.stringMatching(/^Will (Not )?Exit$/), modelVersion: ENDPOINT });
    expect(answer.modelFallback).toBeUndefined();
  });

  it("that fails is replaced by its fallback, and the answer says why", async () => {
    const healthy = await predict();
    world.platform.faults.inject(1, [{ kind: "error", service: "sagemaker", action: "InvokeEndpoint", probability: 1 }]);
    const answer = await predict();
    expect(answer).toMatchObject({
      modelVersion: "churn-trees-1",
      modelRole: "fallback",
      modelFallback: [{ model: ENDPOINT, reason: expect.any(String) }],
    });
    expect(Math.abs(answer.score - healthy.score)).toBeLessThan(0.2);
    world.platform.faults.inject(0, []);
    await until("the endpoint's answer", async () => (await predict()).modelVersion === ENDPOINT);
  });

  it("is called only by the function that the config allows", async () => {
    const policies = world.platform.graph.resources.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
    const allowed = policies.filter(({ inputs }) => String(inputs.policy).includes("sagemaker:InvokeEndpoint"));
    expect(allowed.map(({ name }) => name)).toEqual(["scoring-churn-permissions"]);
    expect(String(allowed[0]?.inputs.policy)).toContain(`:endpoint/${ENDPOINT}"`);
  });
});

describe("a promotion", () => {
  it("takes effect in the running process, with reasons, and a rollback undoes it", async () => {
    await predict();
    const before = processes();
    const change = await commands.promote("churn", "churn-trees-1");
    expect(change.verified["churn-trees-1"]).toMatchObject({ goldenRows: expect.any(Number) });
    expect(change.verified["churn-trees-1"]?.goldenRows).toBeGreaterThan(0);
    const promoted = await answersBy("churn-trees-1", ENDPOINT);
    expect(promoted.modelFallback).toBeUndefined();
    expect(promoted.reasons.length).toBeGreaterThan(1);
    const back = await commands.rollback("churn", undefined);
    expect(back.version).toBe(change.version + 1);
    await answersBy(ENDPOINT, "churn-trees-1");
    expect(processes()).toEqual(before);
  });

  it("of a damaged artifact is refused before anything changes", async () => {
    const bytes = readFileSync("models/churn-trees-1.rsm");
    const sha256 = createHash("sha256").update(bytes).update("other").digest("hex");
    const key = `models/churn/${sha256}.rsm`;
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
    const put = { Bucket: target.bucket, Key: key, Body: bytes, Metadata: { profile: "churn", name: "churn-damaged" } };
    await target.s3.send(new PutObjectCommand(put));
    const { version } = await commands.state("churn");
    await expect(commands.promote("churn", "churn-damaged")).rejects.toThrow(/is damaged/);
    await expect(commands.promote("churn", "churn-tree-1")).rejects.toThrow(/Did you mean "churn-trees-1"\?/);
    expect((await commands.state("churn")).version).toBe(version);

    // When somebody writes the parameter by hand, the functions still check the artifact.
    const startTime = Date.now();
    await putModels({ chain: [{ kind: "trees", name: "churn-damaged", key, sha256 }] });
    await until("the warning", async () => {
      expect((await predict()).modelVersion).toBe(ENDPOINT);
      return warned(startTime, "churn-damaged");
    });
    await commands.rollback("churn", version);
  });
});

describe("a challenger", () => {
  it("scores in shadow beside the champion, into the warehouse", async () => {
    const { models } = await commands.state("fraud");
    const [champion] = models.chain;
    expect(champion).toMatchObject({ name: "fraud-trees-1" });
    expect(models.challengers).toMatchObject([{ model: { name: "fraud-trees-2" } }]);
    for (const transaction of transactions("shadow", 12)) {
      const put = { StreamName: world.names.streamName, PartitionKey: transaction.user_id };
      await world.clients.kinesis.send(new PutRecordCommand({ ...put, Data: Buffer.from(JSON.stringify(transaction)) }));
    }
    await settled(world);
    const rows = await until("the shadow scores", async () => {
      await runLoader(world.clients, world.names);
      const found = await world.clients.warehouse.query(
        "select answered_by, answered_as, challenger, challenger_score from risk.challenger_scores where profile = 'fraud'",
      );
      return found.rows.length === 12 && found.rows;
    });
    for (const row of rows) {
      expect(row).toMatchObject({ answered_by: "fraud-trees-1", answered_as: "champion", challenger: "fraud-trees-2" });
      expect(Number(row.challenger_score)).toBeGreaterThanOrEqual(0);
    }
  });

  it("answers its share of requests until it is withdrawn", async () => {
    // It is a fallback already, and a model can have only one place.
    await expect(commands.challenge("churn", "churn-trees-1", 100)).rejects.toThrow(/name each model once/);
    await commands.challenge("churn", "builtin", 100);
    const answer = await answersBy("churn-logistic-1", ENDPOINT);
    expect(answer.modelRole).toBe("challenger");
    const { models } = await commands.withdraw("churn", "churn-logistic-1");
    expect(models.challengers).toBeUndefined();
    await answersBy(ENDPOINT, "churn-logistic-1");
  });
});
