import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { PROFILES } from "../../../functions/scoring/profiles";
import { DEFAULT_BACKOFF, pause } from "../../../functions/shared/backoff";
import { systemClock } from "../../../functions/shared/clock";
import { mapBounded } from "../../../functions/shared/concurrency";
import { EnvReader } from "../../../functions/shared/env";
import { environmentCredentials } from "../../../functions/shared/env-credentials";
import { duplicateName, parseJsonBytes, parseJsonText } from "../../../functions/shared/json-input";
import { codeFailure, createLog, describeError, stdoutSink } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createTokeniserSource } from "../../../functions/shared/secret-source";
import { createTokeniser } from "../../../functions/shared/tokeniser";

const clock = { now: () => 1_000 };

describe("tokeniser", () => {
  const tokeniser = createTokeniser("secret", PROFILES.fraud.schema);

  it("replaces personal fields, coarsens places and keeps the rest", () => {
    const input = { user_id: "alice", email: "a@b.c", latitude: 40.7128, longitude: "west", amount: 3, device_id: null };
    const output = tokeniser.protect(input);
    expect(output).toMatchObject({ latitude: 40.7, longitude: null, amount: 3, device_id: null });
    expect(output.user_id).toMatch(/^tok_[\w-]{22}$/);
    expect(JSON.stringify(output)).not.toMatch(/alice|a@b\.c/);
    expect(tokeniser.protect({ user_id: 7 }).user_id).toMatch(/^tok_/);
  });

  it("is made without fetching the secret for a profile without personal fields, and then refuses to make tokens", async () => {
    let fetched = 0;
    const secret = async () => `secret ${++fetched}`;
    const lead = await createTokeniserSource(secret, PROFILES.lead.schema)();
    expect(lead.protect({ industry: "energy" })).toEqual({ industry: "energy" });
    expect(() => lead.token("alice")).toThrow(/LeadRequest|no personal field/);
    expect(fetched).toBe(0);
    const fraud = await createTokeniserSource(secret, PROFILES.fraud.schema)();
    expect([fraud.token("alice"), fetched]).toEqual([createTokeniser("secret 1", PROFILES.fraud.schema).token("alice"), 1]);
  });

  it("gives stable tokens per key, different ones between keys, and remembers a limited number", () => {
    const again = createTokeniser("secret", PROFILES.fraud.schema);
    const first = tokeniser.token("alice");
    for (let index = 0; index < 10_050; index++) again.token(`user-${index}`);
    expect([again.token("alice"), again.token("alice")]).toEqual([first, first]);
    expect(createTokeniser("other", PROFILES.fraud.schema).token("alice")).not.toBe(first);
  });
});

describe("metrics", () => {
  it("are published once: one EMF line per flush, under all their dimensions together", () => {
    const lines: string[] = [];
    const metrics = createMetrics("Space", { Environment: "dev-a1", Profile: "lead" }, clock, (line) => lines.push(line));
    metrics.flush();
    metrics.add("Latency", "Milliseconds", 3);
    metrics.add("Latency", "Milliseconds", 4);
    metrics.add("Count", "Count", 1);
    metrics.property("requestId", "r");
    metrics.flush();
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        _aws: {
          Timestamp: 1_000,
          CloudWatchMetrics: [
            {
              Namespace: "Space",
              Dimensions: [["Environment", "Profile"]],
              Metrics: [
                { Name: "Latency", Unit: "Milliseconds" },
                { Name: "Count", Unit: "Count" },
              ],
            },
          ],
        },
        requestId: "r",
        Environment: "dev-a1",
        Profile: "lead",
        Latency: [3, 4],
        Count: 1,
      },
    ]);
  });

  it("stay within a hundred values and a hundred metrics per line", () => {
    const lines: string[] = [];
    const metrics = createMetrics("Space", {}, clock, (line) => lines.push(line));
    for (let index = 0; index < 250; index++) metrics.add("A", "None", index);
    for (let index = 0; index < 150; index++) metrics.add(`M${index}`, "None", index);
    metrics.flush();
    for (const line of lines) {
      const { _aws, ...values } = JSON.parse(line) as {
        _aws: { CloudWatchMetrics: { Metrics: unknown[]; Dimensions: unknown }[] };
      };
      expect(_aws.CloudWatchMetrics[0]?.Metrics.length).toBeLessThanOrEqual(100);
      expect(_aws.CloudWatchMetrics[0]?.Dimensions).toEqual([[]]);
      for (const value of Object.values(values)) expect([value].flat().length).toBeLessThanOrEqual(100);
    }
    expect(lines.length).toBeGreaterThan(3);
  });
});

