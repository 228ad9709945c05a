import type { SQSEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { planObjects } from "../../../functions/archiver/archive-messages";
import { createArchiverHandler } from "../../../functions/archiver/handler";
import { createLog } from "../../../functions/shared/log";
import { unpackLines } from "../../../functions/shared/ndjson";
import type { RawLine } from "../../../functions/shared/quarantine";

const SENT = Date.UTC(2026, 10, 21);
const score = (id: string, profile = "lead", day = "21") =>
  JSON.stringify({ detail: { record: { event_id: id, profile, scored_at: `2026-11-${day}T10:00:00.000Z`, score: 1 } } });
const message = (id: string, body: string) => ({ id, body, sentAtMs: SENT });

describe("planObjects", () => {
  it("makes one object per profile and day, with each event once, under a key that does not depend on the order", () => {
    const messages = [
      message("1", score("b")),
      message("2", score("a")),
      message("3", score("a")),
      message("4", score("c", "churn")),
      message("5", score("d", "lead", "22")),
    ];
    const planned = planObjects(messages);
    expect(
      planned.map((one) => [one.key.replace(/scores_\w+/, "*"), "lines" in one && one.lines.length, one.messageIds]),
    ).toEqual([
      ["archive/lead/dt=2026-11-21/*.ndjson.zst", 2, ["1", "2", "3"]],
      ["archive/churn/dt=2026-11-21/*.ndjson.zst", 1, ["4"]],
      ["archive/lead/dt=2026-11-22/*.ndjson.zst", 1, ["5"]],
    ]);
    const keys = (list: typeof messages) =>
      planObjects(list)
        .map(({ key }) => key)
        .sort();
    expect(keys(messages.toReversed())).toEqual(keys(messages));
  });

  it.each([
    "{",
    "null",
    "{}",
    '{"detail":{"record":{"event_id":"1","profile":"../x","scored_at":"2026-11-21T00:00:00Z"}}}',
    score("1").replace("2026-11", "soon"),
    score("X\0b"),
  ])("puts %s into quarantine with its reason", (body) => {
    const [object] = planObjects([message("m", body)]);
    expect(object?.key).toMatch(/^quarantine\/rest\/dt=2026-11-21\//);
    expect(object).toMatchObject({
      records: [{ position: "rest:m", source: "rest", reason: "invalid_envelope", bytes: Buffer.from(body) }],
    });
  });
});

describe("archiver", () => {
  const event = (...bodies: string[]) =>
    ({
      Records: bodies.map((body, index) => ({ messageId: `m-${index}`, body, attributes: { SentTimestamp: String(SENT) } })),
    }) as SQSEvent;

  it("keeps a message that holds no score whole in the raw bucket, and points to it from a line that quotes nothing", async () => {
    const [objects, raw] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
    const storeIn = (map: Map<string, Uint8Array>) => ({
      putIfAbsent: async (key: string, body: Uint8Array) => {
        map.set(key, body);
        return "created" as const;
      },
    });
    const handler = createArchiverHandler({
      objects: storeIn(objects),
      raw: storeIn(raw),
      log: createLog("error", {}, () => {}),
    });
    expect(await handler(event('{"detail":{"alice":1}}'))).toEqual({ batchItemFailures: [] });
    const [[key, body]] = [...raw] as [[string, Uint8Array]];
    const stored = JSON.parse(unpackLines(key, body)[0] ?? "") as RawLine;
    expect(stored).toMatchObject({ position: "rest:m-0", source: "rest", partition_key: null, reason: "invalid_envelope" });
    expect(Buffer.from(stored.data, "base64").toString()).toBe('{"detail":{"alice":1}}');
    const [line = ""] = unpackLines(key, objects.get(key) ?? new Uint8Array());
    expect(JSON.parse(line)).toMatchObject({ source_position: "rest:m-0", raw_key: key, raw_line: 1, size_bytes: 22 });
    expect(line).not.toContain("alice");
  });

  it("writes objects and reports only the messages whose object failed", async () => {
    const objects = new Map<string, Uint8Array>();
    const handler = createArchiverHandler({
      objects: {
        putIfAbsent: async (key, body) => {
          if (key.includes("/churn/")) throw new Error("slow down");
          objects.set(key, body);
          return "created";
        },
      },
      raw: { putIfAbsent: async () => "created" },
      log: createLog("error", {}, () => {}),
    });
    expect(await handler(event(score("a"), score("b", "churn"), "poison"))).toEqual({
      batchItemFailures: [{ itemIdentifier: "m-1" }],
    });
    expect([...objects.keys()].map((key) => key.split("/").slice(0, 2).join("/")).sort()).toEqual([
      "archive/lead",
      "quarantine/rest",
    ]);
    const archived = [...objects]
      .filter(([key]) => key.startsWith("archive/"))
      .flatMap(([key, bytes]) => unpackLines(key, bytes));
    expect(archived.map((line): unknown => JSON.parse(line))).toMatchObject([{ event_id: "a" }]);
  });
});
