/** Changes while the platform runs: policies, stack config, and permissions. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withConfig } from "../helpers/stack-file";
import { connection, linkProject, scan, settled, startWorld, transactions, until, type World } from "./support";

let world: World;
let ssm: SSMClient;
let projectDir: string;
beforeAll(async () => {
  projectDir = mkdtempSync(join(tmpdir(), "project-"));
  // Rules alone: their scores can be computed from the policy by hand.
  const stack = withConfig(readFileSync("Pulumi.dev.yaml", "utf8"), {
    "risk:fraud.champion": "builtin",
    "risk:fraud.challengers": undefined,
  });
  writeFileSync(join(projectDir, "Pulumi.dev.yaml"), stack);
  linkProject(projectDir);
  world = await startWorld({ projectDir });
  ssm = new SSMClient(connection(world));
}, 60_000);
afterAll(async () => {
  ssm?.destroy();
  await world?.stop();
  rmSync(projectDir, { recursive: true, force: true });
});

const stackFile = () => join(projectDir, "Pulumi.dev.yaml");
const parameterName = () => world.names.fraudPolicyParameter ?? "";
const streamFunction = () => world.names.streamFunction ?? "";

async function policyText(): Promise<string> {
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: parameterName() }));
  return Parameter?.Value ?? "";
}

async function putPolicy(text: string): Promise<void> {
  await ssm.send(new PutParameterCommand({ Name: parameterName(), Value: text, Overwrite: true }));
}

let sent = 0;

/** Scores a transaction of 500 by a new user. @returns the stored result */
async function scoreOne(): Promise<{ readonly policyVersion: string; readonly score: number }> {
  const id = `reload-${sent}`;
  const [ordinary] = transactions(id, 1);
  const body = { ...ordinary, transaction_id: id, user_id: id, amount: 500, hour: 12 };
  sent += 1;
  await world.clients.kinesis.send(
    new PutRecordCommand({ StreamName: world.names.streamName, PartitionKey: id, Data: Buffer.from(JSON.stringify(body)) }),
  );
  await settled(world);
  const item = (await scan(world, world.names.resultsTable)).find(({ transaction_id }) => transaction_id?.S === id);
  return { policyVersion: item?.policy_version?.S ?? "", score: Number(item?.score?.N) };
}

/** One log stream is one process. */
function processes(): string[] {
  const events = world.platform.services.logs.events(logGroupOf(streamFunction()), 0, Number.MAX_SAFE_INTEGER);
  return [...new Set(events.map(({ stream }) => stream))].sort();
}

const logGroupOf = (functionName: string) => world.platform.services.lambda.pool.get(functionName)?.config.logGroup ?? "";

describe("a policy in its parameter", () => {
  it("is used by the running process after a change", async () => {
    const before = await scoreOne();
    expect(before).toMatchObject({ policyVersion: expect.stringMatching(/^fraud-3/), score: 0 });
    const [first] = processes();
    const document = JSON.parse(await policyText());
    await putPolicy(
      JSON.stringify({ ...document, version: "fraud-lower", thresholds: { ...document.thresholds, high_amount: 400 } }),
    );
    const after = await until("a score of the new policy", async () => {
      const scored = await scoreOne();
      return scored.policyVersion.startsWith("fraud-lower") && scored;
    });
    expect(after.score).toBeCloseTo(0.42, 9);
    expect(processes()).toEqual([first]);
  });

  it.each([
    ["is not JSON", "{"],
    [
      "names an unknown field",
      '{"version":"bad-1","profile":"fraud","model":{"kind":"rules-only"},"thresholds":{},"rules":[{"id":"x","when":{"field":"nope","op":">","value":1},"weight":0.5,"text":"x"}],"bands":[{"name":"low","min":0}]}',
    ],
  ])("that %s is reported, and the last good one stays in force", async (_, text) => {
    const good = await policyText();
    const startTime = Date.now();
    await putPolicy(text);
    await until("the warning in the log", async () => {
      const scored = await scoreOne();
      expect(scored.policyVersion).toMatch(/^fraud-lower/);
      expect(scored.score).toBeCloseTo(0.42, 9);
      const { events = [] } = await world.clients.logs.send(
        new FilterLogEventsCommand({
          logGroupName: logGroupOf(streamFunction()),
          filterPattern: "policy_refresh_failed",
          startTime,
        }),
      );
      return events.length > 0;
    });
    await putPolicy(good);
  });
});

