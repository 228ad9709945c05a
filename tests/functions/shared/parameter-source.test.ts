/** What many warm containers do to the one rate at which an account reads parameters. */

import { TokenBucket } from "@risk/local-aws/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { models as validateModels, policy as validatePolicy } from "#validators";
import { Random } from "../../../cli/demo/random";
import { PROFILES } from "../../../functions/scoring/profiles";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createModelSource } from "../../../functions/shared/model-source";
import { createParameterSource, type ParameterSourceArgs, type ParameterTexts } from "../../../functions/shared/parameter-source";
import { createPolicySource } from "../../../functions/shared/policy-source";

const clock = { now: () => Date.now() };
const TTL_MS = 60_000;
const TEXTS: ParameterTexts = new Map([
  ["/policy", JSON.stringify({ ...PROFILES.lead.defaultPolicy, version: "good" })],
  ["/models", JSON.stringify({ version: "rules", chain: [{ kind: "rules-only" }] })],
]);
const throttling = () =>
  Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException", $metadata: { httpStatusCode: 400 } });
const denied = () =>
  Object.assign(new Error("not authorized"), { name: "AccessDeniedException", $metadata: { httpStatusCode: 400 } });

/** Parameter Store as one account has it, and what it was asked. */
class Store {
  /** Milliseconds of every call. */
  readonly calls: number[] = [];
  answer: () => ParameterTexts = () => TEXTS;

  static limited(rate: number): Store {
    const bucket = new TokenBucket({ rate, burst: rate }, clock.now);
    const store = new Store();
    store.answer = () => {
      if (!bucket.take()) throw throttling();
      return TEXTS;
    };
    return store;
  }

  source(random: () => number, options: Partial<ParameterSourceArgs> = {}) {
    const read = async () => {
      this.calls.push(clock.now());
      return this.answer();
    };
    return createParameterSource({ read, ttlMs: TTL_MS, clock, random, ...options });
  }
}

/** A scoring function's sources over one store. */
function container(store: Store, seed: number) {
  const lines: string[] = [];
  const sink = (line: string) => void lines.push(line);
  const random = new Random(seed);
  const parameters = store.source(() => random.next());
  const metrics = createMetrics("Test", {}, clock, sink);
  const common = { parameters, profile: PROFILES.lead, log: createLog("info", {}, sink), metrics };
  const policies = createPolicySource({ ...common, parameter: "/policy", validatePolicy });
  const models = createModelSource({
    ...common,
    parameter: "/models",
    validateModels,
    clock,
    fetchImage: () => Promise.reject(new Error("no artifact is named")),
    loadTrees: () => {
      throw new Error("no trees are named");
    },
    endpoint: ({ name }) => ({ version: name, scoreBatch: () => Promise.resolve() }),
  });
  return {
    lines,
    /** What a batch or request is scored with. */
    async versions(): Promise<string> {
      const [policy, set] = await Promise.all([policies.current(), models.current()]);
      return `${policy.version} ${set?.version}`;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe("a refresh", () => {
  it("reads policy and models in one call, however often both are asked for", async () => {
    const store = new Store();
    const { versions } = container(store, 1);
    for (let refresh = 1; refresh <= 5; refresh++) {
      for (let call = 0; call < 10; call++) {
        expect(await versions()).toBe("good rules");
        await pass(1);
      }
      expect(store.calls).toHaveLength(refresh);
      await pass(TTL_MS * 1.2);
    }
  });

  it("happens within the first TTL, then after the TTL ± 20 %", async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })), async (numbers) => {
        const store = new Store();
        const source = store.source(() => Number(numbers.next().value));
        for (let second = 0; second < 300; second++) {
          await source.latest();
          vi.setSystemTime(clock.now() + 1_000);
        }
        const gaps = store.calls.slice(1).map((at, index) => at - Number(store.calls[index]));
        expect(gaps[0]).toBeLessThanOrEqual(TTL_MS + 1_000);
        for (const gap of gaps.slice(1)) {
          expect(gap).toBeGreaterThanOrEqual(TTL_MS * 0.8);
          expect(gap).toBeLessThanOrEqual(TTL_MS * 1.2 + 1_000);
        }
      }),
      { numRuns: 20, seed: 8 },
    );
  });

  it("of 1,000 containers that start together stays below the account's 40 reads per second", async () => {
    const store = new Store();
    const sources = Array.from({ length: 1_000 }, (_, seed) => {
      const random = new Random(seed);
      return store.source(() => random.next());
    });
    const perSecond: number[] = [];
    for (let second = 0; second < 240; second++) {
      const before = store.calls.length;
      await Promise.all(sources.map((source) => source.latest()));
      perSecond.push(store.calls.length - before);
      vi.setSystemTime(clock.now() + 1_000);
    }
    expect(perSecond[0]).toBe(1_000);
    expect(Math.max(...perSecond.slice(1))).toBeLessThanOrEqual(40);
    // Every container goes on refreshing: about 1,000 a TTL.
    expect(store.calls.length).toBeGreaterThan(4_000);
  });
});

