import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSqlClient, StatementFailed } from "../../functions/loader/sql-client";
import { archiveLine, clock, Harness, LOADER, MemoryQueue, migrations } from "./harness";

const harness = new Harness();
const deadline = () => Date.now() + 25_000;
const count = async (table: string) => Number((await harness.warehouse.query(`SELECT count(*) AS n FROM risk.${table}`))[0]?.n);

beforeAll(async () => {
  await harness.start();
  await harness.migrate();
}, 60_000);
afterAll(() => harness.stop());
beforeEach(async () => {
  for (const table of ["risk_events", "quarantined_events", "risk_labels", "batch_scores", "loads", "load_ledger"])
    await harness.warehouse.query(`DELETE FROM risk.${table}`);
  harness.objects.clear();
  while ((await harness.queue.size()) > 0) {
    harness.queue.expire();
    await harness.queue.remove(await harness.queue.receive());
  }
});

describe("migrations on a real server", () => {
  const next = String(migrations().length + 1).padStart(4, "0");

  it("are all there after the first run and untouched by the second", async () => {
    const names = migrations().map(({ name }) => name);
    expect(await harness.migrate()).toEqual({ applied: [], alreadyApplied: names });
  });

  it("refuses a migration that was changed after it had been applied", async () => {
    const changed = migrations().map((one, index) => (index === 1 ? { ...one, sql: `${one.sql}\n-- changed` } : one));
    await expect(harness.migrate(changed)).rejects.toThrow(/0002_views was changed after it had been applied/);
  });

  it("rolls a failing migration back as a whole and names its statement", async () => {
    const broken = [
      ...migrations(),
      { name: `${next}_broken`, sql: "CREATE TABLE risk.half (a INT); SELECT nothing FROM risk.nowhere" },
    ];
    await expect(harness.migrate(broken)).rejects.toThrow(/migrate-\d{4}_broken failed at statement 4: .*nowhere/);
    await expect(harness.warehouse.query("SELECT 1 FROM risk.half")).rejects.toThrow(/does not exist/);
  });

  it("lets two migrators at once apply each migration once", async () => {
    const more = [...migrations(), { name: `${next}_race`, sql: "CREATE TABLE risk.race (a INT)" }];
    const results = await Promise.all([harness.migrate(more), harness.migrate(more)]);
    expect(results.flatMap(({ applied }) => applied)).toEqual([`${next}_race`]);
    await harness.warehouse.query("DROP TABLE risk.race; DELETE FROM risk.schema_migrations WHERE name LIKE '%_race'");
  });
});

