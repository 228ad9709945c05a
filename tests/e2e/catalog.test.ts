/** The catalog's tables over what the platform itself has written, queried with the role of analysts. */
import { gzipSync } from "node:zlib";
import { GetTablesCommand, GlueClient } from "@aws-sdk/client-glue";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportFeatures } from "../../cli/features/export";
import { connectFeatures } from "../../cli/features/target";
import { asObjects } from "../../cli/query/report";
import { runQuery, savedQueries, savedQuery } from "../../cli/query/run";
import { connectQuery, type QueryTarget } from "../../cli/query/target";
import { PROFILES } from "../../functions/scoring/profiles";
import { connection, lines, send, settled, startWorld, transactions, until, type World } from "./support";

let world: World;
let target: QueryTarget;
let archived: Record<string, unknown>[];

const DAY_MS = 86_400_000;
const today = () => new Date().toISOString().slice(0, 10);

beforeAll(async () => {
  world = await startWorld();
  const { platform, clients, names } = world;
  const ordinary = transactions("lake", 30);
  const late = transactions("late", 3).map((one) => ({
    ...one,
    timestamp: new Date(Date.now() - DAY_MS).toISOString(),
    channel: "pos",
  }));
  const alerting = transactions("high", 4, 1).map((one) => ({
    ...one,
    amount: 25_000,
    location_mismatch: true,
    velocity_flag: true,
  }));
  const records = [...ordinary, ...late, ...alerting, { transaction_id: "no-user" }];
  await clients.kinesis.send(
    new PutRecordsCommand({
      StreamName: names.streamName,
      Records: records.map((one) => ({ PartitionKey: "p", Data: Buffer.from(JSON.stringify(one)) })),
    }),
  );
  await send(world, "/score", JSON.stringify({ companySize: 900, industry: "technology", engagementMetrics: 88 }));
  await send(
    world,
    "/feedback",
    JSON.stringify({
      labels: [{ event_id: "high-0000", label: true, labelled_at: new Date().toISOString(), source: "chargeback" }],
    }),
  );
  await until("everything in the archive", async () => {
    await settled(world);
    const [fraud, lead, refused] = await Promise.all(
      ["archive/fraud/", "archive/lead/", "quarantine/"].map((prefix) => lines(world, prefix)),
    );
    archived = fraud ?? [];
    return archived.length === records.length - 1 && lead?.length === 1 && refused?.length === 1;
  });
  const { endpoint, region, credentials } = connection(world);
  target = await connectQuery({ region, catalog: platform.outputs.catalog }, { endpoint, credentials });
}, 90_000);
afterAll(async () => {
  target?.close();
  await world?.stop();
});

const rows = async (sql: string) => asObjects(await runQuery(target, sql));
const saved = async (name: string) => rows((await savedQuery(target, name)).sql);
function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

describe("a saved query", () => {
  it("has a name and says what it answers", async () => {
    const all = await savedQueries(target);
    expect(all.map(({ name }) => name)).toEqual(["alerts-by-rule", "late-events", "quarantine-by-reason", "score-distribution"]);
    for (const { description } of all) expect(description).toMatch(/^[A-Z].*\.$/);
  });

  it("counts alerts by rule as the archive has them", async () => {
    const alerts = archived.filter(({ band }) => band === "high" || band === "critical");
    const flags = alerts.flatMap((line) => line.flags as string[]);
    expect(flags.length).toBeGreaterThan(0);
    const found = await saved("alerts-by-rule");
    expect(Object.fromEntries(found.map(({ rule, decisions }) => [rule, decisions]))).toEqual(tally(flags));
    expect(found[0]).toMatchObject({ dt: today(), users: 1 });
  });

  it("counts records in quarantine by reason", async () => {
    expect(await saved("quarantine-by-reason")).toEqual([
      expect.objectContaining({ dt: today(), profile: "fraud", reason: "invalid", records: 1, bytes: 28 }),
    ]);
  });

  it("places every score in a tenth of the scale", async () => {
    const found = await saved("score-distribution");
    const decisions = found.map((row) => Number(row.decisions));
    expect(decisions.reduce((sum, count) => sum + count, 0)).toBe(archived.length);
    expect(found.reduce((sum, { share }) => sum + Number(share), 0)).toBeCloseTo(1, 3);
    const tenths = tally(archived.map(({ score }) => String(Math.min(9, Math.floor(10 * Number(score))))));
    expect(Object.fromEntries(found.map(({ tenth, decisions }) => [tenth, decisions]))).toEqual(tenths);
  });

  it("finds the events that came late, by channel", async () => {
    const found = await saved("late-events");
    expect(found).toEqual([expect.objectContaining({ dt: today(), channel: "pos", events: 3, late: 3 })]);
    expect(Number(found[0]?.longest_hours)).toBeCloseTo(24, 1);
  });
});

