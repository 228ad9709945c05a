import { describe, expect, it } from "vitest";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createParameterSource } from "../../../functions/shared/parameter-source";
import { createRateSource } from "../../../functions/shared/rate-source";

const DAY_MS = 86_400_000;
const AS_OF = Date.UTC(2026, 2, 1);
const table = (EUR: number) => JSON.stringify({ reference: "USD", as_of: "2026-03-01", rates: { EUR } });
const settle = () => new Promise((resolve) => setImmediate(resolve));

function world(first: string) {
  const stored: { text: string | undefined } = { text: first };
  const time = { value: AS_OF + 3 * DAY_MS };
  const lines: string[] = [];
  const sink = (line: string) => void lines.push(line);
  const clock = { now: () => time.value };
  const metrics = createMetrics("Test", {}, clock, sink);
  const parameters = createParameterSource({
    read: async () => new Map(stored.text === undefined ? [] : [["/rates", stored.text]]),
    ttlMs: 10_000,
    clock,
    random: () => 0.5,
    sleep: async () => {},
  });
  const rates = createRateSource({ parameters, parameter: "/rates", clock, log: createLog("info", {}, sink), metrics });
  const reported = (): string => {
    lines.length = 0;
    rates.report();
    metrics.flush();
    return lines.join();
  };
  const reload = async (text: string | undefined) => {
    stored.text = text;
    time.value += 12_000;
    await rates.current();
    await settle();
    return rates.current();
  };
  return { rates, reported, reload, lines };
}

describe("rate source", () => {
  it("takes over a new table in the background", async () => {
    const { rates, reload, lines } = world(table(0.9));
    expect((await rates.current()).rateOf("EUR")).toBe(0.9);
    expect((await reload(table(0.8))).rateOf("EUR")).toBe(0.8);
    expect(lines.join()).toContain("rates_changed");
  });

  it.each([
    ["is gone", undefined],
    ["is invalid", '{"reference":"USD"}'],
  ])("keeps the last good table when the parameter %s, and counts it", async (_, text) => {
    const { rates, reload, reported, lines } = world(table(0.9));
    await rates.current();
    expect((await reload(text)).rateOf("EUR")).toBe(0.9);
    expect(lines.join()).toContain("rates_refresh_failed");
    expect(reported()).toContain('"RatesRefreshFailures":1');
  });

  it("throws while there has never been a valid table", async () => {
    const { rates } = world("{}");
    await expect(rates.current()).rejects.toThrow(/table of exchange rates is invalid/);
  });

  it("reports the age of rates only after an amount was converted", async () => {
    const { rates, reported } = world(table(0.9));
    const { rateOf } = await rates.current();
    rateOf("CHF");
    expect(reported()).toBe("");
    rateOf("EUR");
    expect(reported()).toContain('"RateAgeDays":3');
    expect(reported()).toBe("");
  });
});
