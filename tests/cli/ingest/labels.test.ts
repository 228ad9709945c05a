import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openFile } from "../../../cli/ingest/file";
import { type Label, readLabelFile } from "../../../cli/ingest/labels";
import { type FeedbackApi, FeedbackFailed, sendLabels } from "../../../cli/ingest/send-labels";
import type { Format } from "../../../functions/files/types";

const folder = mkdtempSync(join(tmpdir(), "labels-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const NOW = Date.UTC(2026, 2, 20, 12);

async function read(text: string, { source, format = "csv" }: { source?: string; format?: Format } = {}) {
  const file = join(folder, "labels");
  writeFileSync(file, text);
  return readLabelFile((await openFile(file, { format })).rows, source, NOW);
}

describe("readLabelFile", () => {
  it("reads CSV with every form of a label, and leaves empty cells out", async () => {
    const text =
      'event_id,label,labelled_at,source\ne1,true,2026-03-01,crm\ne2,0,,\n"e,3", TRUE ,2026-03-01 10:00:00+02:00,\ne4,False,,\n';
    expect(await read(text, { source: "chargeback" })).toEqual({
      lines: 4,
      repeated: 0,
      bad: [],
      labels: [
        { event_id: "e1", label: true, labelled_at: "2026-03-01", source: "crm" },
        { event_id: "e2", label: false, source: "chargeback" },
        { event_id: "e,3", label: true, labelled_at: "2026-03-01 10:00:00+02:00", source: "chargeback" },
        { event_id: "e4", label: false, source: "chargeback" },
      ],
    });
  });

  it("reads NDJSON with numbers and nulls", async () => {
    const text = '{"event_id":17,"label":1}\n{"event_id":"e2","label":false,"source":null,"labelled_at":null}\n';
    const { labels, bad } = await read(text, { format: "ndjson" });
    expect(bad).toEqual([]);
    expect(labels).toEqual([
      { event_id: "17", label: true },
      { event_id: "e2", label: false },
    ]);
  });

  it("names every bad line", async () => {
    const text = [
      "event_id,label,labelled_at,source",
      "e1,maybe,,",
      ",true,,",
      "e3,,,",
      "e4,true,2999-01-01,",
      "e5,true,yesterday,",
      "e6,true,,Chargeback",
      "e7,true,2026-03-01,crm",
      "e7,1,2026-03-01T00:00:00Z,crm",
      "e7,0,2026-03-01T00:00:00.000Z,crm",
      "e8,true,,,,",
    ].join("\n");
    const { labels, bad, repeated } = await read(text);
    expect(labels).toHaveLength(1);
    expect(repeated).toBe(1);
    expect(bad.map(({ line, reason }) => `${line}: ${reason}`)).toEqual([
      '2: label: expected true, false, 1 or 0, got "maybe"',
      "3: event_id: This field is required and was not given.",
      "4: label: This field is required and was not given.",
      expect.stringMatching(/^5: labelled_at: Expected a time in the past/),
      expect.stringMatching(/^6: labelled_at: Expected text of the form/),
      expect.stringMatching(/^7: source: Expected text of the form/),
      "10: the opposite of line 8, which has the same event, source and time; give each its own labelled_at",
      expect.stringMatching(/^11: columns: /),
    ]);
  });

  it("never ignores a column, since its name may be misspelt", async () => {
    const { labels, bad } = await read("event_id,label,labeled_at\ne1,true,2026-03-01\n");
    expect(labels).toEqual([]);
    expect(bad).toMatchObject([{ line: 2, reason: expect.stringMatching(/^labeled_at: .*Did you mean "labelled_at"\?/) }]);
  });

  it("names the lines that are not JSON", async () => {
    const { labels, bad } = await read('{"event_id":"e1","label":true}\n\n[1]\n{', { format: "ndjson" });
    expect(labels).toHaveLength(1);
    expect(bad.map(({ line }) => line)).toEqual([3, 4]);
  });
});

describe("sendLabels", () => {
  const labels: Label[] = Array.from({ length: 1200 }, (_, index) => ({ event_id: `e${index}`, label: index % 2 === 0 }));
  const taken = (repeated = false) =>
    new Response(JSON.stringify({ accepted: 1, duplicates: 0, batchId: "b", repeated }), { status: 202 });

  class Api implements FeedbackApi {
    readonly url = "http://127.0.0.1:1/v1/";
    readonly bodies: { labels: Label[] }[] = [];
    readonly requests: { url: string; headers: RequestInit["headers"] }[] = [];
    readonly pauses: number[] = [];
    constructor(
      private readonly answers: (() => Response)[],
      readonly apiKey: string | undefined = "key",
    ) {}
    readonly fetch: typeof fetch = async (url, init) => {
      this.requests.push({ url: String(url), headers: init?.headers });
      this.bodies.push(JSON.parse(String(init?.body)) as { labels: Label[] });
      return (this.answers.shift() ?? taken)();
    };
    readonly pause = async (milliseconds: number) => this.pauses.push(milliseconds);
  }

  it("sends everything in requests of 500, in order, with the key", async () => {
    const api = new Api([() => taken(true)]);
    const progress: number[] = [];
    expect(await sendLabels(labels, api, (done) => progress.push(done))).toEqual({ requests: 3, labels: 1200, known: 500 });
    expect(progress).toEqual([500, 1000, 1200]);
    expect(api.bodies.flatMap((body) => body.labels)).toEqual(labels);
    expect(api.requests[0]).toEqual({
      url: "http://127.0.0.1:1/v1/feedback",
      headers: { "content-type": "application/json", "x-api-key": "key" },
    });
  });

  it("retries when it is throttled or gets no answer, and respects Retry-After", async () => {
    const api = new Api([
      () => new Response("slow down", { status: 429, headers: { "retry-after": "3" } }),
      () => {
        throw new Error("connection refused");
      },
      () => new Response("", { status: 503 }),
    ]);
    expect(await sendLabels(labels.slice(0, 1), api)).toEqual({ requests: 1, labels: 1, known: 0 });
    expect(api.pauses).toEqual([3000, 500, 1000]);
  });

  it("stops at a refusal and says how many labels were sent", async () => {
    const api = new Api([taken, () => new Response('{"detail":"no"}', { status: 403 })]);
    const failure = await sendLabels(labels, api).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FeedbackFailed);
    expect(failure).toMatchObject({
      sent: { labels: 500 },
      message: expect.stringMatching(/^After 500 labels: the API answered 403: .*Run the command again/),
    });
    expect(api.pauses).toEqual([]);
  });

  it("gives up after six attempts", async () => {
    const api = new Api(Array.from({ length: 6 }, () => () => new Response("", { status: 500 })));
    await expect(sendLabels(labels, api)).rejects.toThrow(/After 0 labels: the API answered 500/);
    expect(api.requests).toHaveLength(6);
  });
});
