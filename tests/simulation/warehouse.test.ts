/** The simulated warehouse and PostgreSQL, given the same loads, answer the same and hold the same. */
import { randomUUID } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSqlClient, StatementFailed } from "../../functions/loader/sql-client";
import { ledgerQueries, loadStatements, manifestOf } from "../../functions/loader/statements";
import { type LoadTarget, TARGETS } from "../../functions/loader/targets";
import { Random } from "../../simulation/kernel/random";
import { Transaction, Warehouse } from "../../simulation/services/warehouse";
import { type Row, SqlError } from "../../simulation/services/warehouse-values";
import { archiveLine, COPY_ROLE, clock, Harness, LOADER } from "../warehouse/harness";

const harness = new Harness();

beforeAll(async () => {
  await harness.start();
  await harness.migrate();
}, 60_000);
afterAll(() => harness.stop());

const model = new Warehouse({
  read: (bucket, key) => harness.objects.get(`${bucket}/${key}`),
  now: () => 0,
  targets: TARGETS,
});

type Line = Readonly<Record<string, unknown>>;

/** Few keys and few times, so that lines repeat, contradict and outdate each other. */
function lineOf(table: LoadTarget["table"], random: Random): Line {
  const time = (hour: number) => `2026-01-31T0${hour}:00:00.${random.pick(["000", "120"])}Z`;
  switch (table) {
    case "risk_events": {
      const position = `shardId-000000000000:${random.between(1, 3)}`;
      const line: Line = archiveLine(`e${random.between(1, 5)}`, {
        scored_at: time(random.between(1, 3)),
        source_position: position,
      });
      if (random.chance(0.04)) return { ...line, band: null };
      if (random.chance(0.04)) return { ...line, currency: "x".repeat(65) };
      if (random.chance(0.04)) return { ...line, scored_at: "at noon" };
      return random.chance(0.2) ? { ...line, user_id: null, amount: null, unknown_field: 1 } : line;
    }
    case "quarantined_events":
      return {
        source_position: `s:${random.between(1, 4)}`,
        source: "kinesis",
        profile: "fraud",
        arrived_at: time(random.between(1, 3)),
        reason: "not_json",
        detail: "got text",
        event_id: null,
        size_bytes: random.between(1, 2_000_000),
        raw_key: `quarantine/fraud/dt=2026-01-31/${random.pick(["a", "b"])}.ndjson.zst`,
        raw_line: random.between(1, 9),
      };
    case "decision_generations":
      return {
        event_id: `e${random.between(1, 3)}`,
        decision_generation: random.between(1, 2),
        profile: "fraud",
        user_id: random.pick(["tok_user", null]),
        occurred_at: time(random.between(1, 2)),
        scored_at: time(random.between(1, 3)),
        score: random.between(0, 4) / 4,
        score_scale: 1,
        band: "low",
        model_version: random.pick(["m1", "m2"]),
        policy_version: "fraud-2",
        flags: [],
        reasons: [],
        geo_flag: false,
        velocity_flag: false,
        amount_flag: false,
        hour_flag: false,
        features: { amount: 1 },
      };
    case "risk_labels":
      return {
        event_id: `e${random.between(1, 3)}`,
        label: random.chance(0.5),
        labelled_at: time(random.between(1, 2)),
        source: random.pick(["chargeback", "crm"]),
        received_at: time(random.between(1, 4)),
      };
  }
}

/** What the model answers: rows, or the index of the statement that fails. */
function runModel(statements: readonly string[]): { readonly rows: readonly Row[] } | { readonly failedAt: number } {
  const transaction = model.begin();
  let rows: readonly Row[] = [];
  for (const [index, sql] of statements.entries()) {
    try {
      rows = Transaction.isLock(sql) ? [] : transaction.execute(sql);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return { failedAt: index };
    }
  }
  transaction.commit();
  return { rows };
}

