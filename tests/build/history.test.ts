import { describe, expect, it } from "vitest";
import { fraud as validate } from "#validators";
import { history } from "../../cli/training/history";

const END = Date.UTC(2026, 9, 1);
const OPTIONS = { seed: 5, users: 120, endMs: END };

describe("history", () => {
  const { events, labels } = history(OPTIONS);

  it("is the same for the same options", () => {
    expect(history(OPTIONS)).toEqual({ events, labels });
  });

  it("is sixty days of valid transactions up to the end, oldest first, each with a unique id", () => {
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    for (const [index, { raw, atMs }] of events.entries()) {
      expect(validate(raw), JSON.stringify(validate.errors)).toBe(true);
      expect(Date.parse(String(raw.timestamp))).toBe(atMs);
      expect(atMs).toBeGreaterThanOrEqual(index === 0 ? END - 60 * 86_400_000 : events[index - 1]!.atMs);
      expect(atMs).toBeLessThan(END);
    }
  });

  it("labels most fraud late, some honest events, and nothing before it happened or after the end", () => {
    const at = new Map(events.map(({ id, atMs }) => [id, atMs]));
    for (const { event_id, labelled_at } of labels) {
      expect(Date.parse(labelled_at)).toBeGreaterThan(at.get(event_id) ?? Number.POSITIVE_INFINITY);
      expect(Date.parse(labelled_at)).toBeLessThan(END);
    }
    const frauds = events.filter(({ isFraud }) => isFraud).map(({ id }) => id);
    const reported = new Set(labels.filter(({ label }) => label).map(({ event_id }) => event_id));
    expect(frauds.filter((id) => reported.has(id)).length / frauds.length).toBeGreaterThan(0.6);
    expect(frauds.filter((id) => !reported.has(id)).length).toBeGreaterThan(0);
    expect(labels.some(({ label, source }) => !label && source === "investigation")).toBe(true);
  });

  it("has fraud at petrol pumps in a few per cent of all transactions", () => {
    const wave = events.filter(({ raw, isFraud }) => isFraud && raw.category === "gas_transport" && raw.card_present === true);
    expect(wave.length / events.length).toBeGreaterThan(0.01);
    expect(events.filter(({ isFraud }) => isFraud).length / events.length).toBeLessThan(0.08);
  });
});
