import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AwsError } from "@risk/local-aws/testing";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSqlClient } from "../../functions/loader/sql-client";
import type { GenerationRecord } from "../../functions/scoring/core/generation-record";
import { archiveLine, clock, Harness, LOADER } from "./harness";

const harness = new Harness();
const where = { WorkgroupName: "risk", Database: "risk" };

async function finished(id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const state = await harness.call("DescribeStatement", { Id: id });
    if (["FINISHED", "FAILED", "ABORTED"].includes(String(state.Status))) return state;
    await clock.sleep(5);
  }
}

/** What a replay decided about an event of the archive. */
function generationLine(id: string, decision_generation: number, changes: Partial<GenerationRecord> = {}): GenerationRecord {
  const { event_id, profile, user_id, occurred_at, score_scale, model_version, geo_flag, velocity_flag, ...line } =
    archiveLine(id);
  return {
    ...{ event_id, profile, user_id, occurred_at, score_scale, model_version, geo_flag, velocity_flag, decision_generation },
    scored_at: `2026-02-0${decision_generation}T00:00:00.000Z`,
    score: 0.3,
    band: "low",
    policy_version: `p${decision_generation}`,
    flags: [],
    reasons: [],
    amount_flag: line.amount_flag,
    hour_flag: line.hour_flag,
    features: line.features,
    ...changes,
  };
}

beforeAll(async () => {
  await harness.start();
  await harness.migrate();
  harness.put("archive/fraud/a.ndjson.gz", [
    archiveLine("e1"),
    archiveLine("e2", { score: 0.2, band: "low", flags: ["high_amount"], geo_flag: false }),
    archiveLine("e3", { user_id: "tok_other", score: 0.95, model_version: "m2", occurred_at: "2026-01-30T08:00:00.000Z" }),
    archiveLine("l1", { profile: "lead", user_id: null, score: 90, score_scale: 100, flags: [], reasons: [], country: null }),
  ]);
  harness.put("generations/1/fraud/a.ndjson.zst", [generationLine("e1", 1), generationLine("e2", 1, { score: 0.5 })]);
  harness.put("generations/2/fraud/a.ndjson.zst", [generationLine("e1", 2, { score: 0.6, flags: ["high_amount"] })]);
  await harness.loader()(Date.now() + 20_000);
}, 60_000);
afterAll(() => harness.stop());