describe("the stack's config", () => {
  const edit = (values: Readonly<Record<string, unknown>>) =>
    writeFileSync(stackFile(), withConfig(readFileSync(stackFile(), "utf8"), values));

  it("with a changed threshold updates only the parameter, and the running process uses it", async () => {
    const running = processes();
    edit({ "risk:fraud.policy.thresholds.high_amount": 450 });
    const { applied, needsRestart } = await world.platform.reload();
    expect(needsRestart).toEqual([]);
    expect(applied).toEqual([expect.stringMatching(/^aws:ssm\/parameter:Parameter .*: value$/)]);
    expect(JSON.parse(await policyText()).thresholds.high_amount).toBe(450);
    await until("a score of the new policy", async () => {
      const { policyVersion, score } = await scoreOne();
      return !policyVersion.startsWith("fraud-lower") && Math.abs(score - 0.42) < 1e-9;
    });
    expect(processes()).toEqual(running);
  });

  it("with a changed function setting applies to the next invocation", async () => {
    const good = readFileSync(stackFile(), "utf8");
    edit({ "risk:fraud.memoryMb": 768 });
    const { applied, needsRestart } = await world.platform.reload();
    expect(needsRestart).toEqual([]);
    expect(applied.join("\n")).toContain("memorySize");
    await scoreOne();
    const { events = [] } = await world.clients.logs.send(
      new FilterLogEventsCommand({ logGroupName: logGroupOf(streamFunction()), filterPattern: '"Memory Size: 768 MB"' }),
    );
    expect(events).not.toEqual([]);
    writeFileSync(stackFile(), good);
    await world.platform.reload();
  });

  it("that is invalid is refused with every problem, and scoring goes on", async () => {
    const good = readFileSync(stackFile(), "utf8");
    edit({ "risk:fraud.shards": "none", "risk:fraud.shrads": 2 });
    const refused = world.platform.reload();
    await expect(refused).rejects.toThrow("fraud.shards");
    await expect(refused).rejects.toThrow("fraud.shrads");
    expect((await scoreOne()).score).toBeCloseTo(0.42, 9);
    writeFileSync(stackFile(), good);
    expect(await world.platform.reload()).toEqual({ applied: [], needsRestart: [] });
  });
});

describe("a revoked permission", () => {
  it("makes the call fail, naming action, resource and role, and the record waits", async () => {
    const { services } = world.platform;
    const roleArn = services.lambda.pool.get(streamFunction())?.config.roleArn ?? "";
    const roleName = roleArn.split("/").at(-1) ?? "";
    const role = services.iam.role(roleName);
    const policies = [...role.policies];
    role.policies.clear();
    const startTime = Date.now();
    const waiting = scoreOne();
    const denied = await until("the refusal in the log", async () => {
      services.lambda.flush();
      const { events = [] } = await world.clients.logs.send(
        new FilterLogEventsCommand({ logGroupName: logGroupOf(streamFunction()), filterPattern: "dynamodb", startTime }),
      );
      return events.map(({ message }) => message ?? "").find((message) => message.includes("not authorized"));
    });
    expect(denied).toContain(`assumed-role/${roleName}/`);
    expect(denied).toContain("dynamodb:BatchGetItem");
    expect(denied).toMatch(/arn:aws:dynamodb:us-east-1:000000000000:table\/fraud-/);
    for (const [name, policy] of policies) role.policies.set(name, policy);
    expect((await waiting).score).toBeCloseTo(0.42, 9);
  });
});