describe("log", () => {
  it("writes one JSON object per line, from its level upwards", () => {
    const lines: string[] = [];
    const log = createLog("warn", { function: "f" }, (line) => lines.push(line));
    log.debug("a");
    log.info("b");
    log.warn("c", { count: 1 });
    log.error("d");
    expect(lines.map((line) => JSON.parse(line) as Record<string, unknown>)).toMatchObject([
      { level: "warn", event: "c", function: "f", count: 1 },
      { level: "error", event: "d" },
    ]);
    createLog("loud", {}, (line) => lines.push(line)).debug("hidden");
    expect(lines).toHaveLength(2);
    expect(describeError("x")).toEqual({ name: "UnknownError", message: "x" });
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    stdoutSink("line");
    expect(write).toHaveBeenCalledWith("line\n");
    write.mockRestore();
  });
});

describe("environment", () => {
  it("names every problem at once", () => {
    const env = new EnvReader("f", { NUMBER: "many", KIND: "c", GIVEN: "yes" });
    expect([env.text("GIVEN"), env.optional("ABSENT", "d"), env.number("ABSENT", 3, 0, 9)]).toEqual(["yes", "d", 3]);
    env.text("MISSING");
    env.number("NUMBER", 1, 0, 9);
    env.oneOf("KIND", ["a", "b"]);
    expect(() => env.done()).toThrow(/f cannot start: .*MISSING.*NUMBER.*0 to 9.*"many".*KIND.*a, b.*"c"/);
    const fine = new EnvReader("f", { NUMBER: "4", KIND: "b" });
    expect([fine.number("NUMBER", 1, 0, 9), fine.oneOf("KIND", ["a", "b"])]).toEqual([4, "b"]);
    fine.done();
  });

  it("holds the credentials of a function", () => {
    expect(environmentCredentials({ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_SESSION_TOKEN: "c" })).toEqual({
      accessKeyId: "a",
      secretAccessKey: "b",
      sessionToken: "c",
    });
    expect(() => environmentCredentials({})).toThrow("AWS_ACCESS_KEY_ID");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "a");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "b");
    vi.stubEnv("AWS_SESSION_TOKEN", "");
    expect(environmentCredentials()).toEqual({ accessKeyId: "a", secretAccessKey: "b" });
    vi.unstubAllEnvs();
  });
});

