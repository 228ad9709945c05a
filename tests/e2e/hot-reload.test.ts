/** Changes while the platform runs: policies, stack config, and permissions; then the events of all these policies scored again. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findLine } from "../../cli/decision/find";
import { recall } from "../../cli/decision/recall";
import { query, runLoader } from "../../cli/demo/tally";
import { historyOf, openModel } from "../../cli/replay/history";
import type { ReplayRequest, ReplaySummary } from "../../cli/replay/run";
import { type ArchiveTarget, connectArchive, namesIn } from "../../cli/replay/target";
import type { ProfileId } from "../../functions/scoring/profiles";
import { withConfig } from "../helpers/stack-file";
import { connection, lines, linkProject, scan, send, settled, startWorld, transactions, until, type World } from "./support";

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

/** As compiled, so that it starts its threads. */
const { runReplay }: typeof import("../../cli/replay/run") = createRequire(join(process.cwd(), "package.json"))(
  "./dist/cli/replay/run.js",
);

describe("the archive's events scored again", () => {
  let target: ArchiveTarget;
  beforeAll(async () => {
    const { status } = await send(world, "/score", '{"companySize":900,"industry":"technology","engagementMetrics":88}');
    expect(status).toBe(200);
    await settled(world);
    const { region, ...account } = connection(world);
    target = connectArchive(namesIn({ ...world.platform.outputs, region }, "outputs"), account);
  });
  afterAll(() => target?.close());

  const request = (changes: Partial<ReplayRequest> = {}): ReplayRequest => ({
    days: { from: "2026-01-01", to: "9999-12-31" },
    profiles: ["lead", "fraud"],
    policy: undefined,
    sets: [],
    model: undefined,
    source: "archived",
    warmUpDays: 0,
    apply: false,
    threads: 2,
    progress: () => undefined,
    ...changes,
  });
  const fraudOnly = { profiles: ["fraud"] as const, sets: ["thresholds.high_amount=600"], apply: true };
  const written = async () => (await lines(world, "generations/1/")).length;
  const fraudOf = ({ profiles }: ReplaySummary) => profiles.find(({ profile }) => profile === "fraud")!;

  it("get their old decisions, whichever policy decided", async () => {
    const archived = await lines(world, "archive/");
    expect(new Set(archived.map(({ policy_version }) => policy_version)).size).toBeGreaterThan(3);
    const { profiles, decisionGeneration } = await runReplay(target, request());
    expect(profiles.map(({ profile, events, identical }) => [profile, events, identical])).toEqual([
      ["lead", 1, 1],
      ["fraud", archived.length - 1, archived.length - 1],
    ]);
    expect([decisionGeneration, await written()]).toEqual([null, 0]);
  });

  it("become a decision generation with a changed threshold, the same one however often it is asked for", async () => {
    const first = await runReplay(target, request(fraudOnly));
    expect(first).toMatchObject({ decisionGeneration: 1, writtenBefore: false });
    const { events, lost, gained } = fraudOf(first);
    // Every transaction is of 500: above the thresholds that came after the first one, and below the one to replay with.
    const flagged = (await lines(world, "archive/fraud/")).filter(({ flags }) => JSON.stringify(flags) === '["high_amount"]');
    expect([lost, gained]).toEqual([{ high_amount: flagged.length }, {}]);
    expect(await written()).toBe(events);
    const again = await runReplay(target, request({ ...fraudOnly, threads: 1 }));
    expect(again).toEqual({ ...first, writtenBefore: true });
    const other = await runReplay(target, request({ ...fraudOnly, sets: [], source: "recomputed" }));
    expect(other).toMatchObject({ decisionGeneration: 2, profiles: [{ events, identical: events, features: {} }] });

    await settled(world);
    await runLoader(world.clients, world.names);
    const rows = await query(
      world.clients,
      "select decision_generation, count(*)::int as n from risk.decision_generations group by 1 order by 1",
    );
    expect(rows.map((row) => Object.values(row).map(Number))).toEqual([
      [1, events],
      [2, events],
    ]);
    const [counts] = await query(
      world.clients,
      "select (select count(*) from risk.risk_events)::int as events, (select count(*) from risk.newest_decisions where decision_generation = 2)::int as newest",
    );
    expect(counts).toEqual({ events: events + 1, newest: events });
  });

  it.each([
    ["fraud", "of the stream", "reload-0"],
    ["lead", "of REST", ""],
  ] as const)("are explained one by one: a decision of profile %s, %s", async (profile: ProfileId, _, given) => {
    const [latest] = await lines(world, `archive/${profile}/`);
    const eventId = given === "" ? String(latest?.event_id) : given;
    const found = await findLine(target, eventId);
    const history = await historyOf(target, profile);
    const open = (ref: Parameters<typeof openModel>[3]) => openModel(target.s3, target.names.modelBucket, profile, ref);
    const recalled = await recall(found?.line ?? "", profile, history, open);
    expect(recalled).toMatchObject({ record: { event_id: eventId }, recomputed: { identical: true, missing: [] } });
    expect(recalled.rules.filter(({ fired }) => fired).map(({ id }) => id)).toEqual(recalled.record.flags);
    expect(await findLine(target, "no-such-event")).toBeUndefined();
  });
});
