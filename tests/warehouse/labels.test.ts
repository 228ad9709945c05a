import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSqlClient } from "../../functions/loader/sql-client";
import type { LabelRecord } from "../../functions/scoring/core/label-record";
import { archiveLine, clock, Harness } from "./harness";

const harness = new Harness();
const deadline = () => Date.now() + 25_000;

beforeAll(async () => {
  await harness.start();
  await harness.migrate();
}, 60_000);
afterAll(() => harness.stop());
const empty = () =>
  harness.warehouse.query(
    "DELETE FROM risk.risk_labels; DELETE FROM risk.risk_events; DELETE FROM risk.loads; DELETE FROM risk.load_ledger",
  );
beforeEach(empty);

const day = (date: number) => `2026-02-${String(date).padStart(2, "0")}T00:00:00.000Z`;
const label = (event_id: string, changes: Partial<LabelRecord> = {}): LabelRecord => ({
  event_id,
  label: true,
  labelled_at: day(1),
  source: "chargeback",
  received_at: day(10),
  ...changes,
});
const rows = () =>
  harness.warehouse.query(
    "SELECT event_id, source, to_char(labelled_at AT TIME ZONE 'UTC', 'MM-DD') AS at, label FROM risk.risk_labels ORDER BY 1, 2, 3",
  );
const current = () => harness.run("SELECT event_id, label, source, labels FROM risk.current_labels ORDER BY event_id");
const load = () => harness.loader()(deadline());