describe("JSON input", () => {
  const limits = { maxBytes: 100, maxDepth: 3 };
  it("refuses what is too large, not UTF-8, not JSON, too deep, infinite or polluting, and quotes no input", () => {
    const reason = (bytes: Buffer) => {
      const result = parseJsonBytes(bytes, limits);
      return result.ok ? "ok" : result.reason;
    };
    expect(reason(Buffer.alloc(101))).toBe("too_large");
    expect(reason(Buffer.from([0xc3, 0x28]))).toBe("not_utf8");
    expect(reason(Buffer.from("nope"))).toBe("not_json");
    expect(reason(Buffer.from("[[[[1]]]]"))).toBe("invalid");
    expect(reason(Buffer.from("-1e999"))).toBe("invalid");
    expect(reason(Buffer.from('[{"prototype":1}]'))).toBe("invalid");
    expect(reason(Buffer.from('{"a":[1,"b",null,true]}'))).toBe("ok");
    expect(JSON.stringify(parseJsonText("alice@example.org", 3))).not.toContain("alice");
  });

  it("refuses a name that occurs twice in one object, however it is written", () => {
    const reason = (text: string) => {
      const result = parseJsonText(text, 5);
      return result.ok ? "ok" : result.reason;
    };
    for (const repeated of [
      '{"a":1,"a":2}',
      '{"a" :1,"a"\n:1}',
      '{"a":1,"b":":","\\u0061":2}',
      '[{"x":{"b":1,"b":[]}}]',
      '{"a\\\\":1,"a\\\\":1}',
      '{"":0,"":0}',
    ])
      expect([repeated, reason(repeated)]).toEqual([repeated, "duplicate_name"]);
    for (const distinct of ['{"a":"b\\":","b":["a:","\\\\",{"a":1}]}', '["a","a"]', '"a"', '{"a":"\\\\\\"","b":":"}', "{}"])
      expect([distinct, reason(distinct)]).toEqual([distinct, "ok"]);
  });

  it("refuses exactly what the tokeniser finds", () => {
    // No name that is a backslash: where objects with that name have been parsed before, V8 13.6 reads the name "\"" as one.
    const name = fc.constantFrom("a", "b", '"', "\\b", ":", "é", "");
    const blank = fc.constantFrom("", " ", "\n\t");
    const members = fc.array(fc.tuple(name, blank, fc.constantFrom('"x"', '":"', "1", '{"a":1}', '["\\""]')), { maxLength: 4 });
    fc.assert(
      fc.property(members, (list) => {
        const text = `{${list.map(([key, space, value]) => `${JSON.stringify(key)}${space}:${space}${value}`).join(",")}}`;
        expect(parseJsonText(text, 5).ok).toBe(duplicateName(text) === null);
      }),
      { seed: 6, numRuns: 2000 },
    );
  });

  it("finds a name that occurs twice in one object, and only there", () => {
    expect(duplicateName('{"a":1,"b":{"a":2},"c":["a","a",{"a":1}]}')).toBeNull();
    expect(duplicateName('{"a":{"x":1,"\\u0078":2}}')).toBe("x");
    fc.assert(fc.property(fc.json(), (text) => duplicateName(JSON.stringify(JSON.parse(text))) === null));
  });
});

describe("mapBounded", () => {
  it("keeps the limit, the order and every outcome, and stops starting when asked to", async () => {
    let running = 0;
    let most = 0;
    const outcomes = await mapBounded(
      [1, 2, 3, 4, 5],
      2,
      async (item) => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        if (item === 2) throw new Error("two");
        return item * 10;
      },
      () => running < 99,
    );
    expect(most).toBe(2);
    expect(outcomes.map((outcome) => (outcome.kind === "done" ? outcome.value : outcome.kind))).toEqual([
      10,
      "failed",
      30,
      40,
      50,
    ]);
    expect(
      await mapBounded(
        [1],
        1,
        async () => 1,
        () => false,
      ),
    ).toEqual([{ kind: "not_started" }]);
  });
});

it("pauses between 0 and the cap", async () => {
  const waits: number[] = [];
  const backoff = { ...DEFAULT_BACKOFF, random: () => 0.999, sleep: async (ms: number) => void waits.push(ms) };
  for (const attempt of [1, 2, 10]) await pause(backoff, attempt);
  expect(waits).toEqual([49, 99, 799]);
  await DEFAULT_BACKOFF.sleep(0);
  expect(systemClock.now()).toBeGreaterThan(0);
});

describe("a failure of the code", () => {
  it("is told by its class and place, without its message, which may quote a record", () => {
    const quoting = (message: string) => Object.assign(new SyntaxError(message), {});
    for (const message of ["alice", "alice\n    at alice (home.js:1:1)", ""]) {
      const told = codeFailure(quoting(message));
      expect(told).toMatch(/^SyntaxError at .*shared\.test\.ts/);
      expect(told).not.toContain("alice");
    }
    const renamed = Object.assign(new Error("second"), { stack: "Error: alice\n    at alice (home.js:1:1)" });
    expect(codeFailure(renamed)).toBe("Error");
    expect(codeFailure("alice")).toBe("The code threw something that is not an error.");
  });
});
