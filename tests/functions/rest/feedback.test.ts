import type { APIGatewayProxyEvent } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { feedback as validate } from "#validators";
import { createFeedbackHandler } from "../../../functions/rest/feedback";
import { readLabels } from "../../../functions/rest/feedback-labels";
import { FEEDBACK_SCHEMA } from "../../../functions/rest/feedback-schema";
import { FEEDBACK_PROBLEMS, type RestAnswer } from "../../../functions/rest/problems";
import { toDraft04 } from "../../../functions/scoring/core/draft04";
import type { LabelRecord } from "../../../functions/scoring/core/label-record";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { unpackLines } from "../../../functions/shared/ndjson";

const NOW = Date.UTC(2026, 2, 20, 12);

class World {
  now = NOW;
  isDown = false;
  readonly objects = new Map<string, Uint8Array>();
  readonly lines: string[] = [];
  private readonly clock = { now: () => this.now };
  private readonly sink = (line: string) => void this.lines.push(line);
  private readonly handler = createFeedbackHandler({
    validate,
    objects: {
      putIfAbsent: async (key, body) => {
        if (this.isDown) throw new Error("bucket is down");
        if (this.objects.has(key)) return "exists";
        this.objects.set(key, body);
        return "created";
      },
    },
    clock: this.clock,
    log: createLog("info", {}, this.sink),
    metrics: createMetrics("Test", { Route: "feedback" }, this.clock, this.sink),
  });

  send(body: unknown, headers: Record<string, string> = { "Content-Type": "application/json" }): Promise<RestAnswer> {
    const event: Partial<APIGatewayProxyEvent> = { body: typeof body === "string" ? body : JSON.stringify(body), headers };
    // The members that the handler reads.
    return this.handler(event as APIGatewayProxyEvent);
  }

  records(): LabelRecord[] {
    return [...this.objects].flatMap(([key, bytes]) => unpackLines(key, bytes).map((line) => JSON.parse(line) as LabelRecord));
  }

  metric(name: string): unknown[] {
    return this.lines.flatMap((line) => {
      const value = (JSON.parse(line) as Record<string, unknown>)[name];
      return value === undefined ? [] : [value];
    });
  }
}

const label = { event_id: "txn-1", label: true, labelled_at: "2026-03-19T08:00:00Z", source: "chargeback" };
const pointers = (answer: RestAnswer) =>
  (JSON.parse(answer.body) as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer);