describe("every table", () => {
  it("of the catalog can be read", async () => {
    const glue = new GlueClient(connection(world));
    const { TableList = [] } = await glue.send(new GetTablesCommand({ DatabaseName: target.database }));
    expect(TableList.map(({ Name }) => Name).sort()).toEqual([
      "archive_churn",
      "archive_device",
      "archive_fraud",
      "archive_lead",
      "batch_inputs_churn",
      "batch_inputs_device",
      "batch_inputs_fraud",
      "batch_scores",
      "labels",
      "quarantine",
    ]);
    for (const { Name } of TableList) await runQuery(target, `SELECT * FROM ${Name} WHERE dt = '${today()}'`);
    glue.destroy();
  });

  it("of the archive has the line's values, the features by name", async () => {
    const line = archived[0] ?? {};
    const found = await rows(
      `SELECT event_id, score, geo_flag, occurred_at, features.amount AS amount, features.count_1h AS n, json_extract_scalar(input, '$.user_id') AS user_token, cardinality(reasons) AS reasons FROM archive_fraud WHERE event_id = '${line.event_id}'`,
    );
    const features = line.features as Record<string, number>;
    expect(found).toEqual([
      {
        event_id: line.event_id,
        score: line.score,
        geo_flag: line.geo_flag,
        occurred_at: line.occurred_at,
        amount: features.amount,
        n: features.count_1h,
        user_token: (line.input as Record<string, string>).user_id,
        reasons: (line.reasons as unknown[]).length,
      },
    ]);
  });

  it("can be joined: labels with the decisions that they are about", async () => {
    expect(
      await rows("SELECT l.label, a.band, l.source FROM labels AS l JOIN archive_fraud AS a ON a.event_id = l.event_id"),
    ).toEqual([{ label: true, band: expect.stringMatching(/high|critical/), source: "chargeback" }]);
  });

  it("of batch scoring reads what the jobs write", async () => {
    const put = (key: string, body: Buffer | string) =>
      world.clients.s3.send(new PutObjectCommand({ Bucket: String(world.names.pipelineBucket), Key: key, Body: body }));
    const features = PROFILES.churn.features.size;
    await put(
      `inference/input/churn/dt=${today()}/part-00000.csv`,
      `"a,1"${",".repeat(features)}\nb,600${",".repeat(features - 1)}\n`,
    );
    await put(`inference/input/churn/dt=${today()}.manifest.json`, "{}");
    const score = {
      dataset: "churn",
      event_id: "b",
      score_date: today(),
      score: 0.25,
      score_scale: 1,
      model_version: "m",
      scored_at: "2026-03-01T00:00:00Z",
    };
    await put(`inference/scores/churn/dt=${today()}/part-00000.json.gz`, gzipSync(`${JSON.stringify(score)}\n`));
    expect(
      await rows(
        "SELECT i.key, i.credit_score, s.score, s.dataset FROM batch_inputs_churn AS i LEFT JOIN batch_scores AS s ON s.event_id = i.key AND s.dt = i.dt ORDER BY i.key",
      ),
    ).toEqual([
      { key: "a,1", credit_score: "", score: null, dataset: null },
      { key: "b", credit_score: "600", score: 0.25, dataset: "churn" },
    ]);
  });
});

describe("the features that were known of a user", () => {
  it("are those of the newest event that had happened and had been scored by the moment", async () => {
    const { platform, names } = world;
    const { endpoint, region, credentials } = connection(world);
    const outputs = { region, dataBucket: names.dataBucket, catalog: platform.outputs.catalog };
    const source = await connectFeatures(outputs, { endpoint, credentials });
    const ofOneUser = archived.filter(({ user_id }) => user_id === archived[0]?.user_id);
    const times = ofOneUser.map(({ occurred_at }) => String(occurred_at)).sort();
    const [first = "", last = ""] = [times[0], times.at(-1)];
    const entity = String(archived[0]?.user_id);
    const now = Date.now();
    const row = (asOfMs: number, knownByMs: number) => ({ cells: { user_id: entity }, moment: { entity, asOfMs, knownByMs } });
    const rows = [
      row(now, now),
      row(Date.parse(first), now),
      row(Date.parse(first) - 1, now),
      row(now, Date.parse(last) - DAY_MS),
    ];
    const { text, known } = await exportFeatures(source, "fraud", rows, "ndjson");
    const found = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    source.s3.destroy();
    expect(known).toBe(2);
    expect(found.map(({ occurred_at }) => occurred_at)).toEqual([last, first, null, null]);
    const newest = ofOneUser.find(({ occurred_at }) => occurred_at === last);
    expect(found[0]).toMatchObject({ event_id: newest?.event_id, ...(newest?.features as object) });
  });
});

describe("an analyst", () => {
  it("gets the reason for a query that fails", async () => {
    await expect(runQuery(target, "SELECT features.nothing FROM archive_fraud")).rejects.toThrow(
      'COLUMN_NOT_FOUND: column "nothing" not found',
    );
  });

  it("can't use another workgroup", async () => {
    await expect(runQuery({ ...target, workgroup: "primary" }, "SELECT 1")).rejects.toThrow("athena:StartQueryExecution");
  });

  it("is told which saved queries there are", async () => {
    await expect(savedQuery(target, "none")).rejects.toThrow("there is alerts-by-rule, late-events,");
  });
});
