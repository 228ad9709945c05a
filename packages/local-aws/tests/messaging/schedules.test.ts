import { describe, expect, it } from "vitest";
import { parseSchedule } from "../../src/services/schedules";

const after = Date.UTC(2026, 0, 15, 12, 0, 0); // a Thursday

describe("schedules", () => {
  it.each([
    ["rate(5 minutes)", "2026-01-15T12:05:00.000Z"],
    ["rate(1 hour)", "2026-01-15T13:00:00.000Z"],
    ["cron(0 2 1,15 * ? *)", "2026-02-01T02:00:00.000Z"],
    ["cron(0 3 * * ? *)", "2026-01-16T03:00:00.000Z"],
    ["cron(0/15 12 * * ? *)", "2026-01-15T12:15:00.000Z"],
    ["cron(0 10 ? * FRI-SUN *)", "2026-01-16T10:00:00.000Z"],
    ["cron(0 0 29 2 ? *)", "2028-02-29T00:00:00.000Z"],
  ])("%s next runs at %s", (expression, expected) => {
    expect(new Date(parseSchedule(expression).next(after, after) ?? 0).toISOString()).toBe(expected);
  });

  it("never runs again after its last year", () => {
    expect(parseSchedule("cron(0 0 1 1 ? 2020)").next(after, after)).toBeUndefined();
  });

  it.each([
    "rate(1 minutes)",
    "rate(0 minutes)",
    "rate(2 hour)",
    "cron(0 0 * * * *)",
    "cron(60 0 * * ? *)",
    "cron(0 0 * *)",
    "at(now)",
    "cron(0 10 LW * ? *)",
    "cron(0 10 ? * MON#3 *)",
  ])("refuses %s", (expression) => {
    expect(() => parseSchedule(expression)).toThrow(/ScheduleExpression/);
  });
});