describe("the views", () => {
  it.each([
    [
      "SELECT day, profile, band, events FROM risk.scores_by_day_band ORDER BY 1, 2, 3",
      ["2026-01-30,fraud,high,1", "2026-01-31,fraud,high,1", "2026-01-31,fraud,low,1", "2026-01-31,lead,high,1"],
    ],
    [
      "SELECT user_id, highest_score, events, flagged_events, main_reason, main_reason_contribution FROM risk.top_risky_users ORDER BY risk DESC",
      ["tok_other,0.95,1,1,impossible_travel,0.5", "tok_user,0.8,2,1,impossible_travel,0.5"],
    ],
    [
      "SELECT rule, hits, events, ROUND(hit_rate, 3) FROM risk.rule_hit_rates ORDER BY 1",
      ["high_amount,3,3,1", "impossible_travel,2,3,0.667"],
    ],
    [
      "SELECT profile, country, latitude_cell, events, geo_flagged FROM risk.geography ORDER BY 1",
      ["fraud,DE,48,3,2", "lead,unknown,48,1,1"],
    ],
    [
      "SELECT profile, model_version, events, average_risk FROM risk.model_comparison ORDER BY 1, 2",
      ["fraud,m1,2,0.5", "fraud,m2,1,0.95", "lead,m1,1,0.9"],
    ],
    [
      "SELECT event_id, decision_generation, score, band, policy_version, flags[0]::VARCHAR(256) AS rule FROM risk.newest_decisions ORDER BY 1",
      ["e1,2,0.6,low,p2,high_amount", "e2,1,0.5,low,p1,", "e3,0,0.95,high,p1,impossible_travel", "l1,0,90,high,p1,"],
    ],
    [
      "SELECT decision_generation, profile, band_before, band_after, events, ROUND(average_difference, 3) AS average, ROUND(largest_difference, 3) AS largest FROM risk.decision_generation_changes ORDER BY 1, 3, 4",
      ["1,fraud,high,low,1,0.5,0.5", "1,fraud,low,low,1,0.3,0.3", "2,fraud,high,low,1,0.2,0.2"],
    ],
    ["SELECT profile, events, seconds_since_last_load < 600 FROM risk.freshness ORDER BY 1", ["fraud,3,true", "lead,1,true"]],
  ])("answer %s", async (sql, expected) => {
    const rows = await harness.run(sql);
    expect(rows.map((row) => Object.values(row).join(","))).toEqual(expected);
  });

  it("keep one row per event and decision generation, however often a replay's objects come", async () => {
    harness.put("generations/1/fraud/partition_0001.ndjson.zst", [
      generationLine("e1", 1),
      generationLine("e2", 1, { score: 0.5 }),
    ]);
    expect(await harness.loader()(Date.now() + 20_000)).toMatchObject({ loads: 1, inserted: 0, updated: 0, failed: 0 });
    const [counts] = await harness.run(
      "SELECT (SELECT COUNT(*) FROM risk.decision_generations) AS decisions, (SELECT COUNT(*) FROM risk.newest_decisions) AS newest, (SELECT COUNT(*) FROM risk.risk_events) AS events",
    );
    expect(Object.values(counts ?? {}).map(Number)).toEqual([3, 4, 4]);
  });

  it("serve every sample query", async () => {
    const folder = join(process.cwd(), "sql/queries");
    for (const file of readdirSync(folder)) {
      const sql = readFileSync(join(folder, file), "utf8");
      const parameters = sql.includes(":user_id") ? { Parameters: [{ name: "user_id", value: "tok_user" }] } : {};
      const { Id } = await harness.call("ExecuteStatement", { ...where, Sql: sql, ...parameters });
      expect(await finished(String(Id)), file).toMatchObject({ Status: "FINISHED", HasResultSet: true });
    }
  });

  it("are there for psql without naming the schema, with Redshift's functions", async () => {
    const client = new Client({ connectionString: harness.warehouse.url });
    await client.connect();
    const { rows } = await client.query(
      "SELECT count(*)::int AS n, datediff('day', min(\"timestamp\")::timestamp, max(\"timestamp\")::timestamp)::int AS days, nvl(null, 'x') AS x FROM risk_events",
    );
    await client.end();
    expect(rows).toEqual([{ n: 4, days: 1, x: "x" }]);
  });
});

describe("models side by side", () => {
  const shadow = (score: number, band: string) => ({ challengers: [{ model: "trees-2", score, band }] });

  beforeAll(async () => {
    harness.put("archive/fraud/models.ndjson.gz", [
      // A fraud that the champion let through and the challenger stops: 400 saved.
      archiveLine("m1", { ...shadow(0.9, "critical"), score: 0.2, band: "low", amount: 400, model_version: "trees-1" }),
      // An honest customer whom only the challenger stops: a review of 5.
      archiveLine("m2", { ...shadow(0.7, "high"), score: 0.1, band: "low", amount: 80, model_version: "trees-1" }),
      // Both right.
      archiveLine("m3", { ...shadow(0.95, "critical"), score: 0.95, band: "critical", amount: 900, model_version: "trees-1" }),
      // Nobody knows yet.
      archiveLine("m4", { ...shadow(0.1, "low"), score: 0.1, band: "low", model_version: "trees-1" }),
      archiveLine("m5", { model_role: "fallback", model_fallback: "trees-1: artifact", model_version: "rules-only" }),
    ]);
    await harness.loader()(Date.now() + 20_000);
    await harness.run(
      "INSERT INTO risk.risk_labels (event_id, label, labelled_at, source) VALUES ('m1', false, '2026-02-01', 'guess'), ('m1', true, '2026-02-09', 'chargeback'), ('m2', false, '2026-02-09', 'investigation'), ('m3', true, '2026-02-09', 'chargeback')",
    );
  });

  it("tell agreement and difference, and who stood in for whom", async () => {
    const agreement = await harness.run(
      "SELECT answered_by, challenger, events, agreement, ROUND(largest_difference::NUMERIC(18, 6), 2) FROM risk.challenger_agreement",
    );
    expect(agreement.map((row) => Object.values(row).join(","))).toEqual(["trees-1,trees-2,4,0.5,0.70"]);
    const fallbacks = await harness.run("SELECT answered_by, model_fallback, events FROM risk.model_fallbacks");
    expect(fallbacks.map((row) => Object.values(row).join(","))).toEqual(["rules-only,trees-1: artifact,1"]);
  });

  it("are priced by a cost matrix over the newest labels", async () => {
    const sql = readFileSync(join(process.cwd(), "sql/queries/model_costs.sql"), "utf8");
    const client = createSqlClient(harness.dataApi(), clock);
    const [row] = await client.query(sql, { name: "costs", token: "costs", deadline: Date.now() + 20_000 });
    expect(row).toMatchObject({ answered_by: "trees-1", challenger: "trees-2", events: "3", positives: "2" });
    expect(row).toMatchObject({ false_alarms: "0", challenger_false_alarms: "1", misses: "1", challenger_misses: "0" });
    expect([row?.cost, row?.challenger_cost, row?.saved_by_challenger].map(Number)).toEqual([400, 5, 395]);
  });
});

