/** What becomes of a transaction's fields on their way from the stream to the archive. */
import { describe, expect, it } from "vitest";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createRateSource } from "../../../functions/shared/rate-source";
import { ARRIVAL_MS, context, encode, event, kinesisRecord, StreamWorld, transaction } from "../../helpers/stream-world";

const DAY_MS = 86_400_000;
const table = (JPY: number) =>
  JSON.stringify({ reference: "USD", as_of: new Date(ARRIVAL_MS - 2 * DAY_MS).toISOString(), rates: { JPY } });

function worldWith(text: () => string) {
  const world = new StreamWorld();
  const clock = { now: () => ARRIVAL_MS };
  const sink = (line: string) => void world.lines.push(line);
  const log = createLog("info", {}, sink);
  const metrics = createMetrics("Test", {}, clock, sink);
  const parameters = { latest: async () => new Map([["/rates", text()]]) };
  const rates = createRateSource({ parameters, parameter: "/rates", clock, log, metrics });
  return { world, handler: world.handler({ rates, metrics }) };
}

describe("a transaction in the stream", () => {
  it("is compared in the reference currency and archived as it was sent, with the rate", async () => {
    const { world, handler } = worldWith(() => table(150));
    await handler(event(kinesisRecord(1, encode(transaction("a", { amount: 3000, currency: "JPY" })))), context);
    expect(world.archived()[0]).toMatchObject({
      amount: 3000,
      currency: "JPY",
      features: { amount: 20, exchange_rate: 150, currency_unknown: 0 },
      amount_flag: false,
    });
    expect(world.lines.join()).toContain('"RateAgeDays":2');
  });

  it("stays the same event, with its first decision, when rates have changed before it comes again", async () => {
    let rate = 150;
    const { world, handler } = worldWith(() => table(rate));
    const again = event(kinesisRecord(1, encode(transaction("a", { amount: 3000, currency: "JPY" }))));
    await handler(again, context);
    const first = world.archived();
    rate = 1;
    await handler(again, context);
    await handler(again, context);
    expect(world.archived()).toEqual(first);
    expect(world.quarantined()).toEqual([]);
  });

  it("says nothing of the rates' age while all amounts are in the reference currency", async () => {
    const { world, handler } = worldWith(() => table(150));
    await handler(event(kinesisRecord(1, encode(transaction("a")))), context);
    expect(world.lines.join()).not.toContain("RateAgeDays");
  });

  it("is of one user, whatever way the user's name is written, and its mailbox has a token of its own", async () => {
    const world = new StreamWorld();
    const sent = [
      transaction("a", { user_id: "jose\u0301@example.com", email: "jose+a@example.com" }),
      transaction("b", { user_id: "jos\u00e9@example.com", email: "JOSE@example.com" }),
      transaction("c", { user_id: "jos\u00e9\u200b@example.com" }),
    ];
    await world.handler()(event(...sent.map((record, index) => kinesisRecord(index + 1, encode(record)))), context);
    const lines = world.archived();
    expect(new Set(lines.map(({ user_id }) => user_id)).size).toBe(1);
    expect(world.states.size).toBe(1);
    const [a, b] = lines.map(({ input }) => input);
    expect(a?.mailbox).toMatch(/^tok_/);
    expect(a?.mailbox).toBe(b?.mailbox);
    expect(a?.email).not.toBe(b?.email);
    expect(b?.email).toBe(b?.mailbox);
  });
});
