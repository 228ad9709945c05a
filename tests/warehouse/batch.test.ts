import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Principal } from "@risk/local-aws/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSqlClient } from "../../functions/loader/sql-client";
import { archiveLine, COPY_ROLE, clock, Harness } from "./harness";

const harness = new Harness();
const BATCH: Principal = { kind: "role", arn: "arn:aws:iam::000000000000:role/batch", roleName: "batch" };
const deadline = () => Date.now() + 25_000;

beforeAll(async () => {
  await harness.start();
  await harness.migrate();
  harness.put("archive/fraud/a.ndjson.gz", [
    archiveLine("e1", { occurred_at: "2026-01-31T08:00:00.123Z", features: { amount_log: 4.8, hour: null } }),
    archiveLine("e2", { score: 0.2 }),
    archiveLine("l1", { profile: "lead", score: 90, score_scale: 100 }),
  ]);
  await harness.loader()(deadline());
  harness.databaseRoles.splice(0, harness.databaseRoles.length, "risk_batch");
}, 60_000);
afterAll(() => harness.stop());

const keys = () => [...harness.objects.keys()].filter((key) => key.startsWith("pipelines/")).sort();
const lines = (key: string) =>
  String(harness.objects.get(`pipelines/${key}`))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const all = () => keys().flatMap((key) => lines(key.slice("pipelines/".length)));
const unload = (query: string, options = "", prefix = "temp/x_") =>
  `UNLOAD ('${query.replaceAll("'", "''")}') TO 's3://pipelines/${prefix}' IAM_ROLE '${COPY_ROLE}' FORMAT AS JSON ${options}`;

beforeEach(() => {
  for (const key of keys()) harness.objects.delete(key);
  harness.denied.clear();
});