describe("good labels", () => {
  it("become one object of the day with one line per label", async () => {
    const world = new World();
    const answer = await world.send({ labels: [label, { event_id: "txn-2", label: false }] });
    expect(answer).toMatchObject({ statusCode: 202, headers: { "Content-Type": "application/json" } });
    const { batchId, ...counts } = JSON.parse(answer.body) as { batchId: string };
    expect(counts).toEqual({ accepted: 2, duplicates: 0, repeated: false });
    expect([...world.objects.keys()]).toEqual([`labels/dt=2026-03-20/${batchId}.ndjson.zst`]);
    expect(world.records()).toEqual([
      { ...label, labelled_at: "2026-03-19T08:00:00.000Z", received_at: "2026-03-20T12:00:00.000Z" },
      {
        event_id: "txn-2",
        label: false,
        labelled_at: "2026-03-20T12:00:00.000Z",
        source: "api",
        received_at: "2026-03-20T12:00:00.000Z",
      },
    ]);
    expect(world.metric("LabelsAccepted")).toEqual([2]);
  });

  it("are stored once when the request comes again, in whatever order and notation", async () => {
    const world = new World();
    const other = { event_id: "txn-2", label: false };
    const first = JSON.parse((await world.send({ labels: [label, other] })).body) as { batchId: string };
    world.now += 3_600_000;
    const same = [
      { ...other, source: "api" },
      { ...label, labelled_at: "2026-03-19 09:00:00,000+01" },
      { ...label, labelled_at: "2026-03-19t08:00:00z" },
      label,
    ];
    const again = JSON.parse((await world.send({ labels: same })).body) as object;
    expect(again).toEqual({ accepted: 2, duplicates: 2, batchId: first.batchId, repeated: true });
    expect(world.objects.size).toBe(1);
    expect(world.metric("LabelsRepeated")).toEqual([0, 4]);
  });

  it("without a time belong to the day of their arrival", async () => {
    const world = new World();
    await world.send({ labels: [{ event_id: "txn-1", label: true }] });
    world.now += 86_400_000;
    expect(JSON.parse((await world.send({ labels: [{ event_id: "txn-1", label: true }] })).body)).toMatchObject({
      repeated: false,
    });
    expect(world.records().map(({ labelled_at }) => labelled_at.slice(0, 10))).toEqual(["2026-03-20", "2026-03-21"]);
  });

  it("may hold a verdict and its revision", async () => {
    const world = new World();
    const revised = { ...label, label: false, labelled_at: "2026-03-20" };
    expect(JSON.parse((await world.send({ labels: [label, revised] })).body)).toMatchObject({ accepted: 2, duplicates: 0 });
  });

  it("are accepted up to 500 with the longest ids", async () => {
    const world = new World();
    const labels = Array.from({ length: 500 }, (_, index) => ({
      ...label,
      event_id: `${String(index).padStart(3, "0")}${"x".repeat(125)}`,
    }));
    expect(await world.send({ labels })).toMatchObject({ statusCode: 202 });
    expect(world.records()).toHaveLength(500);
  });

  it("keep their batch id in any order and with repetitions", () => {
    const one = fc.record(
      {
        event_id: fc.constantFrom("a", "b", "c"),
        labelled_at: fc.constantFrom("2026-01-01", "2026-01-02T03:04:05Z"),
        source: fc.constantFrom("crm", "chargeback"),
      },
      { requiredKeys: ["event_id"] },
    );
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), fc.integer(), (given, seed) => {
        const labels = given.map((entry) => ({ ...entry, label: entry.event_id === "a" }));
        const shuffled = [...labels, ...labels].sort((x, y) => hash(seed, x) - hash(seed, y));
        const [left, right] = [labels, shuffled].map((list) => readLabels({ labels: list }, validate, NOW));
        if (!left?.ok || !right?.ok) throw new Error("expected good labels");
        expect(right.labels.batchId).toBe(left.labels.batchId);
        expect(right.labels.records).toEqual(left.labels.records);
        expect(right.labels.duplicates).toBe(2 * labels.length - left.labels.records.length);
      }),
    );
  });
});

const hash = (seed: number, value: object) =>
  [...JSON.stringify(value)].reduce((sum, c) => (sum * 31 + c.charCodeAt(0) + seed) | 0, 7);

