import { describe, expect, it } from "vitest";
import { bottlenecks, capacityWarnings } from "../../stacks/capacity";
import { reservations } from "../../stacks/concurrency";
import { parseConfig } from "../../stacks/config";
import { streamTriggers } from "../../stacks/triggers";
import { stackValues } from "../helpers/recorder";

const withFraud = (settings: Readonly<Record<string, unknown>>) => {
  const overrides = Object.entries(settings).map(([name, value]) => [
    `risk:fraud.${name}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return parseConfig("dev", stackValues("dev", Object.fromEntries(overrides)));
};
const problemOf = (settings: Readonly<Record<string, unknown>>): string => {
  try {
    withFraud(settings);
    return "";
  } catch (error) {
    return String(error);
  }
};

describe("risk:fraud.triggers", () => {
  it("names the ways in that the component gets", () => {
    expect(Object.keys(streamTriggers(withFraud({ triggers: "rest,kinesis" })))).toEqual(["kinesis", "rest"]);
    expect(streamTriggers(withFraud({ triggers: "eventbridge" }))).toEqual({ eventBridge: {} });
    expect(streamTriggers(withFraud({ triggers: "s3" }))).toEqual({ s3: {} });
    const pattern = { source: ["shop"] };
    expect(streamTriggers(withFraud({ triggers: "eventbridge", eventBus: "default", eventPattern: pattern }))).toEqual({
      eventBridge: { busName: "default", pattern },
    });
  });

  it("refuses a name that it doesn't know, and one given twice", () => {
    expect(problemOf({ triggers: "kinesis,files" })).toContain(
      "expected one or more of kinesis, eventbridge, firehose, rest, s3",
    );
    expect(problemOf({ triggers: "rest,kinesis,rest" })).toContain("expected each trigger once");
    expect(problemOf({ triggers: "rest,kinesis,rest" })).toContain("kinesis,rest");
  });

  it("without kinesis reserves nothing for a stream, and finds no bottleneck in it", () => {
    const config = withFraud({ triggers: "eventbridge,rest", shards: 1000 });
    expect(reservations(config).map(({ key }) => key)).not.toContain("fraud.reservedConcurrency");
    const parts = bottlenecks(config).map(({ part }) => part);
    expect(parts).toContain("Queue function");
    expect(parts).not.toContain("Delivery stream");
    expect(parts).not.toContain("Kinesis stream");
    expect(capacityWarnings(config)).toEqual([]);
  });
});

describe("the trigger firehose", () => {
  it("takes its buffers from the config, reserves executions of its own, and has bottlenecks of its own", () => {
    expect(streamTriggers(withFraud({ triggers: "firehose", firehoseSeconds: 5 }))).toEqual({ firehose: { bufferSeconds: 5 } });
    const executions = (triggers: string) =>
      reservations(withFraud({ triggers })).find(({ key }) => key === "fraud.reservedConcurrency")?.executions;
    expect(executions("firehose")).toBe(executions("kinesis"));
    expect(executions("kinesis,firehose")).toBe(2 * (executions("kinesis") ?? 0));
    const parts = bottlenecks(withFraud({ triggers: "firehose" })).map(({ part }) => part);
    expect(parts).toEqual(expect.arrayContaining(["Delivery stream", "Delivery stream's function"]));
    expect(parts).not.toContain("Kinesis stream");
  });

  it("refuses a function that may take longer than Firehose waits", () => {
    expect(problemOf({ triggers: "firehose", timeoutSeconds: 301 })).toContain("at most 300 with the trigger firehose");
    expect(problemOf({ triggers: "kinesis", timeoutSeconds: 301 })).not.toContain("firehose");
  });
});

describe("risk:fraud.eventPattern", () => {
  it("takes lists, nested fields and $or", () => {
    const pattern = { $or: [{ source: ["a"] }, { detail: { amount: [{ numeric: [">", 0] }] } }] };
    expect(withFraud({ eventPattern: pattern })["fraud.eventPattern"]).toEqual(pattern);
  });

  it.each([
    ["expected an object of fields and lists", ["a"]],
    ["expected an object of fields and lists", "{"],
    ["expected fields in the pattern, got none", {}],
    ["expected fields in detail, got none", { detail: {} }],
    ['expected a list of what source may be, got "a"', { source: "a" }],
    ["expected a list of what detail.kind may be, got an empty one", { detail: { kind: [] } }],
    ["expected a list of at least two patterns in $or", { $or: [{ source: ["a"] }] }],
    ["expected fields in $or, got none", { $or: [{}, { source: ["a"] }] }],
    ["expected at most 2048 characters of JSON, got 2063", { source: ["a".repeat(2048)] }],
  ])("says what is wrong: %s", (problem, eventPattern) => {
    expect(problemOf({ eventPattern })).toContain(`risk:fraud.eventPattern: ${problem}`);
    expect(problemOf({ eventPattern })).toContain("pulumi config rm");
  });
});
