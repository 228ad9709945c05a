import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureSet } from "../../../../functions/scoring/core/features";
import { circuitBreaker } from "../../../../functions/scoring/models/circuit-breaker";
import type { EndpointRef } from "../../../../functions/scoring/models/document";
import {
  EndpointFailure,
  type EndpointRequest,
  endpointModel,
  type InvokeEndpoint,
} from "../../../../functions/scoring/models/endpoint";
import { decodeScores, encodeRows } from "../../../../functions/scoring/models/endpoint-rows";
import { createEndpointInvoker, endpointFailure } from "../../../../functions/shared/endpoint-invoker";

const FEATURES = featureSet(["a", "b", "c"].map((name) => ({ name, description: name })));
const REF: EndpointRef = { kind: "endpoint", name: "e-1", endpointName: "risk", contentType: "text/csv", timeoutMs: 100 };

/** A clock whose timers fire when it is moved. */
class Time {
  now = 0;
  timers: { at: number; run: () => void }[] = [];
  readonly after = (milliseconds: number, run: () => void): (() => void) => {
    const timer = { at: this.now + milliseconds, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };
  async advance(milliseconds: number): Promise<void> {
    await settle();
    this.now += milliseconds;
    const due = this.timers.filter(({ at }) => at <= this.now);
    this.timers = this.timers.filter(({ at }) => at > this.now);
    for (const { run } of due) run();
    await settle();
  }
}

/** Lets every promise that can go on do so. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

function setUp(invoke: InvokeEndpoint, ref: EndpointRef = REF) {
  const time = new Time();
  const breaker = circuitBreaker({ failures: 2, openMs: 1000, maxOpenMs: 3000, now: () => time.now });
  const model = endpointModel(ref, FEATURES, { invoke, breaker, after: time.after, random: () => 0.5 });
  const score = async (count = 1) => {
    const out = new Float64Array(count);
    await model.scoreBatch(
      Float64Array.from({ length: count * 3 }, (_, index) => index),
      count,
      out,
    );
    return [...out];
  };
  return { time, breaker, model, score };
}

const transient = () => new EndpointFailure("throttled", "throttled", true);

describe("rows for an endpoint", () => {
  const values = Float64Array.of(1, Number.NaN, 0.5, 4, 5, Number.POSITIVE_INFINITY);

  it("are CSV lines with nothing for unknown values, or JSON instances with null", () => {
    expect(encodeRows("text/csv", values, 3, [0, 1, 2], 0, 2)).toBe("1,,0.5\n4,5,");
    expect(encodeRows("application/json", values, 3, [2, 0], 0, 2)).toBe('{"instances":[[0.5,1],[null,4]]}');
  });

  it.each([
    ["0.1,0.2", [0.1, 0.2]],
    ["0.1\n0.2\n", [0.1, 0.2]],
    ["[0.1, 0.2]", [0.1, 0.2]],
    ['{"predictions": [{"score": 0.1}, {"probability": 0.2}]}', [0.1, 0.2]],
    ['{"predictions": [[0.1], [0.2]]}', [0.1, 0.2]],
  ])("come back as %s", (text, scores) => {
    expect([...decodeScores(text, 2)]).toEqual(scores);
  });

  it.each(["", "0.1", "0.1,x", "{", '{"result": 1}', '{"predictions": [null, 1]}', "[0.1, 1e999]", '[[1, 2], "x"]'])(
    "are refused as %s",
    (text) => {
      expect(() => decodeScores(text, 2)).toThrow(expect.objectContaining({ reason: "bad_answer" }));
    },
  );

  it("are only accepted as finite scores, one per row", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.integer({ min: 1, max: 3 }), (text, count) => {
        try {
          const scores = decodeScores(text, count);
          expect(scores).toHaveLength(count);
          expect(scores.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ reason: "bad_answer" });
        }
      }),
    );
  });
});

describe("an endpoint as a model", () => {
  it("sends a batch in one call, with the configured columns", async () => {
    const requests: EndpointRequest[] = [];
    const { score, time } = setUp(
      async (request) => {
        requests.push(request);
        return "0.1,0.2";
      },
      { ...REF, features: ["c", "a"] },
    );
    expect(await score(2)).toEqual([0.1, 0.2]);
    expect(requests).toMatchObject([{ endpointName: "risk", contentType: "text/csv", body: "2,0\n5,3" }]);
    expect(time.timers).toEqual([]);
    expect(await score(0)).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  it("splits a batch that is too large for one call", async () => {
    const sizes: number[] = [];
    const { score } = setUp(async ({ body }) => {
      const rows = body.split("\n").length;
      sizes.push(rows);
      return Array.from({ length: rows }, () => sizes.length).join();
    });
    const scores = await score(4001);
    expect(sizes).toEqual([4000, 1]);
    expect([scores[0], scores[3999], scores[4000]]).toEqual([1, 1, 2]);
  });

  it("repeats temporary failures after a pause with jitter, at most twice", async () => {
    let calls = 0;
    const { score, time } = setUp(async () => {
      if (++calls < 3) throw transient();
      return "0.5";
    });
    const scored = score();
    await time.advance(20);
    expect(calls).toBe(2);
    await time.advance(40);
    expect(await scored).toEqual([0.5]);

    calls = -10;
    const failing = score();
    const outcome = expect(failing).rejects.toMatchObject({ reason: "throttled" });
    await time.advance(20);
    await time.advance(40);
    await outcome;
    expect(calls).toBe(-7);
  });

  it("does not repeat permanent failures", async () => {
    let calls = 0;
    const { score } = setUp(async () => {
      calls++;
      throw new EndpointFailure("model_error", "no", false);
    });
    await expect(score()).rejects.toMatchObject({ reason: "model_error" });
    expect(calls).toBe(1);
  });

  it("gives up when its time is up, aborts the call, and ignores a late answer", async () => {
    let late: (text: string) => void = () => {};
    let signal: AbortSignal | undefined;
    const { time, model } = setUp((request) => {
      signal = request.signal;
      return new Promise((resolve) => {
        late = resolve;
      });
    });
    const out = Float64Array.of(-1);
    const scored = expect(model.scoreBatch(new Float64Array(3), 1, out)).rejects.toMatchObject({ reason: "timeout" });
    await time.advance(100);
    await scored;
    expect(signal?.aborted).toBe(true);
    late("0.9");
    await settle();
    expect([...out]).toEqual([-1]);
  });

  it("is not called after consecutive failures, then tried once, and used again if that works", async () => {
    let answer: (() => Promise<string>) | undefined;
    let calls = 0;
    const { score, time, breaker } = setUp(() => {
      calls++;
      return answer === undefined ? Promise.reject(new EndpointFailure("model_error", "no", false)) : answer();
    });
    for (let time = 0; time < 2; time++) await expect(score()).rejects.toMatchObject({ reason: "model_error" });
    expect(breaker.state()).toBe("open");
    await expect(score()).rejects.toMatchObject({ reason: "circuit_open" });
    expect(calls).toBe(2);

    await time.advance(1000);
    expect(breaker.state()).toBe("half-open");
    await expect(score()).rejects.toMatchObject({ reason: "model_error" });
    await time.advance(1999);
    await expect(score()).rejects.toMatchObject({ reason: "circuit_open" });

    await time.advance(1);
    let release: (text: string) => void = () => {};
    answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const trial = score();
    await expect(score()).rejects.toMatchObject({ reason: "circuit_open" });
    await settle();
    release("0.7");
    expect(await trial).toEqual([0.7]);
    expect(breaker.state()).toBe("closed");
    answer = async () => "0.8";
    expect(await score()).toEqual([0.8]);
  });

  it("is refused with a feature that the profile does not have", () => {
    expect(() => setUp(async () => "1", { ...REF, features: ["d"] })).toThrow(/"d"/);
  });
});

describe("calls of the runtime", () => {
  const error = (name: string, httpStatusCode?: number) =>
    Object.assign(new Error("secret"), { name, $metadata: { httpStatusCode } });

  it.each([
    ["ThrottlingException", 400, "throttled", true],
    ["ServiceUnavailable", 503, "unreachable", true],
    ["ModelError", 424, "model_error", false],
    ["ModelNotReadyException", 429, "throttled", true],
    ["ValidationError", 400, "rejected", false],
    ["TimeoutError", undefined, "unreachable", true],
  ])("that fail with %s (%s) are %s", (name, status, reason, isTransient) => {
    const failure = endpointFailure("risk", error(name, status));
    expect(failure).toMatchObject({ reason, isTransient });
    expect(failure.message).not.toContain("secret");
  });

  it("create their client once, at the first call", async () => {
    let loads = 0;
    const invoke = createEndpointInvoker(() => {
      loads++;
      return {
        send: async ({ body }) => {
          if (body === "fail") throw "text";
          return body;
        },
      };
    });
    const { signal } = new AbortController();
    const request = { endpointName: "risk", contentType: "text/csv" as const, signal };
    expect(loads).toBe(0);
    expect(await invoke({ ...request, body: "1" })).toBe("1");
    await expect(invoke({ ...request, body: "fail" })).rejects.toMatchObject({ reason: "unreachable" });
    expect(loads).toBe(1);
  });
});
