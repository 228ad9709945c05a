import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { functionOf, Harness, mappingOf, until } from "./support";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

const noting = (mark: string) =>
  `exports.handler = async (event) => {
    const ns = event.Records.map((r) => JSON.parse(Buffer.from(r.kinesis.data, "base64")).n);
    process.stdout.write("${mark} " + JSON.stringify(ns) + "\\n");
  }`;
const noted = () => harness.logs.filter((line) => /^(ONE|TWO) /.test(line));
const hanging =
  "exports.handler = async () => { process.stdout.write('waiting\\n'); await new Promise(() => setInterval(() => {}, 9)) }";

describe("a changed function", () => {
  it("runs its new code from the next invocation on, through its mapping too", async () => {
    const service = harness.service({ retryMs: 1 });
    await service.putFunction(functionOf("fn", noting("ONE")));
    await service.putMapping(mappingOf("fn"));
    service.activate();
    harness.put(2);
    await until(() => service.idle() && noted().length === 1);
    await service.putFunction(functionOf("fn", noting("TWO"), { roleArn: "arn:aws:iam::000000000000:role/other" }));
    harness.put(1);
    await until(() => service.idle() && noted().length === 2);
    expect(noted()).toEqual(["ONE [0,1]", "TWO [2]"]);
  });
});

describe("an event source mapping", () => {
  it("that is made after the start runs at once, and goes on where it was after a change", async () => {
    const service = harness.service({ retryMs: 1 });
    service.activate();
    await service.putFunction(functionOf("fn", noting("ONE")));
    harness.put(3);
    await service.putMapping(mappingOf("fn"));
    await until(() => service.idle() && noted().length === 1);
    await service.putMapping(mappingOf("fn", { batchSize: 1 }));
    harness.put(2);
    await until(() => service.idle() && noted().length === 3);
    expect(noted()).toEqual(["ONE [0,1,2]", "ONE [3]", "ONE [4]"]);
  });

  it("that was deleted begins anew when it is made again", async () => {
    const service = harness.service({ retryMs: 1 });
    service.activate();
    await service.putFunction(functionOf("fn", noting("ONE")));
    harness.put(1);
    await service.putMapping(mappingOf("fn"));
    await until(() => service.idle() && noted().length === 1);
    await service.mappings.delete(mappingOf("fn").uuid);
    harness.put(1);
    expect(noted()).toHaveLength(1);
    await service.putMapping(mappingOf("fn"));
    await until(() => service.idle() && noted().length === 2);
    expect(noted()).toEqual(["ONE [0]", "ONE [0,1]"]);
  });
});

describe("a deleted function", () => {
  it("has its last invocation ended with the platform", async () => {
    const service = harness.service();
    await service.putFunction(functionOf("fn", hanging));
    const running = service.pool.invoke("fn", "{}");
    await until(() => (service.pool.get("fn")?.busy.size ?? 0) === 1);
    await service.deleteFunction("fn");
    await expect(service.pool.invoke("fn", "{}")).rejects.toThrow(/Function not found/);
    await service.end();
    expect((await running).functionError).toBe("Unhandled");
  });

  it("has its asynchronous events dropped, and its settings forgotten", async () => {
    const service = harness.service();
    const failing = functionOf("fn", "exports.handler = async () => { throw new Error('always') }");
    await service.putFunction(failing);
    service.policies.put({
      id: "p",
      functionName: "fn",
      action: "lambda:InvokeFunction",
      principal: "events.amazonaws.com",
      sourceArn: undefined,
      qualifier: undefined,
    });
    service.asynchronous.configure("fn", { maxRetries: 0, onFailure: "arn:aws:sqs:us-east-1:000000000000:failed" });
    const send = () => service.deliver(failing.arn, "{}", { servicePrincipal: "events.amazonaws.com" });
    await send();
    await until(() => service.idle());
    expect(harness.delivered.map(({ target }) => target)).toEqual(["arn:aws:sqs:us-east-1:000000000000:failed"]);
    await send();
    await service.deleteFunction("fn");
    await until(() => service.idle());
    await service.putFunction(failing);
    await expect(async () => send()).rejects.toThrow(/no aws.lambda.Permission allows it/);
  });
});