describe("labels objects", () => {
  it("become rows with the load that brought them", async () => {
    harness.put("labels/dt=2026-02-10/a.ndjson.gz", [label("e1"), label("e2", { label: false, source: "crm" })]);
    expect(await load()).toMatchObject({ loads: 1, inserted: 2, failed: 0, pending: 0 });
    expect(await rows()).toEqual([
      { event_id: "e1", source: "chargeback", at: "02-01", label: true },
      { event_id: "e2", source: "crm", at: "02-01", label: false },
    ]);
    const [{ same } = {}] = await harness.warehouse.query(
      "SELECT count(*) = 2 AS same FROM risk.risk_labels r JOIN risk.loads l USING (load_id) WHERE l.target = 'risk_labels' AND r.loaded_at = l.loaded_at",
    );
    expect(same).toBe(true);
  });

  it("load beside events of the same run, each into its table", async () => {
    harness.put("archive/fraud/a.ndjson.gz", [archiveLine("e1")]);
    harness.put("labels/dt=2026-02-10/a.ndjson.gz", [label("e1")]);
    expect(await load()).toMatchObject({ loads: 2, inserted: 2 });
  });

  it("that say again what is known change no row", async () => {
    harness.put("labels/dt=2026-02-10/a.ndjson.gz", [label("e1")]);
    await load();
    const before = await harness.warehouse.query("SELECT * FROM risk.risk_labels");
    harness.put("labels/dt=2026-02-11/b.ndjson.gz", [
      label("e1", { received_at: day(11) }),
      label("e1", { received_at: day(12) }),
    ]);
    expect(await load()).toMatchObject({ rows: 2, inserted: 0, updated: 0, duplicates: 2 });
    expect(await harness.warehouse.query("SELECT * FROM risk.risk_labels")).toEqual(before);
  });

  it("that flip a verdict are rows of their own, and the newest counts, whatever comes first", async () => {
    harness.put("labels/dt=2026-02-10/flip.ndjson.gz", [label("e1", { label: false, labelled_at: day(5) })]);
    await load();
    harness.put("labels/dt=2026-02-11/late.ndjson.gz", [label("e1", { received_at: day(11) })]);
    expect(await load()).toMatchObject({ inserted: 1 });
    expect(await current()).toEqual([{ event_id: "e1", label: "false", source: "chargeback", labels: "2" }]);
  });

  it("that correct a verdict of the same time and source replace it, and an older one never comes back", async () => {
    harness.put("labels/dt=2026-02-10/a.ndjson.gz", [label("e1")]);
    harness.put("labels/dt=2026-02-11/b.ndjson.gz", [label("e1", { label: false, received_at: day(11) })]);
    expect(await load()).toMatchObject({ inserted: 1, duplicates: 1 });
    harness.put("labels/dt=2026-02-12/c.ndjson.gz", [label("e1", { received_at: day(12) })]);
    expect(await load()).toMatchObject({ updated: 1 });
    harness.put("labels/again.ndjson.gz", [label("e1", { label: false, received_at: day(11) })]);
    expect(await load()).toMatchObject({ updated: 0, duplicates: 1 });
    expect(await rows()).toMatchObject([{ label: true }]);
  });

  it("of two sources with one time: the one that came later counts, then the name", async () => {
    harness.put("labels/dt=2026-02-10/a.ndjson.gz", [
      label("e1", { source: "a", label: true, received_at: day(10) }),
      label("e1", { source: "b", label: false, received_at: day(11) }),
      label("e2", { source: "b", label: true }),
      label("e2", { source: "a", label: false }),
    ]);
    await load();
    expect(await current()).toMatchObject([
      { event_id: "e1", label: "false", source: "b" },
      { event_id: "e2", label: "false", source: "a" },
    ]);
  });

  it("leave rows that were inserted by hand alone", async () => {
    await harness.run(
      "INSERT INTO risk.risk_labels (event_id, label, labelled_at, source) VALUES ('e1', true, '2026-02-01', 'chargeback'), ('e2', true, '2026-02-01', 'crm')",
    );
    harness.put("labels/dt=2026-02-10/a.ndjson.gz", [label("e1")]);
    expect(await load()).toMatchObject({ duplicates: 1 });
    expect(await current()).toMatchObject([{ event_id: "e1" }, { event_id: "e2" }]);
  });

  const batch = fc.array(
    fc.record({
      event_id: fc.constantFrom("e1", "e2"),
      source: fc.constantFrom("crm", "chargeback"),
      labelled_at: fc.constantFrom(day(1), day(2), day(3)),
      label: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  );
  type Batch = (typeof batch extends fc.Arbitrary<infer T> ? T : never) & readonly unknown[];
  const keyOf = (one: Pick<LabelRecord, "event_id" | "source" | "labelled_at">) =>
    `${one.event_id} ${one.source} ${one.labelled_at.slice(5, 10)}`;
  /** As the API writes them: no key twice in a batch, one time of arrival a batch. */
  const recordsOf = (given: Batch, index: number): LabelRecord[] => {
    const unique = new Map(given.map((one) => [keyOf(one), one]));
    return [...unique.values()].map((one) => ({ ...one, received_at: day(10 + index) }));
  };
  const stored = async () => (await rows()).map(({ event_id, source, at, label: said }) => `${event_id} ${source} ${at} ${said}`);

  it("are one row a key with what was said last, however often they are delivered and however loads cut them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(batch, fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 5 }), async (given) => {
        await empty();
        const run = randomUUID();
        const expected = new Map<string, boolean>();
        const batches = given.map(([labels], index) => recordsOf(labels, index));
        for (const [index, [, again, isLoaded]] of given.entries()) {
          const records = batches[index] ?? [];
          for (const record of records) expected.set(keyOf(record), record.label);
          harness.put(`labels/${run}/${index}.ndjson.gz`, records);
          // Delivered again: the same object by the same name, and its lines by another.
          if (again > 0) harness.announce(`labels/${run}/${index}.ndjson.gz`, 1);
          if (again < index) harness.put(`labels/${run}/${index}-again.ndjson.gz`, batches[again] ?? []);
          if (isLoaded) await load();
        }
        expect(await load()).toMatchObject({ failed: 0, pending: 0 });
        expect(await stored()).toEqual([...expected].map(([key, said]) => `${key} ${said}`).sort());
        expect((await current()).length).toBe(new Set([...expected.keys()].map((key) => key.split(" ")[0])).size);
      }),
      { numRuns: 15, seed: 4 },
    );
  }, 60_000);
});