describe("bad labels", () => {
  it.each([
    ["no list", {}, ["/labels"]],
    ["an empty list", { labels: [] }, ["/labels"]],
    ["no object", [label], [""]],
    ["null", null, [""]],
    ["an unknown member", { labels: [label], force: true }, ["/force"]],
    ["a list of text", { labels: ["txn-1"] }, ["/labels/0"]],
    ["missing members", { labels: [{}] }, ["/labels/0/event_id", "/labels/0/label"]],
    ["labels as numbers", { labels: [{ ...label, label: 1 }] }, ["/labels/0/label"]],
    ["an empty id", { labels: [{ ...label, event_id: "" }] }, ["/labels/0/event_id"]],
    ["a long id", { labels: [{ ...label, event_id: "x".repeat(129) }] }, ["/labels/0/event_id"]],
    ["a blank at an id's end", { labels: [{ ...label, event_id: "a " }] }, ["/labels/0/event_id"]],
    ["half a character", { labels: [{ ...label, event_id: "a\ud800" }] }, ["/labels/0/event_id"]],
    ["NUL", { labels: [{ ...label, event_id: "a\0" }] }, ["/labels/0/event_id"]],
    ["an unknown field", { labels: [{ ...label, labeled_at: "2026-01-01" }] }, ["/labels/0/labeled_at"]],
    ["no time", { labels: [{ ...label, labelled_at: "yesterday" }] }, ["/labels/0/labelled_at"]],
    ["a day that does not exist", { labels: [{ ...label, labelled_at: "2026-02-30" }] }, ["/labels/0/labelled_at"]],
    ["a time before 1970", { labels: [{ ...label, labelled_at: "1066-10-14" }] }, ["/labels/0/labelled_at"]],
    ["the future", { labels: [{ ...label, labelled_at: "2026-03-20T12:05:01Z" }] }, ["/labels/0/labelled_at"]],
    ["a source in capitals", { labels: [{ ...label, source: "Chargeback" }] }, ["/labels/0/source"]],
    ["501 labels", { labels: Array.from({ length: 501 }, (_, index) => ({ ...label, event_id: `e${index}` })) }, ["/labels"]],
    ["a million labels", { labels: Array.from({ length: 1001 }, () => 1) }, ["/labels"]],
    [
      "two verdicts of one time",
      { labels: [label, { ...label, event_id: "b" }, { ...label, label: false }] },
      ["/labels/2/label"],
    ],
    [
      "several at once",
      { labels: [label, { ...label, event_id: "\ud800" }, { ...label, labelled_at: "2999-01-01" }] },
      ["/labels/1/event_id", "/labels/2/labelled_at"],
    ],
  ])("%s: each problem is named and nothing is stored", async (_, body, expected) => {
    const world = new World();
    const answer = await world.send(body);
    expect(answer).toMatchObject({ statusCode: 400, headers: { "Content-Type": "application/problem+json" } });
    expect(pointers(answer)).toEqual(expected);
    expect(world.objects.size).toBe(0);
    expect(world.metric("FeedbackRefused")).toEqual([1]);
  });

  it("slightly ahead of our clock are accepted", async () => {
    expect(await new World().send({ labels: [{ ...label, labelled_at: "2026-03-20T12:04:59Z" }] })).toMatchObject({
      statusCode: 202,
    });
  });

  it("are listed up to a limit", async () => {
    const labels = Array.from({ length: 400 }, (_, index) => ({ ...label, event_id: `e${index}`, labelled_at: "2999-01-01" }));
    const { errors } = JSON.parse((await new World().send({ labels })).body) as { errors: { detail: string }[] };
    expect(errors).toHaveLength(51);
    expect(errors.at(-1)?.detail).toBe("350 more problems are not listed.");
  });

  it.each([
    ["{", 400, "not-json"],
    [`{"labels":[],"labels":[]}`, 400, "duplicate-name"],
    [JSON.stringify({ labels: "x".repeat(2 * 1024 * 1024) }), 413, "too-large"],
  ])("%#: a malformed body is refused", async (body, status, kind) => {
    const answer = await new World().send(body);
    expect(answer.statusCode).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ type: `urn:risk-scoring:problem:${kind}` });
  });

  it("give every problem that the route declares, and no other", async () => {
    const world = new World();
    const kinds = new Set<string>();
    const provoke = async (body: unknown, headers?: Record<string, string>) => {
      const { type } = JSON.parse((await world.send(body, headers)).body) as { type?: string };
      if (type !== undefined) kinds.add(type.replace("urn:risk-scoring:problem:", ""));
    };
    await provoke("\uFFFD");
    await provoke("{");
    await provoke('{"__proto__":{"a":1}}');
    await provoke('{"labels":[],"labels":[]}');
    await provoke({ labels: "x".repeat(2 * 1024 * 1024) });
    await provoke({ labels: [label] }, { "Content-Type": "text/csv" });
    await provoke({ labels: [] });
    world.isDown = true;
    await provoke({ labels: [label] });
    expect([...kinds].sort()).toEqual([...FEEDBACK_PROBLEMS].sort());
  });

  it("with another media type are refused", async () => {
    expect(await new World().send({ labels: [label] }, { "content-type": "text/csv" })).toMatchObject({ statusCode: 415 });
  });

  it("never make the handler throw", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 4 }), async (body) => {
        const answer = await new World().send(body);
        expect([202, 400]).toContain(answer.statusCode);
      }),
    );
  });
});

describe("a bucket that is down", () => {
  it("is reported, and repeating the request stores the labels", async () => {
    const world = new World();
    world.isDown = true;
    const answer = await world.send({ labels: [label] });
    expect(answer).toMatchObject({ statusCode: 503, headers: { "Retry-After": "1" } });
    expect(world.metric("FeedbackErrors")).toEqual([1]);
    world.isDown = false;
    expect(await world.send({ labels: [label] })).toMatchObject({ statusCode: 202 });
    expect(world.records()).toHaveLength(1);
  });
});

describe("the schema", () => {
  it("also works as a model of the gateway", () => {
    expect(toDraft04(FEEDBACK_SCHEMA)).toMatchObject({ type: "object", properties: { labels: { minItems: 1, maxItems: 500 } } });
  });
});