async function runReal(statements: readonly string[]) {
  const sql = createSqlClient(harness.dataApi(LOADER), clock);
  try {
    const options = { name: "compare", token: randomUUID(), deadline: Date.now() + 20_000 };
    return { rows: await sql.transaction(statements, options) };
  } catch (error) {
    if (!(error instanceof StatementFailed)) throw error;
    return { failedAt: error.index };
  }
}

/** Times as epoch ms, JSON as values, numbers as numbers: what a row says, however it is written. */
function meaning(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  if (typeof value !== "string") return value;
  if (/^\d{4}-\d\d-\d\d[T ]/.test(value)) return Date.parse(value.replace(" ", "T").replace(/\+00$/, "Z"));
  if (/^[[{"]/.test(value)) return JSON.parse(value) as unknown;
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

const meaningOf = (row: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, meaning(row[name] ?? null)]));

const inOrder = <T>(rows: readonly T[]): readonly T[] =>
  rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

it("gives the same answers and rows as PostgreSQL in random loads of each table", async () => {
  const random = new Random(7);
  const outcomes = new Set<string>();
  for (let load = 0; load < 60; load++) {
    const target = TARGETS[load % TARGETS.length]!;
    // Objects of earlier versions are gzip.
    const [suffix, compression, compress] = random.pick([
      ["zst", "ZSTD", zstdCompressSync],
      ["gz", "GZIP", gzipSync],
    ] as const);
    const objects = Array.from({ length: random.between(1, 3) }, () => {
      const key = `${target.prefix}object-${random.between(1, 25)}.ndjson.${suffix}`;
      const lines = Array.from({ length: random.between(1, 4) }, () => lineOf(target.table, random));
      const body = compress(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      if (random.chance(0.97)) harness.objects.set(`data/${key}`, body);
      return { bucket: "data", key, etag: `etag-${random.between(1, 3)}`, sizeBytes: body.length };
    }).filter(({ key }, index, all) => all.findIndex((other) => other.key === key) === index);
    const manifestUrl = `s3://data/manifests/${load}`;
    harness.objects.set(`data/manifests/${load}`, Buffer.from(manifestOf(objects)));
    const statements = loadStatements({
      loadId: `load-${load}`,
      target,
      compression: random.chance(0.95) ? compression : random.pick(["ZSTD", "GZIP"]),
      objects,
      manifestUrl,
      copyRoleArn: COPY_ROLE,
    });
    const [real, modelled] = [await runReal(statements), runModel(statements)];
    if ("failedAt" in real || "failedAt" in modelled) {
      expect(modelled, `load ${load}`).toEqual(real);
      outcomes.add("failed");
      continue;
    }
    const names = ["rows", "inserted", "updated", "duplicates", "newest_at"];
    expect(meaningOf(modelled.rows[0]!, names), `load ${load}`).toEqual(meaningOf(real.rows[0]!, names));
    outcomes.add("loaded");
    for (const query of ledgerQueries(objects)) {
      const known = await harness.run(query, LOADER);
      expect(inOrder(runRows(query))).toEqual(inOrder(known.map(({ object_key, etag }) => `${object_key} ${etag}`)));
    }
  }
  expect(outcomes).toEqual(new Set(["loaded", "failed"]));
  for (const { table, columns } of TARGETS) {
    const fields = Object.entries(columns);
    const stored = await harness.warehouse.query(`SELECT * FROM risk.${table}`);
    const real = stored.map((row) =>
      Object.fromEntries(fields.map(([field, { column = field }]) => [field, meaning(row[column.replaceAll('"', "")] ?? null)])),
    );
    const modelled = model.rows(table).map((row) =>
      meaningOf(
        row,
        fields.map(([field]) => field),
      ),
    );
    expect(inOrder(modelled), table).toEqual(inOrder(real));
  }
}, 240_000);

const runRows = (query: string): readonly string[] =>
  model
    .begin()
    .execute(query)
    .map(({ object_key, etag }) => `${object_key} ${etag}`);
