/** Labels from the API to the warehouse: a label answered with 202 is in risk_labels exactly once. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { query as queryRows, runLoader } from "../../cli/demo/tally";
import { type HttpAnswer, send, settled, startWorld, until, type World } from "./support";

let world: World;
const folder = mkdtempSync(join(tmpdir(), "feedback-"));

beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const feedback = (labels: readonly object[], headers = {}) => send(world, "/feedback", JSON.stringify({ labels }), headers);
const taken = (answer: HttpAnswer) => {
  expect([answer.status, answer.text]).toEqual([202, expect.any(String)]);
  return JSON.parse(answer.text) as { accepted: number; duplicates: number; batchId: string; repeated: boolean };
};
const query = (sql: string) => queryRows<Record<string, unknown>>(world.clients, sql);

/** Runs the loader until nothing is pending. */
async function loaded(what: string, isThere: () => Promise<boolean>): Promise<void> {
  await until(
    what,
    async () => {
      await settled(world);
      await runLoader(world.clients, world.names);
      return isThere();
    },
    60_000,
  );
}

describe("POST /feedback", () => {
  it("stores labels in the warehouse once, beside their events", async () => {
    const scored = await send(world, "/score", JSON.stringify({ companySize: 700, industry: "retail", engagementMetrics: 60 }));
    const { id } = JSON.parse(scored.text) as { id: string };
    const labels = [
      { event_id: id, label: true, labelled_at: "2026-01-05T10:00:00Z", source: "crm" },
      { event_id: "somewhere-else", label: false, labelled_at: "2026-01-05" },
    ];
    const first = taken(await feedback(labels));
    expect(first).toMatchObject({ accepted: 2, duplicates: 0, repeated: false });
    expect(taken(await feedback([...labels].reverse()))).toEqual({ ...first, repeated: true });
    await loaded("label and event", async () => {
      const rows = await query(
        `SELECT count(*)::int AS n FROM risk_labels l JOIN risk_events e USING (event_id) WHERE l.event_id = '${id}'`,
      );
      return rows[0]?.n === 1;
    });
    expect(await query(`SELECT event_id, label, source FROM current_labels ORDER BY label`)).toEqual([
      { event_id: "somewhere-else", label: false, source: "api" },
      { event_id: id, label: true, source: "crm" },
    ]);
    // Another request that repeats a label among others, and a verdict that changes.
    taken(await feedback([...labels, { event_id: id, label: false, labelled_at: "2026-02-01T10:00:00Z", source: "crm" }]));
    await loaded("the flip", async () => (await query("SELECT 1 FROM risk_labels")).length === 3);
    expect(await query(`SELECT label, labels::int FROM current_labels WHERE event_id = '${id}'`)).toEqual([
      { label: false, labels: 2 },
    ]);
  }, 120_000);

  it.each([
    [{}, 400, ["labels"]],
    [{ labels: [] }, 400, ["labels"]],
    [{ labels: [{ event_id: "a", label: "yes" }, { event_id: 7 }] }, 400, ["label", "event_id"]],
    [
      { labels: [{ event_id: "a", label: true, labelled_at: "2999-01-01T00:00:00Z" }] },
      400,
      ["/labels/0/labelled_at", "in the past"],
    ],
    [{ labels: Array.from({ length: 501 }, (_, index) => ({ event_id: `e${index}`, label: true })) }, 400, ["500"]],
  ])("refuses bad labels %# as a problem", async (body, status, words) => {
    const answer = await send(world, "/feedback", JSON.stringify(body));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
    for (const word of words) expect(answer.text).toContain(word);
  });

  it("requires the key and JSON", async () => {
    expect((await feedback([{ event_id: "a", label: true }], { "x-api-key": "wrong" })).status).toBe(403);
    expect((await feedback([{ event_id: "a", label: true }], { "content-type": "text/csv" })).status).toBe(415);
  });

  it("answers 503 when labels cannot be stored, and accepts them when they are sent again", async () => {
    const label = { event_id: "healed", label: true, labelled_at: "2026-01-05" };
    world.platform.faults.inject(1, [{ service: "s3", action: "PutObject", kind: "error", probability: 1 }]);
    try {
      expect((await feedback([label])).status).toBe(503);
    } finally {
      world.platform.faults.inject(0, []);
    }
    expect(taken(await feedback([label])).repeated).toBe(false);
    await loaded("the label", async () => (await query("SELECT 1 FROM risk_labels WHERE event_id = 'healed'")).length === 1);
  }, 120_000);
});

describe("npm run feedback", () => {
  const run = (...args: readonly string[]): Promise<{ readonly status: number; readonly text: string }> => {
    mkdirSync(join(folder, ".local"), { recursive: true });
    writeFileSync(join(folder, ".local", "outputs.json"), JSON.stringify(world.names));
    const command = resolve("dist/cli/feedback.js");
    return new Promise((done) =>
      execFile(process.execPath, [command, ...args], { cwd: folder }, (error, stdout, stderr) =>
        done({ status: error === null ? 0 : Number(error.code), text: stdout === "" ? stderr : stdout }),
      ),
    );
  };

  it("sends a file, names invalid lines, and sends nothing twice", async () => {
    const good = Array.from({ length: 700 }, (_, index) => `file-${index},${index % 7 === 0},2026-01-05T10:00:00Z`);
    writeFileSync(join(folder, "labels.csv"), ["event_id,label,labelled_at", ...good, "bad,maybe,"].join("\n"));
    const refused = await run("labels.csv", "--json");
    expect(refused.status).toBe(1);
    expect(JSON.parse(refused.text)).toMatchObject({ lines: 701, sent: 0, bad: 1, problems: [{ lines: [702] }] });
    const sent = await run("labels.csv", "--source", "chargeback", "--skip-bad");
    expect([sent.status, sent.text]).toEqual([0, expect.stringMatching(/labels sent +700/)]);
    const again = await run("labels.csv", "--source", "chargeback", "--skip-bad");
    expect(again.text).toMatch(/already known +700/);
    await loaded("the file's labels", async () => {
      return (await query("SELECT 1 FROM risk_labels WHERE event_id LIKE 'file-%'")).length === 700;
    });
  }, 120_000);

  it("explains wrong usage", async () => {
    expect(await run()).toMatchObject({ status: 2, text: expect.stringMatching(/Name the file to send/) });
    expect(await run("nothing.csv")).toMatchObject({ status: 2, text: expect.stringMatching(/no such file/) });
  });
});
