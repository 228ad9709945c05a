import { describe, expect, it } from "vitest";
import { policy as validatePolicy } from "#validators";
import { PROFILES } from "../../../functions/scoring/profiles";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createParameterSource } from "../../../functions/shared/parameter-source";
import { createPolicySource } from "../../../functions/shared/policy-source";

const document = (version: string) => JSON.stringify({ ...PROFILES.lead.defaultPolicy, version });
const denied = Object.assign(new Error("SSM says no"), { $metadata: { httpStatusCode: 400 } });

function source(read: () => Promise<string | undefined>) {
  const lines: string[] = [];
  const time = { value: 0 };
  const clock = { now: () => time.value };
  const sink = (line: string) => void lines.push(line);
  const metrics = createMetrics("Test", {}, clock, sink);
  const parameters = createParameterSource({
    read: async () => {
      const text = await read();
      return new Map(text === undefined ? [] : [["/policy", text]]);
    },
    ttlMs: 10_000,
    clock,
    random: () => 0.5,
    sleep: async () => {},
  });
  const policies = createPolicySource({
    parameters,
    parameter: "/policy",
    profile: PROFILES.lead,
    validatePolicy,
    log: createLog("info", {}, sink),
    metrics,
  });
  return { policies, lines, time, metrics };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("policy source", () => {
  it("loads a new document in the background and never waits for it", async () => {
    let text = document("a");
    let reads = 0;
    const { policies, time, lines } = source(async () => {
      reads++;
      return text;
    });
    expect((await policies.current()).version).toBe("a");
    text = document("b");
    time.value = 4_999;
    expect((await policies.current()).version).toBe("a");
    expect(reads).toBe(1);
    time.value = 5_000;
    expect((await policies.current()).version).toBe("a");
    await settle();
    expect((await policies.current()).version).toBe("b");
    expect(lines.some((line) => line.includes("policy_changed"))).toBe(true);
  });

  it.each([
    ["SSM fails", () => Promise.reject(denied)],
    ["the parameter is gone", () => Promise.resolve(undefined)],
    ["the document is not JSON", () => Promise.resolve("{")],
    ["the document is invalid", () => Promise.resolve('{"profile":"lead"}')],
  ])("keeps the last good policy when %s, and counts and logs it once per read", async (_, bad) => {
    let read = (): Promise<string | undefined> => Promise.resolve(document("good"));
    const { policies, time, lines, metrics } = source(() => read());
    await policies.current();
    read = bad;
    time.value = 10_000;
    for (let call = 0; call < 3; call++) {
      expect((await policies.current()).version).toBe("good");
      await settle();
    }
    metrics.flush();
    expect(lines.at(-1)).toContain('"PolicyRefreshFailures":1');
    expect(lines.filter((line) => line.includes("policy_refresh_failed"))).toHaveLength(1);
  });

  it("fails without a first document, naming the parameter, and recovers once there is one", async () => {
    let read = (): Promise<string | undefined> => Promise.reject(denied);
    const { policies, time } = source(() => read());
    await expect(policies.current()).rejects.toThrow("SSM says no");
    read = async () => undefined;
    await expect(policies.current()).rejects.toThrow("no SSM parameter /policy");
    read = async () => document("late");
    await expect(policies.current()).rejects.toThrow("no SSM parameter /policy");
    time.value = 5_000;
    expect((await policies.current()).version).toBe("late");
  });
});