describe("queries over labels", () => {
  beforeEach(async () => {
    harness.put("archive/fraud/a.ndjson.gz", [
      // Scores and truths with one pair out of four in the wrong order, and a tie: AUC (1 + 1 + 0.5 + 1) / 4.
      archiveLine("p1", { score: 0.9 }),
      archiveLine("p2", { score: 0.5 }),
      archiveLine("n1", { score: 0.5 }),
      archiveLine("n2", { score: 0.1 }),
      archiveLine("unknown", { score: 0.99 }),
    ]);
    harness.put("labels/dt=2026-02-10/a.ndjson.gz", [
      label("p1"),
      label("p2", { label: false }),
      label("p2", { labelled_at: day(9), source: "investigation" }),
      label("n1", { label: false }),
      label("n2", { label: false, labelled_at: day(5) }),
      label("nowhere"),
    ]);
    await load();
  });
  const sample = (name: string) =>
    createSqlClient(harness.dataApi(), clock).query(readFileSync(join(process.cwd(), `sql/queries/${name}.sql`), "utf8"), {
      name,
      token: randomUUID(),
      deadline: deadline(),
    });

  it("tell precision, recall and AUC of each model by week", async () => {
    expect(await sample("model_performance")).toEqual([
      {
        week: "2026-01-26",
        profile: "fraud",
        model_version: "m1",
        events: "4",
        positives: "2",
        precision: "1",
        recall: "0.5",
        auc: "0.875",
      },
    ]);
  });

  it("tell how late labels are and how often they are revised", async () => {
    const found = await sample("late_labels");
    expect(found).toMatchObject([
      { source: "chargeback", labels: "4", positives: "1", revisions: "0" },
      { source: "investigation", labels: "1", positives: "1", revisions: "1" },
    ]);
    expect(Number(found[0]?.longest_days)).toBeCloseTo(4.67, 2);
    expect(Number(found[1]?.average_days_on_the_way)).toBe(1);
  });

  it("tell how much is labelled", async () => {
    expect(await harness.run("SELECT week, profile, events, labelled, positives FROM risk.label_coverage")).toEqual([
      { week: "2026-01-26", profile: "fraud", events: "5", labelled: "4", positives: "2" },
    ]);
  });
});

describe("privileges on labels", () => {
  const as = async (role: string, sql: string) => {
    harness.databaseRoles.splice(0, harness.databaseRoles.length, role);
    try {
      return await harness.run(sql, { kind: "role", arn: `arn:aws:iam::000000000000:role/${role}`, roleName: role });
    } finally {
      harness.databaseRoles.splice(0, harness.databaseRoles.length, "risk_loader");
    }
  };

  it.each([
    ["risk_analyst", "SELECT event_id FROM risk.current_labels"],
    ["risk_analyst", "SELECT labelled FROM risk.label_coverage"],
    ["risk_bi", "SELECT labelled FROM risk.label_coverage"],
    [
      "risk_labeller",
      "INSERT INTO risk.risk_labels (event_id, label, labelled_at, source) VALUES ('x', true, '2026-02-01', 'crm')",
    ],
    ["risk_batch", "SELECT * FROM risk.current_labels"],
  ])("%s may %s", async (role, sql) => {
    await as(role, sql);
  });

  it.each([
    ["risk_bi", "SELECT event_id FROM risk.current_labels"],
    ["risk_analyst", "DELETE FROM risk.risk_labels"],
    ["risk_labeller", "SELECT event_id FROM risk.risk_labels"],
    ["risk_batch", "INSERT INTO risk.risk_labels (event_id, label, labelled_at, source) VALUES ('x', true, '2026-02-01', 'crm')"],
  ])("%s may not %s", async (role, sql) => {
    await expect(as(role, sql)).rejects.toThrow(/permission denied/);
  });
});
