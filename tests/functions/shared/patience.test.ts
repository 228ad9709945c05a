import { describe, expect, it } from "vitest";
import { mapPatiently, type Patience, persist } from "../../../functions/shared/patience";
import { isThrottled, isTransient } from "../../../functions/shared/sdk-error";

const named = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });
const throttle = () => named("ProvisionedThroughputExceededException");

/** Waits take no time, but let others go first; `pauses` has the upper ends of those that were drawn. */
function patienceOf(mayWait: () => boolean = () => true): Patience & { readonly pauses: number[] } {
  const pauses: number[] = [];
  const sleep = (milliseconds: number): Promise<void> => {
    pauses.push(milliseconds);
    return new Promise((resolve) => setImmediate(resolve));
  };
  return { mayWait, pauses, backoff: { attempts: 3, baseMs: 10, capMs: 100, random: () => 0.999, sleep } };
}

describe("patience", () => {
  it("distinguishes throttling and temporary faults from permanent errors", () => {
    for (const name of ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"])
      expect(isThrottled(named(name))).toBe(true);
    expect(isThrottled(named("ValidationException"))).toBe(false);
    expect(isTransient(named("InternalServerError", { $fault: "server" }))).toBe(true);
    expect(isTransient(named("TimeoutError"))).toBe(true);
    expect(isTransient(named("Error", { code: "ECONNRESET" }))).toBe(true);
    expect(isTransient(named("AccessDeniedException", { $fault: "client" }))).toBe(false);
    expect(isTransient("text")).toBe(false);
  });

  it("repeats throttled calls as long as there is time, with waits that grow up to their cap", async () => {
    const patience = patienceOf();
    let refusals = 8;
    expect(await persist(() => (refusals-- > 0 ? Promise.reject(throttle()) : Promise.resolve("done")), patience)).toBe("done");
    expect(patience.pauses).toEqual([19, 39, 79, 99, 99, 99, 99, 99]);
    let time = 3;
    await expect(
      persist(
        () => Promise.reject(throttle()),
        patienceOf(() => time-- > 0),
      ),
    ).rejects.toThrow("ProvisionedThroughputExceededException");
    expect(time).toBe(-1);
  });

  it("repeats temporary faults a few times, and others not at all", async () => {
    let calls = 0;
    const failing = (error: Error) => () => {
      calls++;
      return Promise.reject(error);
    };
    await expect(persist(failing(named("TimeoutError")), patienceOf())).rejects.toThrow("TimeoutError");
    expect(calls).toBe(3);
    await expect(persist(failing(named("AccessDeniedException")), patienceOf())).rejects.toThrow("AccessDenied");
    expect(calls).toBe(4);
  });

  it("lets a slow table take items nearly in order, so that the unwritten ones are the last", async () => {
    let units = 0;
    let taken = 0;
    let underWay = 0;
    let most = 0;
    const order: number[] = [];
    const outcomes = await mapPatiently(
      Array.from({ length: 400 }, (_, index) => index),
      48,
      async (index) => {
        underWay++;
        // In the second half only what the table has narrowed it to is under way.
        if (taken > 100) most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay--;
        // One unit in ten calls.
        if (units++ % 10 !== 0) throw throttle();
        taken++;
        order.push(index);
      },
      patienceOf(() => taken < 200),
      () => taken < 200,
    );
    const done = outcomes.filter(({ kind }) => kind === "done").length;
    const first = outcomes.findIndex(({ kind }) => kind !== "done");
    expect(done).toBeGreaterThanOrEqual(200);
    expect(first).toBeGreaterThan(150);
    expect(most).toBeLessThanOrEqual(5);
    expect(Math.max(...order.map((index, position) => index - position))).toBeLessThan(48);
    expect(outcomes.at(-1)).toEqual({ kind: "not_started" });
  });

  it("returns to full concurrency once the table accepts everything again, and starts nothing without time", async () => {
    let calls = 0;
    let underWay = 0;
    let most = 0;
    const outcomes = await mapPatiently(
      Array.from({ length: 300 }, (_, index) => index),
      20,
      async (index) => {
        if (calls++ < 40) throw throttle();
        underWay++;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay--;
        return index;
      },
      patienceOf(),
    );
    expect(outcomes).toEqual(outcomes.map((_, value) => ({ kind: "done", value })));
    expect(most).toBe(20);
    expect(await mapPatiently([], 5, async () => 1, patienceOf())).toEqual([]);
    expect(
      await mapPatiently(
        [1],
        5,
        async () => 1,
        patienceOf(),
        () => false,
      ),
    ).toEqual([{ kind: "not_started" }]);
  });

  it("processes the items of a lane one after the other, and none after one that failed", async () => {
    const order: string[] = [];
    const outcomes = await mapPatiently(
      ["a1", "b1", "a2", "c1", "b2", "a3"],
      6,
      async (item) => {
        order.push(`${item} starts`);
        for (let turns = item === "a1" ? 5 : 1; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        if (item === "b1") throw named("AccessDeniedException");
        order.push(`${item} ends`);
      },
      patienceOf(),
      () => true,
      (item) => item.charAt(0),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "failed", "done", "done", "not_started", "done"]);
    expect(order.filter((step) => step.startsWith("a"))).toEqual([
      "a1 starts",
      "a1 ends",
      "a2 starts",
      "a2 ends",
      "a3 starts",
      "a3 ends",
    ]);
  });

  it("gives a throttled table's units to the first waiting items", async () => {
    let calls = 0;
    const outcomes = await mapPatiently(
      Array.from({ length: 48 }, (_, index) => index),
      48,
      async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (++calls % 60 !== 0) throw throttle();
      },
      patienceOf(() => calls < 600),
    );
    const done = outcomes.filter(({ kind }) => kind === "done").length;
    expect(done).toBeGreaterThan(3);
    expect(outcomes.findIndex(({ kind }) => kind !== "done")).toBeGreaterThanOrEqual(done - 1);
  });
});
