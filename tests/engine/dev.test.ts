/** The life of a stack under the real engine: created with a failure on the way, changed setting by setting, destroyed. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../helpers/recorder";
import { startWorld, type World } from "./world";

let world: World;
beforeAll(async () => {
  world = await startWorld("dev");
});
afterAll(() => world?.stop());

const created = (steps: readonly string[]) => steps.filter((step) => step.startsWith("create "));

/** Value of a secret output. */
async function output(name: string): Promise<string> {
  const { stdout } = await world.pulumi("stack", "output", name, "--show-secrets", "--stack", "dev");
  return stdout.trim();
}

async function score(): Promise<unknown> {
  const [url, key] = [await output("apiUrl"), await output("apiKey")];
  const answer = await fetch(`${url}/score`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key },
    body: JSON.stringify({ companySize: 900, industry: "technology", engagementMetrics: 88 }),
  });
  return answer.json();
}

const shippedModels = () =>
  (JSON.parse(readFileSync(join(ROOT, "models", "index.json"), "utf8")) as { readonly name: string }[]).map(
    ({ name }) => `models-${name}`,
  );

const restoreConfig = () => writeFileSync(join(world.projectDir, "Pulumi.dev.yaml"), readFileSync(join(ROOT, "Pulumi.dev.yaml")));

describe("a new stack", () => {
  let all: readonly string[];

  it("is previewed as creations only", async () => {
    all = await world.preview();
    expect(created(all)).toEqual(all);
    expect(all.length).toBeGreaterThan(300);
  });

  it("that fails on the way keeps what was created, and the next update creates the rest", async () => {
    world.failing.add("fraud-results-table");
    const failed = await world.pulumi("up", "--yes", "--skip-preview");
    expect(failed.status).not.toBe(0);
    expect(failed.stdout).toContain("AccessDenied: fraud-results-table");
    world.failing.clear();
    const rest = await world.preview();
    expect(created(rest)).toEqual(rest);
    expect(rest).toContain("create table:Table fraud-results-table");
    expect(rest.length).toBeLessThan(all.length);
    const recovered = await world.pulumi("up", "--yes", "--skip-preview");
    expect(recovered.stdout + recovered.stderr).toContain("created");
    expect(recovered.status).toBe(0);
  });

  it("has nothing to change in a second preview, under this Node and under the one that npm runs on", async () => {
    expect(await world.preview()).toEqual([]);
    expect(await world.under(process.env.npm_node_execpath ?? process.execPath).preview()).toEqual([]);
  });

  it("answers a request for a score, and does so after the provider has started again", async () => {
    expect(await score()).toMatchObject({ score: 88.6, band: "high" });
    await world.restart();
    expect(await score()).toMatchObject({ score: 88.6, band: "high" });
    expect(await world.preview()).toEqual([]);
  });

  it("has no secret in plain text in its state", async () => {
    const key = await output("apiKey");
    const parameters = [...world.session.resources()].flatMap(({ type, inputs }) =>
      (type === "aws:ssm/parameter:Parameter" && inputs.type === "SecureString") ||
      type === "aws:secretsmanager/secretVersion:SecretVersion"
        ? [String(inputs.value ?? inputs.secretString)]
        : [],
    );
    expect(parameters.length).toBeGreaterThanOrEqual(3);
    const state = world.state();
    for (const value of [key, ...parameters].filter((text) => text !== "none")) {
      expect(value.length).toBeGreaterThan(10);
      expect(state.includes(value)).toBe(false);
    }
  });

  it("leaves the clone's stack files as they are", () => {
    for (const file of ["Pulumi.yaml", "Pulumi.dev.yaml"])
      expect(readFileSync(join(world.projectDir, file), "utf8")).toBe(readFileSync(join(ROOT, file), "utf8"));
  });
});