describe("the loader", () => {
  it("loads archive and quarantine objects field by field", async () => {
    harness.put("archive/fraud/dt=2026-01-31/a b+c'd.ndjson.gz", [
      archiveLine("e1"),
      archiveLine("e2", { user_id: null, amount: null }),
    ]);
    harness.put("quarantine/fraud/dt=2026-01-31/q.ndjson.gz", [
      {
        source_position: "s:1",
        source: "kinesis",
        profile: "fraud",
        arrived_at: "2026-01-31T08:00:00.000Z",
        reason: "not_json",
        detail: "Expected JSON.",
        event_id: null,
        size_bytes: 3,
        raw_key: "quarantine/fraud/dt=2026-01-31/q.ndjson.gz",
        raw_line: 1,
      },
    ]);
    const summary = await harness.loader()(deadline());
    expect(summary).toEqual({
      loads: 2,
      objects: 2,
      rows: 3,
      inserted: 3,
      updated: 0,
      duplicates: 0,
      alreadyLoaded: 0,
      failed: 0,
      pending: 0,
    });
    const [row] = await harness.warehouse.query(
      `SELECT "timestamp", score, flags, reasons -> 1 ->> 'text' AS text, input ->> 'note' AS note, category FROM risk.risk_events WHERE event_id = 'e1'`,
    );
    expect(row).toEqual({
      timestamp: new Date("2026-01-31T08:00:00.123Z"),
      score: 0.8,
      flags: ["impossible_travel", "high_amount"],
      text: "It's \\ large",
      note: "Grüße \\ 'quoted' 🎉",
      category: null,
    });
    expect(await harness.warehouse.query("SELECT reason, size_bytes, raw_key, raw_line FROM risk.quarantined_events")).toEqual([
      { reason: "not_json", size_bytes: "3", raw_key: "quarantine/fraud/dt=2026-01-31/q.ndjson.gz", raw_line: "1" },
    ]);
    expect(await harness.warehouse.query("SELECT object_key, status, rows FROM risk.load_ledger ORDER BY 1")).toEqual([
      { object_key: "archive/fraud/dt=2026-01-31/a b+c'd.ndjson.gz", status: "loaded", rows: "2" },
      { object_key: "quarantine/fraud/dt=2026-01-31/q.ndjson.gz", status: "loaded", rows: "1" },
    ]);
  });

  it("keeps one row per event when lines repeat within and between objects", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1"), archiveLine("e1"), archiveLine("e2")]);
    harness.put("archive/fraud/b.ndjson.gz", [archiveLine("e2"), archiveLine("e3")]);
    expect(await harness.loader()(deadline())).toMatchObject({ rows: 5, inserted: 3, duplicates: 2 });
    harness.put("archive/fraud/c.ndjson.gz", [archiveLine("e3"), archiveLine("e4")]);
    expect(await harness.loader()(deadline())).toMatchObject({ rows: 2, inserted: 1, updated: 0, duplicates: 1 });
    expect(await count("risk_events")).toBe(4);
  });

  it("loads objects of earlier versions, which are gzip, beside those of this one", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1"), archiveLine("e2")]);
    harness.put("archive/fraud/b.ndjson.zst", [archiveLine("e2"), archiveLine("e3")]);
    expect(await harness.loader()(deadline())).toMatchObject({ loads: 2, rows: 4, inserted: 3, duplicates: 1, pending: 0 });
    expect(await count("risk_events")).toBe(3);
  });

  it("takes a later score of a known event and never an earlier one", async () => {
    harness.put("archive/fraud/new.ndjson.gz", [archiveLine("e1", { score: 0.9, scored_at: "2026-02-02T00:00:00.000Z" })]);
    await harness.loader()(deadline());
    harness.put("archive/fraud/old.ndjson.gz", [archiveLine("e1")]);
    expect(await harness.loader()(deadline())).toMatchObject({ updated: 0, duplicates: 1 });
    harness.put("archive/fraud/newest.ndjson.gz", [archiveLine("e1", { score: 0.1, scored_at: "2026-03-03T00:00:00.000Z" })]);
    expect(await harness.loader()(deadline())).toMatchObject({ updated: 1, duplicates: 0 });
    expect(await harness.warehouse.query("SELECT score FROM risk.risk_events")).toEqual([{ score: 0.1 }]);
  });

  it("loads nothing twice when it is stopped after the commit and before the acknowledgement", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1")]);
    const crashing = Object.assign(Object.create(MemoryQueue.prototype), harness.queue, {
      remove: () => Promise.reject(new Error("killed")),
    });
    await expect(harness.loader({ queue: crashing })(deadline())).rejects.toThrow("killed");
    harness.queue.expire();
    expect(await harness.loader()(deadline())).toMatchObject({ loads: 0, alreadyLoaded: 1, pending: 0 });
    expect(await count("risk_events")).toBe(1);
    expect(await count("load_ledger")).toBe(1);
    expect(await harness.queue.size()).toBe(0);
  });

  it("keeps one row per event when several loaders get the same messages at once", async () => {
    const queues = [new MemoryQueue(), new MemoryQueue(), new MemoryQueue()];
    for (let index = 0; index < 12; index++) {
      harness.put(`archive/fraud/${index}.ndjson.gz`, [archiveLine(`e${index}`), archiveLine(`e${(index + 1) % 12}`)]);
    }
    for (const message of [...(await harness.queue.receive()), ...(await harness.queue.receive())]) {
      for (const queue of queues) queue.send(message.body);
    }
    const summaries = await Promise.all(queues.map((queue) => harness.loader({ queue })(deadline())));
    expect(summaries.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(12);
    expect(await count("risk_events")).toBe(12);
    expect(await count("load_ledger")).toBe(12);
  });

  it("finds the one bad object and loads the others", async () => {
    for (let index = 0; index < 6; index++) harness.put(`archive/fraud/${index}.ndjson.gz`, [archiveLine(`e${index}`)]);
    harness.putBytes("archive/fraud/bad.ndjson.gz", Buffer.from("no gzip"));
    harness.announce("archive/fraud/gone.ndjson.gz", 10);
    const summary = await harness.loader()(deadline());
    expect(summary).toMatchObject({ objects: 6, inserted: 6, failed: 2, pending: 0 });
    expect(await harness.queue.size()).toBe(2);
  });

  it("leaves messages that name nothing to load, and removes the notification's test", async () => {
    harness.queue.send("no json");
    harness.queue.send(JSON.stringify({ Service: "Amazon S3", Event: "s3:TestEvent" }));
    harness.announce("elsewhere/x.ndjson.gz", 1);
    expect(await harness.loader()(deadline())).toMatchObject({ failed: 2, pending: 0, loads: 0 });
    expect(await harness.queue.size()).toBe(2);
  });

  it("says what another run holds, and waits for it", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1")]);
    const held = await harness.queue.receive();
    expect(await harness.loader()(deadline())).toMatchObject({ pending: 1, loads: 0 });
    await harness.queue.remove(held);
    expect(await harness.loader()(deadline())).toMatchObject({ pending: 0 });
  });

  it("stops with the reason when the warehouse itself refuses, and keeps every message", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1")]);
    harness.databaseRoles.length = 0;
    await expect(harness.loader()(deadline())).rejects.toThrow(/permission denied for schema risk/);
    harness.databaseRoles.push("risk_loader");
    expect(await harness.queue.size()).toBe(1);
  });

  it("replaces characters that no text column takes rather than losing the line", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1", { category: "a\u0000b", input: { text: "\ud800x\u0000" } })]);
    expect(await harness.loader()(deadline())).toMatchObject({ inserted: 1, failed: 0 });
    expect(await harness.warehouse.query("SELECT category, input ->> 'text' AS text FROM risk.risk_events")).toEqual([
      { category: "a?b", text: "?x?" },
    ]);
  });
});

