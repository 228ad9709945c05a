import { describe, expect, it } from "vitest";
import { binding, bottlenecks, capacityWarnings } from "../../stacks/capacity";
import { parseConfig } from "../../stacks/config";
import type { StackConfig } from "../../stacks/stack-config";

const REQUIRED = {
  "aws:region": "us-east-1",
  "risk:environment": "dev",
  "risk:suffix": "a1",
  "risk:notificationEmail": "risk-team@example.com",
  "risk:logRetentionDays": "7",
  "risk:tracing": "false",
  "risk:pointInTimeRecovery": "false",
};
const FRAUD = {
  shards: 1,
  memoryMb: 512,
  readCapacity: 5,
  readCapacityMax: 20,
  writeCapacity: 5,
  writeCapacityMax: 20,
  errorRateAlarmPercent: 10,
};

const config = (changes: Readonly<Record<string, string | number>> = {}): StackConfig =>
  parseConfig("dev", { ...REQUIRED, "risk:fraud": JSON.stringify({ ...FRAUD, ...changes }) });
const rate = (part: string, changes: Readonly<Record<string, string | number>> = {}) => {
  const found = bottlenecks(config(changes)).find((candidate) => candidate.part === part);
  return { now: Math.round(found?.recordsPerSecond ?? 0), later: Math.round(found?.ceiling ?? 0) };
};

describe("capacity", () => {
  it("of provisioned units is a record per second each, and is the bottleneck of the shipped dev stack", () => {
    expect(rate("Results table, writes")).toEqual({ now: 5, later: 19 });
    expect(binding(bottlenecks(config())).part).toBe("Results table, writes");
  });

  it("of the function grows with memory up to one core, and with lanes up to its reserved executions", () => {
    expect(rate("Stream function").now).toBe(643);
    expect(rate("Stream function", { memoryMb: 1769 }).now).toBe(2222);
    expect(rate("Stream function", { memoryMb: 10_240 }).now).toBe(2222);
    expect(rate("Stream function", { memoryMb: 1769, parallelization: 2 }).now).toBe(4444);
    expect(rate("Stream function", { memoryMb: 1769, shards: 4, capacityMode: "onDemand", reservedConcurrency: 2 }).now).toBe(
      4444,
    );
  });

  it("of shards is a thousand records per second each; a stream on demand starts with four", () => {
    expect(rate("Kinesis stream", { shards: 3 })).toEqual({ now: 3000, later: 3000 });
    expect(rate("Kinesis stream", { capacityMode: "onDemand" }).now).toBe(4000);
    expect(rate("Results table, writes", { capacityMode: "onDemand" }).now).toBeGreaterThan(3800);
  });

  it("gives a warning when shards and units differ by more than ten times, either way, with the settings that fix it", () => {
    expect(capacityWarnings(config())).toEqual([
      expect.stringMatching(/1,000 records per second.*4\.9.*19.*fraud\.capacityMode to onDemand/),
    ]);
    expect(capacityWarnings(config({ writeCapacity: 100, writeCapacityMax: 100 }))).toEqual([]);
    expect(capacityWarnings(config({ writeCapacity: 99, writeCapacityMax: 20_000 }))).toHaveLength(1);
    expect(capacityWarnings(config({ writeCapacity: 10_000, writeCapacityMax: 20_000 }))).toEqual([]);
    expect(capacityWarnings(config({ writeCapacity: 10_001, writeCapacityMax: 20_000 }))).toEqual([
      expect.stringMatching(/never used\. Lower fraud\.writeCapacity/),
    ]);
    expect(capacityWarnings(config({ capacityMode: "onDemand" }))).toEqual([]);
  });
});