describe("a cold start", () => {
  it("of 200 containers at once waits until throttling ends, and every one scores", async () => {
    const store = Store.limited(40);
    const scored: number[] = [];
    const starts = Array.from({ length: 200 }, async (_, seed) => {
      expect(await container(store, seed).versions()).toBe("good rules");
      scored.push(clock.now());
    });
    await pass(8_000);
    await Promise.all(starts);
    expect(scored.filter((at) => at === 0)).toHaveLength(40);
    // 160 at 40 a second.
    expect(Math.max(...scored)).toBeGreaterThan(3_900);
    expect(Math.max(...scored)).toBeLessThan(6_000);
  });

  it("gives up after six seconds and says why; the next invocation tries afresh", async () => {
    const store = new Store();
    store.answer = () => {
      throw throttling();
    };
    const { versions } = container(store, 3);
    const refused = expect(versions()).rejects.toThrow(
      /could not be read in \d+ tries over \d+ ms \(ThrottlingException: Rate exceeded\).*40 reads a second; raise risk:policyTtlSeconds/,
    );
    await pass(6_000);
    await refused;
    expect(store.calls.length).toBeGreaterThan(4);
    expect(store.calls.at(-1)).toBeGreaterThan(3_500);

    store.answer = () => TEXTS;
    const before = store.calls.length;
    expect(await versions()).toBe("good rules");
    expect(store.calls).toHaveLength(before + 1);
  });

  it("does not wait after permanent errors", async () => {
    const store = new Store();
    store.answer = () => {
      throw denied();
    };
    await expect(container(store, 4).versions()).rejects.toThrow("not authorized");
    expect(store.calls).toHaveLength(1);
  });
});

describe("the last good policy and models", () => {
  it("stay in use without a wait while SSM throttles, and follow again afterwards", async () => {
    const store = new Store();
    const { versions, lines } = container(store, 5);
    await versions();
    store.answer = () => {
      throw throttling();
    };
    for (let minute = 0; minute < 10; minute++) {
      await pass(60_000);
      expect(await versions()).toBe("good rules");
    }
    expect(lines.filter((line) => line.includes("policy_refresh_failed")).length).toBeGreaterThan(3);
    expect(lines.filter((line) => line.includes("model_refresh_failed")).length).toBeGreaterThan(3);

    store.answer = () => new Map([...TEXTS, ["/models", JSON.stringify({ version: "next", chain: [{ kind: "rules-only" }] })]]);
    await pass(TTL_MS * 1.2);
    await versions();
    await pass(1);
    expect(await versions()).toBe("good next");
  });

  it("are read again by a container that was frozen during a read", async () => {
    let tries = 0;
    const read = async () => {
      tries++;
      if (tries === 1) {
        // The connection breaks while the container is frozen for an hour.
        vi.setSystemTime(clock.now() + 3_600_000);
        throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
      }
      return TEXTS;
    };
    const source = createParameterSource({ read, ttlMs: TTL_MS, clock, random: () => 0.5 });
    const reading = source.latest();
    await pass(200);
    expect(await reading).toBe(TEXTS);
    expect(tries).toBe(2);
  });
});
