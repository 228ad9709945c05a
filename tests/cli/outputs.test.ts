import { describe, expect, it } from "vitest";
import { sendTransaction } from "../../cli/examples";
import { streamOf } from "../../cli/outputs";

describe("a stack without a stream", () => {
  it("is told to a command that sends through it, with the setting to change", () => {
    expect(streamOf({ streamName: "transactions" })).toBe("transactions");
    expect(() => streamOf({})).toThrow("add kinesis to risk:fraud.triggers");
  });

  it("gets an example of a trigger that it has", () => {
    const post = (path: string, body: string) => `POST ${path} ${body}`;
    expect(sendTransaction({ streamName: "s", incomingBus: "b" }, post)).toMatch(/^aws kinesis put-record --stream-name s /);
    const toBus = sendTransaction({ incomingBus: "b" }, post);
    expect(toBus).toMatch(/^aws events put-events .*"EventBusName":"b"/);
    expect(toBus).toContain(String.raw`"Detail":"{\"transaction_id\":\"tx-1\"`);
    expect(sendTransaction({}, post)).toMatch(/^POST \/events \{"events":\[\{"transaction_id/);
  });
});
