/** A replay over real S3 and SSM clients against the local endpoint, in one thread. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findLine } from "../../../cli/decision/find";
import { recall } from "../../../cli/decision/recall";
import { decisionReport } from "../../../cli/decision/report";
import { Generations } from "../../../cli/replay/generations";
import { historyOf, openModel } from "../../../cli/replay/history";
import { replayReport } from "../../../cli/replay/report";
import { type ReplayRequest, runReplay } from "../../../cli/replay/run";
import { type ArchiveTarget, connectArchive } from "../../../cli/replay/target";
import type { ModelSet } from "../../../functions/scoring/models/model-set";
import { remoteMember } from "../../../functions/scoring/models/model-set";
import { PROFILES } from "../../../functions/scoring/profiles";
import { EMPTY_LINES, packLines, unpackLines } from "../../../functions/shared/ndjson";
import { treeLoader } from "../../../functions/shared/tree-loader";
import { type SmallPlatform, smallPlatform } from "../../../packages/local-aws/tests/endpoint/small-platform";
import { restLine, streamLines } from "../../functions/replay/archive-world";
import { transaction } from "../../helpers/stream-world";
import { treeImage } from "../../helpers/tree-image";

const CHURN = { data: [619, 0, 42, 2, 0, 1, 1, 1, 101_348.88, 1, 0, 0] };
const TREES = treeImage("fraud-a", ["amount", "count_1h"], 3);
const parameters = (kind: string) => ({
  lead: `/${kind}/lead`,
  churn: `/${kind}/churn`,
  fraud: `/${kind}/fraud`,
  device: `/${kind}/device`,
});

let platform: SmallPlatform;
let target: ArchiveTarget;
let folder: string;
let run = 0;
beforeAll(async () => {
  platform = await smallPlatform();
  folder = mkdtempSync(join(tmpdir(), "replay-test-"));
});
afterAll(async () => {
  await platform.end();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  run += 1;
  const { region, endpoint, credentials } = platform.client();
  const [dataBucket, modelBucket] = [`data-${run}`, `models-${run}`];
  for (const name of [dataBucket, modelBucket]) platform.s3.store.createBucket(name);
  target = connectArchive(
    {
      region,
      dataBucket,
      modelBucket,
      resultsTable: "results",
      policyParameters: parameters(`policy-${run}`),
      modelsParameters: parameters(`models-${run}`),
    },
    { endpoint, credentials },
  );
  for (const profile of ["lead", "churn", "fraud", "device"] as const) {
    await putParameter(target.names.policyParameters[profile], PROFILES[profile].defaultPolicy);
    await putParameter(target.names.modelsParameters[profile], { chain: [PROFILES[profile].defaultPolicy.model] });
  }
});

async function putParameter(Name: string, value: unknown): Promise<void> {
  const Value = typeof value === "string" ? value : JSON.stringify(value);
  await target.ssm.send(new PutParameterCommand({ Name, Value, Type: "String", Overwrite: true }));
}

async function put(key: string, body: Uint8Array, bucket = target.names.dataBucket): Promise<void> {
  await target.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

async function keysUnder(prefix: string): Promise<string[]> {
  const { Contents = [] } = await target.s3.send(new ListObjectsV2Command({ Bucket: target.names.dataBucket, Prefix: prefix }));
  return Contents.map(({ Key = "" }) => Key);
}

async function generation(number: number): Promise<Record<string, unknown>[]> {
  const keys = await keysUnder(`generations/${number}/`);
  const objects = await Promise.all(
    keys.map(async (Key) => {
      const object = await target.s3.send(new GetObjectCommand({ Bucket: target.names.dataBucket, Key }));
      return unpackLines(Key, (await object.Body?.transformToByteArray()) ?? EMPTY_LINES);
    }),
  );
  return objects.flat().map((line): Record<string, unknown> => JSON.parse(line));
}

const request = (changes: Partial<ReplayRequest> = {}): ReplayRequest => ({
  days: { from: "2026-11-20", to: "2026-11-21" },
  profiles: ["fraud"],
  policy: undefined,
  sets: [],
  model: undefined,
  source: "archived",
  warmUpDays: 0,
  apply: false,
  threads: 1,
  progress: () => undefined,
  ...changes,
});

const transactions = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    transaction(`${prefix}${index}`, {
      amount: 300 * (index + 1),
      user_id: `user-${index % 3}`,
      timestamp: new Date(Date.UTC(2026, 10, 20, index)).toISOString(),
    }),
  );

describe("a replay", () => {
  it("reads the objects of its days, of either compression, and no closed ones", async () => {
    const lines = await streamLines(transactions("a", 9));
    await put("archive/fraud/dt=2026-11-19/early.ndjson.zst", packLines(lines.slice(0, 1)));
    await put("archive/fraud/dt=2026-11-20/a.ndjson.zst", packLines(lines.slice(1, 4)));
    await put("archive/fraud/dt=2026-11-20/closed.ndjson.zst", EMPTY_LINES);
    await put("archive/fraud/dt=2026-11-21/b.ndjson.gz", gzipSync(`${lines.slice(4, 8).join("\n")}\n`));
    await put("archive/fraud/dt=2026-11-22/late.ndjson.zst", packLines(lines.slice(8)));
    const progress: string[] = [];
    const summary = await runReplay(target, request({ progress: (done, total) => progress.push(`${done}/${total}`) }));
    expect(summary).toMatchObject({
      objects: 2,
      decisionGeneration: null,
      profiles: [{ profile: "fraud", events: 7, identical: 7 }],
    });
    expect(progress).toEqual(["1/2", "2/2"]);
    expect(replayReport(summary)).toContain("identical: 7 of 7");
    expect(replayReport(await runReplay(target, request({ days: { from: "2026-10-01", to: "2026-10-02" } })))).toContain(
      "no events",
    );
  });

  it("counts an event once that the bus delivered twice", async () => {
    const line = await restLine("churn", CHURN);
    for (const name of ["a", "b"]) await put(`archive/churn/dt=2026-11-21/${name}.ndjson.zst`, packLines([line]));
    const summary = await runReplay(target, request({ profiles: ["churn"] }));
    expect(summary.profiles).toMatchObject([{ events: 1, identical: 1 }]);
  });

  it("writes a generation that says the same in every object, however often it breaks off", async () => {
    const lines = await streamLines(transactions("a", 9));
    await put("archive/fraud/dt=2026-11-20/a.ndjson.zst", packLines(lines.slice(0, 5)));
    await put("archive/fraud/dt=2026-11-21/b.ndjson.gz", gzipSync(`${lines.slice(5).join("\n")}\n`));
    const change = request({ sets: ["thresholds.high_amount=2000", "weights.high_amount=0.5", "bands.high=0.99"], apply: true });
    const summary = await runReplay(target, change);
    expect(summary).toMatchObject({ decisionGeneration: 1, writtenBefore: false });
    expect(summary.profiles[0]?.policy).toMatch(/^[0-9a-f]{12}$/);
    expect(await keysUnder("generations/1/")).toEqual([
      "generations/1/fraud/dt=2026-11-20/a.ndjson.zst",
      "generations/1/fraud/dt=2026-11-21/b.ndjson.zst",
    ]);
    const written = await generation(1);
    expect(written.map(({ event_id }) => event_id).sort()).toEqual(lines.map((line) => JSON.parse(line).event_id).sort());
    expect(new Set(written.map(({ scored_at }) => scored_at)).size).toBe(1);
    expect(replayReport(summary)).toContain("Written as decision generation 1");
    expect(replayReport(await runReplay(target, change))).toContain("holds exactly this");

    // As if it had broken off: one object is there, the other one and the summary aren't.
    const lost = ["generations/1/fraud/dt=2026-11-21/b.ndjson.zst", "generations/summaries/1.json"];
    await target.s3.send(
      new DeleteObjectsCommand({ Bucket: target.names.dataBucket, Delete: { Objects: lost.map((Key) => ({ Key })) } }),
    );
    expect(await generation(1)).toHaveLength(5);
    expect(await runReplay(target, change)).toEqual(summary);
    expect(await generation(1)).toEqual(written);
  });

  it("gives inputs one number when several take it at once, and others the next ones", async () => {
    const generations = new Generations(target.s3, target.names.dataBucket);
    const taken = await Promise.all(["a", "b", "a", "c"].map((inputs) => generations.take(inputs, {}, new Date(0))));
    const [first, , third] = taken.map(({ generation: { number } }) => number);
    expect(first).toBe(third);
    expect(new Set(taken.map(({ generation: { number } }) => number))).toEqual(new Set([1, 2, 3]));
  });

  it("scores with a compiled model of the bucket, and refuses one that is damaged or isn't there", async () => {
    await put(TREES.ref.key, TREES.bytes, target.names.modelBucket);
    await putParameter(target.names.modelsParameters.fraud, { chain: [TREES.ref, { kind: "rules-only" }] });
    const member = treeLoader(PROFILES.fraud)(TREES.bytes, TREES.ref);
    const set: ModelSet = { version: "s", chain: [member], challengers: [] };
    const lines = [...(await streamLines(transactions("a", 4), { models: set })), ...(await streamLines(transactions("b", 4)))];
    await put("archive/fraud/dt=2026-11-20/a.ndjson.zst", packLines(lines));
    expect((await runReplay(target, request())).profiles).toMatchObject([{ events: 8, identical: 8 }]);
    const { profiles } = await runReplay(target, request({ model: "fraud-a" }));
    expect(profiles).toMatchObject([{ model: "fraud-a", events: 8, identical: 4, moved: 4 }]);
    await expect(runReplay(target, request({ model: "fraud-z" }))).rejects.toThrow(
      /--model: expected rules-only, fraud-a, got "fraud-z"/,
    );
    await put(TREES.ref.key, TREES.bytes.subarray(1), target.names.modelBucket);
    await expect(runReplay(target, request({ model: "fraud-a" }))).rejects.toThrow(/has the hash .* The file is damaged/);
  });

  it("asks no endpoint: events that one answered keep their decision and are named", async () => {
    const endpoint = { kind: "endpoint", name: "churn-live", endpointName: "churn", contentType: "text/csv", timeoutMs: 100 };
    await putParameter(target.names.modelsParameters.churn, "not JSON");
    await putParameter(target.names.modelsParameters.churn, { chain: [endpoint] });
    const live = remoteMember({ version: "churn-live", scoreBatch: async (_rows, count, out) => void out.fill(0.5, 0, count) });
    const line = await restLine("churn", CHURN, { models: { version: "s", chain: [live], challengers: [] } });
    await put("archive/churn/dt=2026-11-21/a.ndjson.zst", packLines([line]));
    const summary = await runReplay(target, request({ profiles: ["churn"], sets: ["thresholds.will_exit=0.4"], apply: true }));
    expect(summary.profiles).toMatchObject([{ events: 1, leftOut: { "model churn-live is not known": 1 } }]);
    expect(await generation(1)).toEqual([]);
    expect(replayReport(summary)).toContain("churn-live answers from an endpoint; a replay asks none.");
  });

  it("recomputes with the states of the warm-up's days, all events of a user together", async () => {
    const lines = await streamLines(transactions("a", 30));
    const days = ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"];
    for (const [index, day] of days.entries()) {
      await put(`archive/fraud/dt=${day}/a.ndjson.zst`, packLines(lines.filter((_, at) => at % 4 === index)));
    }
    const whole = await runReplay(
      target,
      request({ source: "recomputed", days: { from: "2026-11-18", to: "2026-11-21" }, apply: true }),
    );
    expect(whole).toMatchObject({ decisionGeneration: 1, profiles: [{ events: 30, identical: 30, features: {} }] });
    expect((await keysUnder("generations/1/")).every((key) => /\/fraud\/partition_00\d\d_of_16\.ndjson\.zst$/.test(key))).toBe(
      true,
    );
    expect(await generation(1)).toHaveLength(30);
    const warm = await runReplay(target, request({ source: "recomputed", warmUpDays: 2 }));
    expect(warm.profiles).toMatchObject([{ events: 14, identical: 14, features: {} }]);
    const cold = await runReplay(target, request({ source: "recomputed" }));
    expect(cold.profiles[0]?.features.count_24h).toBeGreaterThan(0);
    expect(replayReport(cold)).toContain("feature recomputed differently");
  });

  it("takes the policy of a file, and names every problem of one that is invalid", async () => {
    await put("archive/fraud/dt=2026-11-20/a.ndjson.zst", packLines(await streamLines(transactions("a", 3))));
    const file = join(folder, "policy.json");
    const { defaultPolicy } = PROFILES.fraud;
    writeFileSync(file, JSON.stringify({ ...defaultPolicy, version: "file-1", rules: [] }));
    const { profiles } = await runReplay(target, request({ policy: file }));
    expect(profiles).toMatchObject([{ policy: "file-1", events: 3, unchanged: 0, lost: { night: 3 } }]);
    writeFileSync(file, JSON.stringify({ ...defaultPolicy, bands: [] }));
    await expect(runReplay(target, request({ policy: file }))).rejects.toThrow(/policy to replay with is invalid: .*bands/);
    writeFileSync(file, "{");
    await expect(runReplay(target, request({ policy: file }))).rejects.toThrow(/is not JSON/);
    writeFileSync(file, "[]");
    await expect(runReplay(target, request({ policy: file }))).rejects.toThrow(/expected one JSON object/);
    await expect(runReplay(target, request({ policy: "nowhere.json" }))).rejects.toThrow(/nowhere.json does not exist/);
    expect((await runReplay(target, request({ policy: "current" }))).profiles).toMatchObject([
      { policy: "fraud-3", identical: 3 },
    ]);
    for (const set of ["high_amount=1", "thresholds.high_amount=much"])
      await expect(runReplay(target, request({ sets: [set] }))).rejects.toThrow(/expected thresholds.NAME=NUMBER/);
    await expect(runReplay(target, request({ sets: ["weights.hihg_amount=0.1"] }))).rejects.toThrow(/Did you mean "high_amount"/);
  });
});

describe("a decision", () => {
  const recalled = async (profile: "fraud" | "churn", line: string) =>
    recall(line, profile, await historyOf(target, profile), (ref) =>
      openModel(target.s3, target.names.modelBucket, profile, ref),
    );

  it("of a REST score is found by the time in its id, without table and warehouse", async () => {
    const line = await restLine("churn", CHURN);
    const { event_id } = JSON.parse(line);
    const empty = Object.assign(new DynamoDBClient({ region: "us-east-1" }), { send: async () => ({}) });
    const without: ArchiveTarget = { ...target, dynamodb: empty };
    expect(await findLine(without, event_id)).toBeUndefined();
    await put(
      "archive/churn/dt=2026-11-21/a.ndjson.zst",
      packLines([await restLine("churn", { data: [...CHURN.data.slice(0, 11), 1] }), line]),
    );
    expect(await findLine(without, event_id)).toEqual({ line, key: "archive/churn/dt=2026-11-21/a.ndjson.zst" });
    expect(await findLine(without, "tx-1")).toBeUndefined();
    const gone = Object.assign(new DynamoDBClient({ region: "us-east-1" }), {
      send: async () => ({ Item: { archive_key: { S: "archive/fraud/dt=2024-01-01/expired.ndjson.zst" } } }),
    });
    expect(await findLine({ ...target, dynamodb: gone }, "tx-1")).toBeUndefined();
  });

  it("says of every rule why it did or did not fire, and that it is bit-identical", async () => {
    const [line] = await streamLines([transaction("t1", { amount: 1200 })]);
    const report = decisionReport(await recalled("fraud", line!), "fraud", "archive/x");
    expect(report).toContain("fired      high_amount (weight 0.42)\n             ✓ amount 1200 >= 1000 (high_amount)");
    expect(report).toContain(
      "not fired  extreme_amount (weight 0.3)\n             ✗ amount 1200 >= 10000 (extreme_amount): missed by 8800",
    );
    expect(report).toContain("  bit-identical");
  });

  it("says which policy or model isn't known any more, and what was used instead", async () => {
    const [line] = await streamLines([transaction("t1", { amount: 1200 })]);
    const record = { ...JSON.parse(line!), policy_version: "fraud-0", model_version: "fraud-gone" };
    const { recomputed, rules } = await recalled("fraud", JSON.stringify(record));
    expect(recomputed).toMatchObject({ identical: false, policy: "fraud-3", model: "rules-only" });
    expect(recomputed.missing).toEqual([
      expect.stringMatching(
        /^Policy fraud-0 is no longer in the history of its parameter.*fraud-3, the one in force, was used instead\.$/,
      ),
      "Model fraud-gone is not in the model bucket; rules-only, the policy's own, was used instead.",
    ]);
    expect(rules.filter(({ fired }) => fired).map(({ id }) => id)).toEqual(["high_amount"]);
    const text = decisionReport(await recalled("fraud", JSON.stringify(record)), "fraud", "archive/x");
    expect(text).toContain("not identical: ");
    expect(text).toContain("Model fraud-gone is not in the model bucket");
  });
});