describe("Redshift's functions", () => {
  it.each([
    ["DATEDIFF(week, '2026-01-03', '2026-01-04')", "1"],
    ["DATEDIFF(month, '2026-01-31', '2026-02-01')", "1"],
    ["DATEDIFF(hour, '2026-01-01 00:59', '2026-01-01 01:00')", "1"],
    ["DATEADD(month, 1, '2026-01-31')", "2026-02-28 00:00:00"],
    ["LAST_DAY('2026-02-10')", "2026-02-28"],
    ["ROUND(1.005::DOUBLE PRECISION * 100, 1)", "100.5"],
    ["'a\\\\b'", "a\\b"],
  ])("%s is %s", async (expression, expected) => {
    expect(Object.values((await harness.run(`SELECT ${expression} AS x`))[0] ?? {})).toEqual([expected]);
  });
});

describe("the Data API", () => {
  it("answers before it runs, and types every field", async () => {
    const started = await harness.call("ExecuteStatement", {
      ...where,
      Sql: "SELECT 1 AS a, 1.5::FLOAT AS b, TRUE AS c, NULL AS d, :x AS e, '2026-01-01 00:00:00Z'::TIMESTAMPTZ AS f, 2.50::NUMERIC(8, 2) AS g",
      Parameters: [{ name: "x", value: "'; DROP TABLE risk.loads; --" }],
    });
    expect(await finished(String(started.Id))).toMatchObject({ Status: "FINISHED", ResultRows: 1 });
    const result = await harness.call("GetStatementResult", { Id: started.Id });
    expect(result.Records).toEqual([
      [
        { longValue: 1 },
        { doubleValue: 1.5 },
        { booleanValue: true },
        { isNull: true },
        { stringValue: "'; DROP TABLE risk.loads; --" },
        { stringValue: "2026-01-01 00:00:00+00" },
        { stringValue: "2.50" },
      ],
    ]);
  });

  it("rolls a batch back as a whole and says which statement failed and why", async () => {
    const Sqls = ["CREATE TABLE risk.gone (a INT)", "INSERT INTO risk.gone VALUES (1)", "SELECT * FROM risk.nowhere", "SELECT 1"];
    const { Id } = await harness.call("BatchExecuteStatement", { ...where, Sqls });
    const state = await finished(String(Id));
    expect(state.Status).toBe("FAILED");
    expect(state.Error).toMatch(/Query #3 failed with ERROR: relation "risk.nowhere" does not exist/);
    expect((state.SubStatements as { Status: string }[]).map(({ Status }) => Status)).toEqual([
      "FINISHED",
      "FINISHED",
      "FAILED",
      "ABORTED",
    ]);
    await expect(harness.warehouse.query("SELECT 1 FROM risk.gone")).rejects.toThrow(/does not exist/);
  });

  it("runs a request once for one client token", async () => {
    const body = { ...where, Sql: "SELECT 1", ClientToken: "same" };
    const [first, second] = await Promise.all([harness.call("ExecuteStatement", body), harness.call("ExecuteStatement", body)]);
    expect(second.Id).toBe(first.Id);
  });

  it("pages long results", async () => {
    const { Id } = await harness.call("ExecuteStatement", {
      ...where,
      Sql: "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT i FROM n",
    });
    await finished(String(Id));
    const pages: number[] = [];
    let NextToken: unknown;
    do {
      const page: Record<string, unknown> = await harness.call("GetStatementResult", { Id, NextToken });
      pages.push((page.Records as unknown[]).length);
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(pages).toEqual([1000, 1000, 500]);
  });

  it("cancels what is running", async () => {
    const { Id } = await harness.call("ExecuteStatement", { ...where, Sql: "SELECT pg_sleep(20)" });
    while ((await harness.call("DescribeStatement", { Id })).Status !== "STARTED") await clock.sleep(5);
    expect(await harness.call("CancelStatement", { Id })).toEqual({ Status: true });
    await harness.service.statements.settled();
    expect(await harness.call("DescribeStatement", { Id })).toMatchObject({ Status: "ABORTED" });
  });

  it.each([
    ["ExecuteStatement", { ...where, WorkgroupName: "other", Sql: "SELECT 1" }, /workgroup other. There is: risk/],
    ["ExecuteStatement", { ...where, Database: "other", Sql: "SELECT 1" }, /database "other" does not exist/],
    ["ExecuteStatement", { ...where, Sql: "" }, /1 to 100000 bytes, got 0/],
    ["ExecuteStatement", { ...where, Sql: "x".repeat(100_001) }, /100000 bytes/],
    ["ExecuteStatement", { ...where, Sql: "SELECT 1", SessionKeepAliveSeconds: 5 }, /SessionKeepAliveSeconds is not supported/],
    ["ExecuteStatement", { ...where, Sql: "SELECT 1", SecretArn: "arn:other" }, /holds no credentials of workgroup risk/],
    ["BatchExecuteStatement", { ...where, Sqls: Array.from({ length: 41 }, () => "SELECT 1") }, /1 to 40 statements/],
    ["DescribeStatement", { Id: "nothing" }, /Query does not exist/],
    ["PutThing", {}, /does not support redshift-data:PutThing.*ExecuteStatement/],
  ])("refuses %s %#", async (action, body, message) => {
    await expect(harness.call(action, body)).rejects.toThrow(AwsError);
    await expect(harness.call(action, body)).rejects.toThrow(message);
  });

  it("asks for the workgroup and for its credentials", () => {
    const permissions = (body: Record<string, unknown>) =>
      harness.service.permissions({
        service: "redshift-data",
        region: "us-east-1",
        action: "ExecuteStatement",
        method: "POST",
        url: new URL("http://127.0.0.1/"),
        headers: {},
        body: Buffer.from(JSON.stringify(body)),
        principal: LOADER,
      });
    expect(permissions(where)).toEqual([
      { action: "redshift-data:ExecuteStatement", resource: harness.workgroupArn },
      { action: "redshift-serverless:GetCredentials", resource: harness.workgroupArn },
    ]);
    expect(permissions({ ...where, SecretArn: "arn:s" })[1]).toEqual({
      action: "secretsmanager:GetSecretValue",
      resource: "arn:s",
    });
  });

  it("lets COPY read only what the role may, with a role of the namespace", async () => {
    harness.objects.set("data/x.json", Buffer.from('{"holder": "a"}\n'));
    const copy = (role: string) => harness.run(`COPY risk.load_lock FROM 's3://data/x.json' IAM_ROLE '${role}' JSON 'auto'`);
    await expect(copy("arn:aws:iam::000000000000:role/stranger")).rejects.toThrow(/not associated with the namespace/);
    harness.denied.add("arn:aws:s3:::data/x.json");
    await expect(copy("arn:aws:iam::000000000000:role/copy")).rejects.toThrow(/not authorized to perform s3:GetObject/);
    harness.denied.clear();
    await copy("arn:aws:iam::000000000000:role/copy");
    expect(await harness.warehouse.query("SELECT holder FROM risk.load_lock")).toEqual([{ holder: "a" }]);
  });

  it("refuses a value that is longer in bytes than its column", async () => {
    harness.objects.set("data/long.json", Buffer.from(JSON.stringify({ holder: "ü".repeat(40) })));
    await expect(
      harness.run("COPY risk.load_lock FROM 's3://data/long.json' IAM_ROLE 'arn:aws:iam::000000000000:role/copy' JSON 'auto'"),
    ).rejects.toThrow(/column holder: String length exceeds DDL length \(80 bytes, at most 64\)/);
  });
});