describe("a changed setting", () => {
  const functions = (...names: readonly string[]) => names.map((name) => `update function:Function ${name}-function`);

  it.each<{ readonly values: Readonly<Record<string, unknown>>; readonly steps: readonly string[] }>([
    {
      values: { "risk:fraud.policy.weights.impossible_travel": 0.7 },
      steps: ["update parameter:Parameter fraud-policy"],
    },
    { values: { "risk:lead.policy.bands.high": 75 }, steps: ["update parameter:Parameter scoring-lead-policy"] },
    { values: { "risk:fraud.shards": 2 }, steps: ["update stream:Stream fraud-stream"] },
    {
      values: { "risk:fraud.memoryMb": 768 },
      steps: functions("fraud-file-scorer", "fraud-processor", "fraud-queue-scorer", "fraud-transformation"),
    },
    {
      values: { "risk:fraud.batchSize": 500 },
      steps: ["fraud-events-source", "fraud-source"].map((name) => `update eventSourceMapping:EventSourceMapping ${name}`),
    },
    {
      values: { "risk:fraud.errorRateAlarmPercent": 20 },
      steps: ["fraud", "fraud-file-scorer", "fraud-queue-scorer", "fraud-transformation"].map(
        (name) => `update metricAlarm:MetricAlarm ${name}-error-rate`,
      ),
    },
    {
      values: { "risk:warehouse.loadSchedule": "rate(5 minutes)" },
      steps: ["update eventRule:EventRule warehouse-load-schedule"],
    },
    {
      values: { "risk:training.schedule": "cron(0 4 1 * ? *)" },
      steps: ["churn", "fraud"].map((dataset) => `update eventRule:EventRule training-start-schedule-${dataset}`),
    },
    {
      // The table's own units are what auto scaling makes of them.
      values: { "risk:fraud.writeCapacity": 10, "risk:fraud.writeCapacityMax": 40 },
      steps: ["update target:Target fraud-results-writes-target"],
    },
  ])("$values makes exactly its updates", async ({ values, steps }) => {
    world.configure(values);
    try {
      expect(await world.preview()).toEqual([...steps].sort());
    } finally {
      restoreConfig();
    }
  });

  it("that the program refuses fails the preview with the command that mends it", async () => {
    world.configure({ "risk:fraud.shards": 0 });
    try {
      const refused = await world.pulumi("preview");
      expect(refused.status).not.toBe(0);
      expect(refused.stdout + refused.stderr).toContain("Fix: pulumi config set --path risk:fraud.shards 1 --stack dev");
    } finally {
      restoreConfig();
    }
  });

  it("is in force after the update, and in place", async () => {
    world.configure({ "risk:lead.policy.bands.high": 75, "risk:fraud.memoryMb": 768, "risk:api.timeoutSeconds": 20 });
    const updated = await world.pulumi("up", "--yes", "--skip-preview");
    expect(updated.stdout).toMatch(/~ \d+ updated/);
    expect(updated.status).toBe(0);
    expect(await world.preview()).toEqual([]);
    const { lambda } = world.session.runtime.services;
    expect(lambda.pool.get("fraud-processor-dev-a1")?.config.memoryMb).toBe(768);
  });

  it("of the API reaches its stage, there and back", async () => {
    for (const warm of [2, 0]) {
      restoreConfig();
      world.configure({ "risk:api.provisionedConcurrency": warm });
      const updated = await world.pulumi("up", "--yes", "--skip-preview");
      expect(updated.stdout + updated.stderr).not.toContain("error:");
      expect(updated.status).toBe(0);
      expect(await score()).toMatchObject({ score: 88.6 });
    }
    restoreConfig();
  });
});

describe("a replacement", () => {
  it("of what has one name at a time deletes first, and the provider starts again over what it left", async () => {
    world.configure({ "risk:warehouse.databaseName": "risk2", "risk:api.auth": "iam" });
    const updated = await world.pulumi("up", "--yes", "--skip-preview");
    expect(updated.stdout + updated.stderr).not.toContain("error:");
    expect(updated.status).toBe(0);
    expect(await world.preview()).toEqual([]);
    await world.restart();
    expect(await world.preview("--refresh")).toEqual([]);
    restoreConfig();
    const back = await world.pulumi("up", "--yes", "--skip-preview");
    expect(back.stdout + back.stderr).not.toContain("error:");
    expect(back.status).toBe(0);
    expect(await score()).toMatchObject({ score: 88.6 });
  });
});

describe("an edited handler", () => {
  it("updates exactly the functions that bundle it", async () => {
    const file = join(world.projectDir, "functions", "rest", "problems.ts");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, `${text}\nconsole.debug("edited");\n`);
    const steps = await world.preview();
    writeFileSync(file, text);
    expect(steps).toEqual(
      ["churn", "decisions", "device", "events", "feedback", "lead"].map(
        (name) => `update function:Function scoring-${name}-function`,
      ),
    );
  });
});

describe("destroy", () => {
  it("removes everything, dependents first", async () => {
    const destroyed = await world.pulumi("destroy", "--yes", "--skip-preview");
    expect(destroyed.stdout + destroyed.stderr).toMatch(/- \d+ deleted/);
    expect(destroyed.status).toBe(0);
    // What a sibling of the account needs, and models that other versions of the program may name.
    const left = [...world.session.resources()].map(({ name }) => name).sort();
    expect(left).toEqual(["gateway-logs", "gateway-logs-permissions", "gateway-logs-role", ...shippedModels()].sort());
  });

  it("leaves nothing that keeps the provider from starting again", async () => {
    await world.restart();
    const steps = await world.preview();
    expect(created(steps)).toEqual(steps);
  });
});
