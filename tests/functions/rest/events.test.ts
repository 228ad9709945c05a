import type { APIGatewayProxyEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { fraud, events as validate } from "#validators";
import { createEventsHandler } from "../../../functions/rest/events";
import { MAX_EVENTS } from "../../../functions/rest/events-schema";
import { EVENTS_PROBLEMS, PROBLEMS, type RestAnswer } from "../../../functions/rest/problems";
import { PROFILES } from "../../../functions/scoring/profiles";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { readMessage } from "../../../functions/stream/queue-message";

const NOW = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;

class World {
  readonly messages: string[] = [];
  readonly lines: string[] = [];
  /** Whether the queue refuses the message at an index to the end. */
  refuses: (index: number) => boolean = () => false;
  private readonly clock = { now: () => NOW };
  private readonly sink = (line: string) => void this.lines.push(line);

  async post(
    body: unknown,
    profile = PROFILES.fraud,
  ): Promise<RestAnswer & { readonly said: Readonly<Record<string, unknown>> }> {
    const handler = createEventsHandler({
      profile,
      validate,
      validateEvent: fraud,
      maxAgeMs: 30 * DAY_MS,
      maxFutureMs: 3_600_000,
      queue: {
        send: async (bodies) => {
          const refused = bodies.flatMap((_, index) => (this.refuses(index) ? [index] : []));
          this.messages.push(...bodies.filter((_, index) => !refused.includes(index)));
          return refused;
        },
      },
      clock: this.clock,
      log: createLog("info", {}, this.sink),
      metrics: createMetrics("Test", { Route: "events" }, this.clock, this.sink),
    });
    const event: Partial<APIGatewayProxyEvent> = {
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    };
    // The members that the handler reads.
    const answer = await handler({ ...event, requestContext: { requestId: "request-1" } } as APIGatewayProxyEvent);
    return { ...answer, said: JSON.parse(answer.body) };
  }

  metric(name: string): unknown[] {
    return this.lines.flatMap((line) => (JSON.parse(line) as Readonly<Record<string, unknown>>)[name] ?? []);
  }
}

const transaction = (id: string | number, fields: Readonly<Record<string, unknown>> = {}) => ({
  transaction_id: id,
  user_id: "u-1",
  amount: 12.5,
  timestamp: new Date(NOW - 60_000).toISOString(),
  ...fields,
});

describe("POST /events", () => {
  it("queues each event as it was sent, under the request's id, and answers with the events' ids", async () => {
    const world = new World();
    const events = [transaction("t-1", { note: "x\uffff" }), transaction(2)];
    const { statusCode, headers, said } = await world.post({ events });
    expect({ statusCode, said }).toEqual({
      statusCode: 202,
      said: {
        accepted: 2,
        refused: 0,
        unavailable: 0,
        events: [
          { status: "accepted", id: "t-1" },
          { status: "accepted", id: "2" },
        ],
      },
    });
    expect(headers).not.toHaveProperty("Retry-After");
    const read = world.messages.map((body) => readMessage(body));
    expect(read.map((message) => JSON.parse(message?.event ?? ""))).toEqual(events);
    expect(read).toMatchObject([
      { source: "rest", id: "request-1:0" },
      { source: "rest", id: "request-1:1" },
    ]);
    // SQS refuses these characters, wherever they stand.
    expect(world.messages.join()).not.toMatch(/[\ufffe\uffff]/);
    expect(world.metric("EventsAccepted")).toEqual([2]);
  });

  it("takes the events that fit, and names every problem of the others", async () => {
    const world = new World();
    const { statusCode, said } = await world.post({
      events: [
        7,
        transaction("t-1", { amount: "1", user_id: null }),
        transaction("t-2"),
        transaction("t-3", { timestamp: "2025-01-01T00:00:00Z" }),
        transaction("t-4", { note: Array.from({ length: 900 }, () => "x".repeat(100)) }),
      ],
    });
    expect(statusCode).toBe(202);
    expect(said).toMatchObject({
      accepted: 1,
      refused: 4,
      events: [
        { status: "refused", errors: [{ pointer: "" }] },
        { status: "refused", errors: expect.arrayContaining([expect.objectContaining({ pointer: "/amount" })]) },
        { status: "accepted", id: "t-2" },
        { status: "refused", errors: [{ pointer: "/timestamp", detail: expect.stringContaining("30 days before arrival") }] },
        { status: "refused", errors: [{ pointer: "", detail: expect.stringContaining("Expected at most 65536 bytes") }] },
      ],
    });
    expect(world.messages).toHaveLength(1);
    expect(world.metric("EventsInvalid")).toEqual([4]);
  });

  it("says which events could not be queued, and when to send them again", async () => {
    const world = new World();
    world.refuses = (index) => index === 0;
    const { statusCode, headers, said } = await world.post({ events: [7, transaction("t-1"), transaction("t-2")] });
    expect(statusCode).toBe(202);
    expect(headers["Retry-After"]).toBe("1");
    expect(said).toMatchObject({
      accepted: 1,
      refused: 1,
      unavailable: 1,
      events: [{ status: "refused" }, { status: "unavailable", id: "t-1" }, { status: "accepted", id: "t-2" }],
    });
    expect(world.metric("EventsErrors")).toEqual([1]);
  });

  it("answers 503 when the queue takes none", async () => {
    const world = new World();
    world.refuses = () => true;
    const { statusCode, headers, said } = await world.post({ events: [transaction("t-1")] });
    expect(statusCode).toBe(503);
    expect(headers["Retry-After"]).toBe("1");
    expect(said).toMatchObject({ type: "urn:risk-scoring:problem:unavailable" });
    expect(world.metric("EventsUnavailable")).toEqual([1]);
    expect(world.metric("EventsErrors")).toEqual([1]);
  });

  it("refuses a request of which nothing fits, with pointers into it, at most fifty", async () => {
    const world = new World();
    const none = await world.post({ events: Array.from({ length: 60 }, () => ({ transaction_id: "t" })) });
    expect(none).toMatchObject({ statusCode: 400, said: { type: "urn:risk-scoring:problem:invalid-input" } });
    const errors = none.said.errors as readonly { readonly pointer: string; readonly detail: string }[];
    expect(errors[0]?.pointer).toBe("/events/0/user_id");
    expect(errors).toHaveLength(51);
    expect(errors.at(-1)?.detail).toBe("130 more problems are not listed.");
    expect(world.messages).toEqual([]);
  });

  it("refuses an event without an id, whose decision nobody could ask for", async () => {
    const { said } = await new World().post({ events: [transaction("t-1")] }, { ...PROFILES.fraud, eventId: () => null });
    expect(said.errors).toEqual([{ pointer: "/events/0", detail: "Expected an event with an id." }]);
  });

  it.each([
    ["not-json", "{"],
    ["duplicate-name", '{"events":[],"events":[]}'],
    ["invalid-input", []],
    ["invalid-input", { events: [] }],
    ["invalid-input", { events: "x" }],
    ["invalid-input", { events: [transaction("t")], more: 1 }],
    ["invalid-input", { events: Array.from({ length: MAX_EVENTS + 1 }, () => 1) }],
    ["invalid-input", { events: Array.from({ length: 1001 }, () => 1) }],
    ["too-large", { events: ["x".repeat(2 * 1024 * 1024)] }],
  ] as const)("answers %s", async (kind, body) => {
    const { statusCode, said } = await new World().post(body);
    expect(said.type).toBe(`urn:risk-scoring:problem:${kind}`);
    expect(statusCode).toBe(PROBLEMS[kind].status);
    expect(EVENTS_PROBLEMS).toContain(kind);
  });
});