describe("privileges", () => {
  const as = (role: string) => ({ ...LOADER, roleName: role });
  const run = async (role: string, sql: string) => {
    harness.databaseRoles.splice(0, harness.databaseRoles.length, role);
    try {
      const client = createSqlClient(harness.dataApi(as(role)), clock);
      return await client.transaction([sql], { name: "privileges", token: randomUUID(), deadline: deadline() });
    } finally {
      harness.databaseRoles.splice(0, harness.databaseRoles.length, "risk_loader");
    }
  };

  it("lets an analyst read scores and views but not the input, and a dashboard only the views", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1")]);
    await harness.loader()(deadline());
    expect(await run("risk_analyst", "SELECT event_id, reasons[0].code::VARCHAR AS code FROM risk.risk_events")).toEqual([
      { event_id: "e1", code: "impossible_travel" },
    ]);
    expect(await run("risk_analyst", "SELECT main_reason FROM risk.top_risky_users")).toEqual([
      { main_reason: "impossible_travel" },
    ]);
    await expect(run("risk_analyst", "SELECT input FROM risk.risk_events")).rejects.toThrow(/permission denied/);
    await expect(run("risk_analyst", "SELECT raw_key FROM risk.quarantined_events")).rejects.toThrow(/permission denied/);
    await expect(run("risk_analyst", "DELETE FROM risk.risk_events")).rejects.toThrow(StatementFailed);
    expect(await run("risk_bi", "SELECT events FROM risk.freshness")).toEqual([{ events: "1" }]);
    await expect(run("risk_bi", "SELECT event_id FROM risk.risk_events")).rejects.toThrow(/permission denied/);
  });
});
