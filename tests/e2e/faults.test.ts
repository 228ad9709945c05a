/** The faults of `npm start -- --faults`: whatever they do, what was accepted arrives once. */
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import type { FaultRule } from "@risk/local-aws";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runLoader } from "../../cli/demo/tally";
import { PRESETS } from "../../cli/faults/presets";
import { lines, rawRecords, send, settled, startWorld, type Transaction, transactions, until, type World } from "./support";

let world: World;
const troubles: string[] = [];
beforeAll(async () => {
  world = await startWorld({ onTrouble: (line) => troubles.push(line) });
  // The connection breaks with a killed database.
  world.clients.warehouse.on("error", () => undefined);
  shortVisibility();
}, 60_000);
afterAll(() => world?.stop());
afterEach(() => world.platform.faults.inject(0, []));

const PATIENCE_MS = 90_000;

/** What a killed function was working on comes again after this time, not after six of its time-outs. */
function shortVisibility(): void {
  const { sqs } = world.platform.services;
  const queues = world.platform.graph.resources.filter(({ type }) => type === "aws:sqs/queue:Queue");
  for (const { state } of queues) {
    const { name, attributes } = sqs.store.queue(String(state.name));
    sqs.store.save(name, { ...attributes, VisibilityTimeout: "2" });
  }
}

/** As a producer does that never gives up: what was refused is sent again, and so is everything after an error. */
async function put(bodies: readonly Transaction[]): Promise<void> {
  let open = bodies;
  await until(
    "all records are accepted",
    async () => {
      const Records = open.map((body) => ({ PartitionKey: body.user_id, Data: Buffer.from(JSON.stringify(body)) }));
      const answer = await world.clients.kinesis
        .send(new PutRecordsCommand({ StreamName: world.names.streamName, Records }))
        .catch(() => undefined);
      open = open.filter((_, index) => answer?.Records?.[index]?.SequenceNumber === undefined);
      return open.length === 0;
    },
    PATIENCE_MS,
  );
}

let scoredLeads = 0;

/** Scores new leads and returns the ids of the scores that were answered 200. */
async function leads(count: number): Promise<string[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, () => {
      scoredLeads += 1;
      return send(world, "/score", JSON.stringify({ companySize: scoredLeads, industry: "retail", engagementMetrics: 5 }));
    }),
  );
  return answers.filter(({ status }) => status === 200).map(({ text }) => String(JSON.parse(text).id));
}

async function loaded(ids: readonly string[]): Promise<string[]> {
  const client = new Client({ connectionString: world.names.warehouseUrl });
  await client.connect();
  try {
    const sql = "select event_id from risk.risk_events where event_id = any($1) order by event_id";
    const { rows } = await client.query<{ event_id: string }>(sql, [ids]);
    return rows.map(({ event_id }) => event_id);
  } finally {
    await client.end();
  }
}

/** The times of a preset are for people; a fifth of them does for a test. */
const fiveTimesFaster = (rules: readonly FaultRule[]): FaultRule[] =>
  rules.map((rule): FaultRule => {
    if (rule.kind === "full-disk") return { ...rule, fromSeconds: rule.fromSeconds / 5, untilSeconds: rule.untilSeconds / 5 };
    return rule.kind === "killed-database" ? { ...rule, fromSeconds: rule.fromSeconds / 5 } : rule;
  });

const rulesOf = (preset: string): readonly FaultRule[] => fiveTimesFaster(PRESETS[preset]?.rules ?? []);

/** A full disk has to refuse something, too. */
const hasHappened = (kind: string): boolean =>
  world.platform.faults.injected().some((fault) => fault.kind === kind) &&
  (kind !== "full-disk" || troubles.some((line) => line.includes("refuses writes")));

describe("the faults of a preset", () => {
  it.each([
    ["all", ["throttle", "error", "slow", "lost-reply", "crash", "full-disk", "killed-database"]],
    ["crashes", ["crash"]],
    ["full-disk", ["full-disk"]],
    ["lost-database", ["killed-database"]],
  ])(
    "%s lose nothing that was accepted, and count nothing twice",
    async (preset, kinds) => {
      troubles.length = 0;
      world.platform.faults.inject(7, rulesOf(preset));
      const bodies = transactions(`${preset}-tx`, 240, 20);
      const bad = transactions(`${preset}-bad`, 1).map((body) => ({ ...body, timestamp: "yesterday" }));
      const scored: string[] = [];
      for (let from = 0; from < bodies.length; from += 60) {
        await put(bodies.slice(from, from + 60));
        scored.push(...(await leads(5)));
      }
      await put(bad);
      // Traffic goes on until everything that the preset promises has happened.
      await until(
        "each kind of fault has happened",
        async () => {
          scored.push(...(await leads(2)));
          await Promise.allSettled([runLoader(world.clients, world.names)]);
          return kinds.every(hasHappened);
        },
        PATIENCE_MS,
      );
      await settled(world, PATIENCE_MS);
      world.platform.faults.inject(0, []);
      const accepted = [...new Set([...bodies.map(({ transaction_id }) => transaction_id), ...scored])].sort();
      await until(
        "everything is in the warehouse",
        async () => {
          await settled(world, PATIENCE_MS);
          await Promise.allSettled([runLoader(world.clients, world.names)]);
          return new Set(await loaded(accepted).catch(() => [])).size >= accepted.length;
        },
        PATIENCE_MS,
      );
      expect(await loaded(accepted)).toEqual(accepted);
      const kept = (await rawRecords(world)).filter(({ text }) => text.includes(`${preset}-bad`));
      expect(new Set(kept.map(({ text }) => text))).toEqual(new Set(bad.map((body) => JSON.stringify(body))));
      expect((await lines(world, "quarantine/fraud/")).length).toBeGreaterThan(0);
    },
    300_000,
  );
});
