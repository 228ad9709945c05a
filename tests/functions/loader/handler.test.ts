import { describe, expect, it } from "vitest";
import { createLoader } from "../../../functions/loader/handler";
import { DEFAULT_SETTINGS, type LoaderPorts, type QueueMessage } from "../../../functions/loader/ports";
import { type SqlClient, StatementFailed, StatementTimeout } from "../../../functions/loader/sql-client";

const body = (key: string) =>
  JSON.stringify({
    Records: [{ eventName: "ObjectCreated:Put", s3: { bucket: { name: "b" }, object: { key, eTag: "e", size: 1 } } }],
  });
const done = { rows: "2", inserted: "2", updated: "0", duplicates: "0", newest_at: "1970-01-01 00:00:00+00" };

/** Ports over a list of messages; time moves by sleeping alone. */
function setUp(bodies: readonly string[], transaction: SqlClient["transaction"]) {
  let now = 1_000;
  let waiting: QueueMessage[] = bodies.map((text, index) => ({
    body: text,
    messageId: `m${index}`,
    receiptHandle: `r${index}`,
    receiveCount: index + 1,
  }));
  let size = bodies.length;
  const released: [string, number][] = [];
  const measured: unknown[] = [];
  const logged: string[] = [];
  const write = (event: string) => void logged.push(event);
  const ports: LoaderPorts = {
    queue: {
      receive: async () => {
        const batch = waiting.slice(0, 10);
        waiting = waiting.slice(10);
        return batch;
      },
      remove: async (messages) => {
        size -= messages.length;
      },
      release: async (messages, seconds) =>
        void released.push(...messages.map(({ messageId }): [string, number] => [messageId, seconds])),
      size: async () => size,
    },
    manifests: { write: async (name) => `s3://m/${name}` },
    sql: { transaction, query: async () => [] },
    clock: {
      now: () => now,
      sleep: async (milliseconds) => {
        now += milliseconds;
      },
    },
    log: { debug: write, info: write, warn: write, error: write },
    metrics: { run: (values) => void measured.push(values) },
    newId: () => "load",
  };
  const loader = createLoader(ports, { ...DEFAULT_SETTINGS, copyRoleArn: "arn", maxFailedLoads: 3 });
  return { run: (deadline = 120_000) => loader(deadline), released, measured, logged, size: () => size };
}

describe("the loader's run", () => {
  it("removes messages only after the commit, and measures the lag of the newest event", async () => {
    const test = setUp([body("archive/a"), body("archive/b")], async () => {
      expect(test.size()).toBe(2);
      return [done];
    });
    expect(await test.run()).toMatchObject({ loads: 1, objects: 2, rows: 2, pending: 0 });
    expect(test.size()).toBe(0);
    expect(test.measured).toMatchObject([{ rows: 2, freshnessLagSeconds: 1 }]);
  });

  it("releases a failed object's message for longer at each attempt", async () => {
    const test = setUp([body("archive/a"), body("archive/b")], async (statements) => {
      if (statements.some((sql) => sql.includes("archive/b"))) throw new StatementFailed("load", 2, "COPY", "bad line");
      return [done];
    });
    expect(await test.run()).toMatchObject({ objects: 1, failed: 1, pending: 0 });
    expect(test.released).toEqual([["m1", 60]]);
    expect(test.logged).toEqual(["load_halved", "object_not_loaded"]);
  });

  it("attributes many failures, or one before COPY, to the warehouse", async () => {
    const failing = (index: number | undefined) => () => Promise.reject(new StatementFailed("load", index, "", "down"));
    const bodies = Array.from({ length: 8 }, (_, index) => body(`archive/${index}`));
    await expect(setUp(bodies, failing(undefined)).run()).rejects.toThrow("down");
    await expect(setUp([body("archive/a")], failing(0)).run()).rejects.toThrow("down");
    await expect(setUp([body("archive/a")], () => Promise.reject(new Error("AccessDenied"))).run()).rejects.toThrow(
      "AccessDenied",
    );
    await expect(setUp([body("archive/a")], async () => []).run()).rejects.toThrow(/without its row in risk.loads/);
  });

  it("leaves the messages of a timed-out load in the queue and says so", async () => {
    const test = setUp([body("archive/a")], () => Promise.reject(new StatementTimeout("load", "STARTED")));
    expect(await test.run()).toMatchObject({ loads: 0, failed: 0, pending: 1 });
    expect(test.size()).toBe(1);
    expect(test.logged).toEqual(["load_timed_out"]);
  });

  it("starts nothing when its time is up", async () => {
    const test = setUp([body("archive/a")], () => Promise.reject(new Error("must not load")));
    expect(await test.run(2_000)).toMatchObject({ loads: 0, pending: 1 });
  });
});
