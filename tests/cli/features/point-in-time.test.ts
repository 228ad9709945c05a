import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { readEntities } from "../../../cli/features/entities";
import { type KnownEvent, type Moment, PointInTimeJoin } from "../../../cli/features/point-in-time";
import { exportText } from "../../../cli/features/write";

const time = fc.integer({ min: 0, max: 12 });
const entity = fc.constantFrom("u1", "u2");
const event: fc.Arbitrary<KnownEvent> = fc
  .tuple(entity, fc.constantFrom("a", "b", "c", "d"), time, time)
  .map(([user, eventId, occurredAtMs, delay]) => ({
    entity: user,
    eventId,
    occurredAtMs,
    scoredAtMs: occurredAtMs + delay,
    features: { amount: occurredAtMs },
  }));
const moment: fc.Arbitrary<Moment> = fc.record({ entity, asOfMs: time, knownByMs: time });
const moments = fc.array(moment, { maxLength: 6 });
const events = fc.array(event, { maxLength: 20 });

function joined(asked: readonly Moment[], offered: readonly KnownEvent[]): readonly (KnownEvent | undefined)[] {
  const join = new PointInTimeJoin(asked);
  for (const one of offered) join.offer(one);
  return join.results();
}

const wasKnown = (one: KnownEvent, asked: Moment): boolean =>
  one.entity === asked.entity && one.occurredAtMs <= asked.asOfMs && one.scoredAtMs <= asked.knownByMs;

describe("the point-in-time join", () => {
  it("gives no event of a later time, none that was scored later, and none of another entity", () => {
    fc.assert(
      fc.property(moments, events, (asked, offered) => {
        for (const [index, found] of joined(asked, offered).entries())
          if (found !== undefined) expect(wasKnown(found, asked[index] as Moment)).toBe(true);
      }),
    );
  });

  it("gives the newest of the known events, and nothing only where nothing was known", () => {
    fc.assert(
      fc.property(moments, events, (asked, offered) => {
        for (const [index, found] of joined(asked, offered).entries()) {
          const known = offered.filter((one) => wasKnown(one, asked[index] as Moment));
          expect(found?.occurredAtMs).toBe(known.length === 0 ? undefined : Math.max(...known.map((one) => one.occurredAtMs)));
        }
      }),
    );
  });

  it("is the same in whatever order the archive is read", () => {
    fc.assert(
      fc.property(
        moments,
        events.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        (asked, [offered, shuffled]) => {
          expect(joined(asked, shuffled)).toEqual(joined(asked, offered));
        },
      ),
    );
  });

  it("is the same again when later events have come since", () => {
    fc.assert(
      fc.property(moments, events, events, (asked, offered, since) => {
        const knownBy = Math.max(-1, ...asked.map(({ knownByMs }) => knownByMs));
        const later = since.map((one) => ({ ...one, scoredAtMs: knownBy + 1 + one.scoredAtMs }));
        expect(joined(asked, [...offered, ...later])).toEqual(joined(asked, offered));
      }),
    );
  });
});

describe("the file of entities", () => {
  const folder = mkdtempSync(join(tmpdir(), "entities-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (text: string, options: { asOf?: string; knownBy?: string } = {}) => {
    const file = join(folder, "entities.csv");
    writeFileSync(file, text);
    return readEntities(file, "csv", { asOf: options.asOf, knownBy: options.knownBy });
  };

  it("has a moment of its own in each row, or that of the option", async () => {
    const rows = await read("user_id,as_of,note\nu1,2026-03-01T00:00:00Z,x\nu2,,y\n", { asOf: "2026-03-02" });
    expect(rows.map(({ moment: asked }) => [asked.entity, asked.asOfMs, asked.knownByMs])).toEqual([
      ["u1", Date.UTC(2026, 2, 1), Date.UTC(2026, 2, 1)],
      ["u2", Date.UTC(2026, 2, 2), Date.UTC(2026, 2, 2)],
    ]);
    const [repeated] = await read("user_id,as_of\nu1,2026-03-01\n", { knownBy: "2026-03-05" });
    expect(repeated?.moment).toEqual({ entity: "u1", asOfMs: Date.UTC(2026, 2, 1), knownByMs: Date.UTC(2026, 2, 5) });
  });

  it.each([
    ["user_id\nu1\n", {}, "line 2: expected as_of as an ISO 8601 time with a date, or --as-of"],
    ["user\nu1\n", { asOf: "2026-03-01" }, "line 2: expected a user_id"],
    ["user_id,as_of\nu1,1700000000\n", {}, "line 2: expected as_of as an ISO 8601 time"],
    ["user_id\n", { asOf: "2026-03-01" }, "expected at least one row"],
    ["user_id\nu1\n", { asOf: "yesterday" }, '--as-of: expected an ISO 8601 time such as 2026-11-21T09:00:00Z, got "yesterday"'],
    ["user_id\nu1\n", { asOf: "2026-03-01", knownBy: "5" }, "--known-by: expected an ISO 8601 time"],
    ["user_id,as_of\nu1,2026-03-01,more\n", {}, "line 2: columns"],
  ])("is refused with the line: %j", async (text, options, reason) => {
    await expect(read(text, options)).rejects.toThrow(reason);
  });
});

describe("the export", () => {
  const rows = [
    { cells: { user_id: "u1", note: 'a "b", c' }, moment: { entity: "u1", asOfMs: 5, knownByMs: 5 } },
    { cells: { user_id: "u2" }, moment: { entity: "u2", asOfMs: 5, knownByMs: 5 } },
  ];
  const found = [
    { entity: "u1", eventId: "e", occurredAtMs: 0, scoredAtMs: 1000, features: { amount: 1.5, speed: null } },
    undefined,
  ];

  it("has every row, its own columns first, as CSV", () => {
    const text = exportText(rows, found, ["amount", "speed"], "csv");
    expect(parse(text, { columns: true })).toEqual([
      {
        user_id: "u1",
        note: 'a "b", c',
        event_id: "e",
        occurred_at: "1970-01-01T00:00:00.000Z",
        scored_at: "1970-01-01T00:00:01.000Z",
        amount: "1.5",
        speed: "",
      },
      { user_id: "u2", note: "", event_id: "", occurred_at: "", scored_at: "", amount: "", speed: "" },
    ]);
  });

  it("has nulls for what was not known, as NDJSON", () => {
    const [first, second] = exportText(rows, found, ["amount"], "ndjson")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toEqual({
      user_id: "u1",
      note: 'a "b", c',
      event_id: "e",
      occurred_at: "1970-01-01T00:00:00.000Z",
      scored_at: "1970-01-01T00:00:01.000Z",
      amount: 1.5,
    });
    expect(second).toEqual({ user_id: "u2", note: null, event_id: null, occurred_at: null, scored_at: null, amount: null });
  });
});