describe("UNLOAD", () => {
  it("writes one JSON object a line in Redshift's forms", async () => {
    await harness.run(
      unload(
        `SELECT e.event_id, e."timestamp", e.scored_at::DATE AS day, e.features, e.input.note::VARCHAR AS note, TRUE AS yes, 1.50::NUMERIC(8, 2) AS n,
         NULL AS nothing, 1e300::DOUBLE PRECISION AS big, NVL(e.features.hour::INT, -1) AS hour, 'it''s' AS text
         FROM risk.risk_events e WHERE e.profile = 'fraud' AND e."timestamp" >= '2026-01-31' AND e.event_id = 'e1'`,
      ),
      BATCH,
    );
    expect(keys()).toEqual(["pipelines/temp/x_0000_part_00"]);
    expect(all()).toEqual([
      {
        event_id: "e1",
        timestamp: "2026-01-31 08:00:00.123+00",
        day: "2026-01-31",
        features: { amount_log: 4.8, hour: null },
        note: "Grüße \\ 'quoted' 🎉",
        yes: "t",
        n: 1.5,
        nothing: null,
        big: 1e300,
        hour: -1,
        text: "it's",
      },
    ]);
  });

  it("spreads rows over slices", async () => {
    await harness.run(unload("SELECT event_id FROM risk.risk_events"), BATCH);
    expect(keys()).toEqual(["pipelines/temp/x_0000_part_00", "pipelines/temp/x_0001_part_00"]);
    const { length } = await harness.warehouse.query("SELECT event_id FROM risk.risk_events");
    expect(new Set(all().map(({ event_id }) => event_id)).size).toBe(length);
  });

  it("carries out the push-down of a training extract", async () => {
    const millis = (column: string) => `DATEDIFF(millisecond, '1970-01-01'::TIMESTAMP, ${column} AT TIME ZONE 'UTC')`;
    const within = (row: string) =>
      `${row}.profile = 'fraud' AND ${row}."timestamp" >= '2026-01-31 00:00:00.000+00'::TIMESTAMPTZ AND ${row}."timestamp" < '2026-02-01 00:00:00.000+00'::TIMESTAMPTZ`;
    await harness.run(
      unload(
        `SELECT e.event_id AS "key", ${millis('e."timestamp"')} AS event_ms, e.features AS features, e.input."transaction_id" AS i0 FROM risk.risk_events AS e WHERE ${within("e")} AND e."timestamp" >= (SELECT MIN(newest.moment) FROM (SELECT n."timestamp" AS moment FROM risk.risk_events AS n WHERE ${within("n")} ORDER BY n."timestamp" DESC LIMIT 1) AS newest)`,
      ),
      BATCH,
    );
    const event_ms = Date.parse("2026-01-31T08:00:00.123Z");
    const features = { amount_log: 4.8, hour: null };
    // The newest one, and the other of the same moment.
    expect(all()).toEqual(["e1", "e2"].map((key) => ({ key, event_ms, features, i0: key })));
  });

  it("writes nothing for no rows", async () => {
    await harness.run(unload("SELECT event_id FROM risk.risk_events WHERE 1 = 0"), BATCH);
    expect(keys()).toEqual([]);
  });

  it("never overwrites", async () => {
    await harness.run(unload("SELECT event_id FROM risk.risk_events"), BATCH);
    const before = keys();
    await expect(harness.run(unload("SELECT 1 AS one"), BATCH)).rejects.toThrow(
      /destination on S3 is not empty: s3:\/\/pipelines\/temp\/x_0000_part_00/,
    );
    expect(keys()).toEqual(before);
  });

  it.each([
    ["arn:aws:s3:::pipelines", /s3:ListBucket/],
    ["arn:aws:s3:::pipelines/temp/x_0000_part_00", /s3:PutObject/],
    ["arn:aws:kms:us-east-1:000000000000:key/k", /kms:GenerateDataKey/],
  ])("needs the role's permission on %s", async (resource, message) => {
    harness.denied.add(resource);
    const sql = unload("SELECT 1 AS one", "KMS_KEY_ID 'arn:aws:kms:us-east-1:000000000000:key/k' ENCRYPTED");
    await expect(harness.run(sql, BATCH)).rejects.toThrow(message);
    expect(keys()).toEqual([]);
  });

  it("takes roles of the namespace alone", async () => {
    const sql = unload("SELECT 1 AS one").replace(COPY_ROLE, "arn:aws:iam::000000000000:role/stranger");
    await expect(harness.run(sql, BATCH)).rejects.toThrow(/stranger of COPY or UNLOAD is not associated with the namespace/);
  });

  it.each([
    ["SELECT 1 AS a, 2 AS a", /the column a is there twice/],
    ["SELECT 'NaN'::DOUBLE PRECISION AS a", /the column a has the value NaN/],
    ["SELECT event_id FROM risk.nowhere", /nowhere/],
    ["SELECT a ->> 'b' FROM t", /->> is PostgreSQL's/],
    ["COPY t FROM 's3://b/k' IAM_ROLE 'r' CSV", /takes a SELECT, got COPY/],
  ])("refuses %s", async (query, message) => {
    await expect(harness.run(unload(query), BATCH)).rejects.toThrow(message);
    expect(keys()).toEqual([]);
  });
});

describe("risk_batch", () => {
  it.each([
    'SELECT event_id, profile, "timestamp", scored_at, features, input FROM risk.risk_events',
    "SELECT event_id, label, labelled_at, source, received_at FROM risk.risk_labels",
    "DELETE FROM risk.batch_scores WHERE 1 = 0",
  ])("may %s", async (sql) => {
    await harness.run(sql, BATCH);
  });

  it.each([
    "SELECT user_id FROM risk.risk_events",
    "SELECT score FROM risk.risk_events",
    "SELECT reasons FROM risk.risk_events",
    "SELECT * FROM risk.risk_events",
    "SELECT raw_key FROM risk.quarantined_events",
    "SELECT * FROM risk.load_ledger",
    "SELECT * FROM risk.scores_by_day_band",
    "UPDATE risk.risk_events SET score = 0",
    "UPDATE risk.risk_labels SET label = false",
    "DROP TABLE risk.batch_scores",
  ])("may not %s", async (sql) => {
    await expect(harness.run(sql, BATCH)).rejects.toThrow(/permission denied|must be owner/);
    await expect(
      harness.run(unload(sql.startsWith("SELECT") ? sql : "SELECT band FROM risk.risk_events"), BATCH),
    ).rejects.toThrow();
    expect(keys()).toEqual([]);
  });
});

describe("batch scores", () => {
  const columns = "dataset, event_id, score_date, score, score_scale, model_version, scored_at";
  /** What a batch job sends to load a day: one transaction of Redshift SQL. */
  const loadDay = (source: string) =>
    createSqlClient(harness.dataApi(BATCH), clock).transaction(
      [
        "CREATE TEMP TABLE staged (LIKE risk.batch_scores_staging)",
        `COPY staged (${columns}) FROM '${source}' IAM_ROLE '${COPY_ROLE}' FORMAT AS JSON 'auto' GZIP`,
        `CREATE TEMP TABLE fresh DISTKEY (event_id) AS SELECT ${columns} FROM (SELECT ${columns}, ROW_NUMBER() OVER (PARTITION BY dataset, score_date, event_id ORDER BY scored_at DESC) AS place FROM staged) AS numbered WHERE place = 1`,
        "DELETE FROM fresh USING risk.batch_scores AS known WHERE known.dataset = fresh.dataset AND known.score_date = fresh.score_date AND known.event_id = fresh.event_id AND known.score = fresh.score AND known.model_version = fresh.model_version",
        `MERGE INTO risk.batch_scores USING fresh ON batch_scores.dataset = fresh.dataset AND batch_scores.score_date = fresh.score_date AND batch_scores.event_id = fresh.event_id WHEN MATCHED THEN UPDATE SET score = fresh.score, score_scale = fresh.score_scale, model_version = fresh.model_version, scored_at = fresh.scored_at, loaded_at = GETDATE() WHEN NOT MATCHED THEN INSERT (${columns}, loaded_at) VALUES (${columns
          .split(", ")
          .map((column) => `fresh.${column}`)
          .join(", ")}, GETDATE())`,
        "SELECT COUNT(*) AS changed FROM fresh",
      ],
      { name: "load-scores", token: randomUUID(), deadline: deadline() },
    );
  const score = (event_id: string, changes: Record<string, unknown> = {}) => ({
    dataset: "fraud",
    event_id,
    score_date: "2026-01-31",
    score: 0.75,
    score_scale: 1,
    model_version: "fraud-20260201-0badcafe",
    scored_at: "2026-02-01T03:00:00Z",
    ...changes,
  });
  const put = (key: string, scores: readonly object[]) =>
    harness.objects.set(`pipelines/${key}`, gzipSync(scores.map((one) => `${JSON.stringify(one)}\n`).join("")));
  const stored = () => harness.warehouse.query("SELECT * FROM risk.batch_scores ORDER BY dataset, score_date, event_id");

  beforeEach(() => harness.warehouse.query("DELETE FROM risk.batch_scores"));

  it("are loaded from every object below a prefix, and a second load of the day changes no row", async () => {
    put("inference/scores/fraud/dt=2026-01-31/part-0.json.gz", [score("e1"), score("e2", { score: 0.25 })]);
    put("inference/scores/fraud/dt=2026-01-31/part-1.json.gz", [score("e3")]);
    put("inference/scores/fraud/dt=2026-02-01/part-0.json.gz", [score("other", { score_date: "2026-02-01" })]);
    expect(await loadDay("s3://pipelines/inference/scores/fraud/dt=2026-01-31/")).toEqual([{ changed: "3" }]);
    const first = await stored();
    expect(first.map(({ event_id }) => event_id)).toEqual(["e1", "e2", "e3"]);
    put("inference/scores/fraud/dt=2026-01-31/part-1.json.gz", [score("e3", { scored_at: "2026-02-01T09:00:00Z" })]);
    expect(await loadDay("s3://pipelines/inference/scores/fraud/dt=2026-01-31/")).toEqual([{ changed: "0" }]);
    expect(await stored()).toEqual(first);
  });

  it("of another model replace those of the day", async () => {
    put("inference/scores/a/", []);
    put("inference/scores/a/1", [score("e1")]);
    await loadDay("s3://pipelines/inference/scores/a/");
    put("inference/scores/a/1", [score("e1", { score: 0.5, model_version: "m2" })]);
    expect(await loadDay("s3://pipelines/inference/scores/a/")).toEqual([{ changed: "1" }]);
    expect(await stored()).toMatchObject([{ score: 0.5, model_version: "m2" }]);
  });

  it("need a place that there is, with the role's permission", async () => {
    await expect(loadDay("s3://pipelines/nowhere/")).rejects.toThrow(
      /S3 prefix 'nowhere\/' does not exist in the bucket pipelines/,
    );
    put("inference/scores/a/1", [score("e1")]);
    harness.denied.add("arn:aws:s3:::pipelines");
    await expect(loadDay("s3://pipelines/inference/scores/a/")).rejects.toThrow(/s3:ListBucket/);
  });

  it("stand beside each other by day and beside real-time scores of the same events", async () => {
    put("inference/scores/a/1", [
      score("e1", { score: 0.8 }),
      score("e2", { score: 0.3 }),
      score("gone", { score: 1 }),
      score("l1", { dataset: "lead", score: 90, score_scale: 100 }),
    ]);
    await loadDay("s3://pipelines/inference/scores/a/");
    const values = (found: readonly object[]) => found.map((row) => Object.values(row).join(","));
    expect(
      values(
        await harness.run(
          'SELECT day, dataset, "rows", highest_score, ROUND(average_risk, 2) FROM risk.batch_scores_by_day ORDER BY 2',
        ),
      ),
    ).toEqual(["2026-01-31,fraud,3,1,0.7", "2026-01-31,lead,1,90,0.9"]);
    expect(values(await harness.run('SELECT dataset, bin, "rows" FROM risk.batch_score_bins ORDER BY 1, 2'))).toEqual([
      "fraud,3,1",
      "fraud,8,1",
      "fraud,9,1",
      "lead,9,1",
    ]);
    expect(
      values(
        await harness.run(
          "SELECT dataset, real_time_model, events, equal_scores, ROUND(largest_difference, 3) FROM risk.batch_and_real_time_by_day ORDER BY 1",
        ),
      ),
    ).toEqual(["fraud,m1,2,1,0.1", "lead,m1,1,1,0"]);
  });
});
