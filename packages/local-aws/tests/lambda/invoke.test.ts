import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { functionOf, Harness, request, until } from "./support";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

const invoke = async (body: string, payload = "{}", overrides = {}) => {
  const service = harness.service();
  await service.pool.put(functionOf("fn", body, overrides));
  const result = await service.pool.invoke("fn", payload);
  return { ...result, value: JSON.parse(result.payload) as unknown, service };
};

describe("an invocation", () => {
  it("runs the handler with the event and a context, in an environment of its own variables only", async () => {
    const { value } = await invoke(
      `exports.handler = async (event, context) => ({ event, name: context.functionName, arn: context.invokedFunctionArn,
        left: context.getRemainingTimeInMillis() > 1000, cwd: process.cwd() === process.env.LAMBDA_TASK_ROOT,
        home: process.env.HOME, path: process.env.PATH, mine: process.env.MINE, options: process.env.NODE_OPTIONS, endpoint: process.env.AWS_ENDPOINT_URL })`,
      '{"a":1}',
      { environment: { MINE: "yes" } },
    );
    expect(value).toEqual({
      event: { a: 1 },
      name: "fn",
      arn: "arn:aws:lambda:us-east-1:000000000000:function:fn",
      left: true,
      cwd: true,
      mine: "yes",
      endpoint: "http://127.0.0.1:1",
    });
  });

  it("reuses a warm process, and answers undefined as null", async () => {
    const service = harness.service();
    await service.pool.put(functionOf("fn", "let n = 0; exports.handler = async (e) => e.nothing ? undefined : ++n"));
    const payloads = [];
    for (const payload of ["{}", "{}", '{"nothing":true}']) payloads.push((await service.pool.invoke("fn", payload)).payload);
    expect(payloads).toEqual(["1", "2", "null"]);
  });

  it("logs START, the function's lines, END and REPORT in order, and returns the tail", async () => {
    const { logTail } = await invoke(
      'exports.handler = async () => { console.log("hello", { a: 1 }); console.error("two\\nlines"); process.stdout.write("raw\\n"); }',
    );
    expect(harness.logs).toEqual([
      expect.stringMatching(/^START RequestId: \S+ Version: \$LATEST$/),
      expect.stringMatching(/^\S+Z\t\S+\tINFO\thello \{ a: 1 \}$/),
      expect.stringMatching(/^\S+Z\t\S+\tERROR\ttwo\rlines$/),
      "raw",
      expect.stringMatching(/^END RequestId/),
      expect.stringMatching(
        /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: /,
      ),
    ]);
    expect(logTail).toContain("hello");
  });

  it("answers a thrown error with type, message and trace", async () => {
    const { value, functionError } = await invoke(
      "class Broken extends Error { name = 'Broken' } exports.handler = async () => { throw new Broken('no luck') }",
    );
    expect(functionError).toBe("Unhandled");
    expect(value).toMatchObject({ errorType: "Broken", errorMessage: "no luck" });
    expect(harness.metrics).toContainEqual({ name: "Errors", value: 1 });
  });

  it("ends a function at its timeout", async () => {
    const { value } = await invoke("exports.handler = () => new Promise(() => setInterval(() => {}, 1000))", "{}", {
      timeoutSeconds: 0.2,
    });
    expect(value).toMatchObject({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringContaining("Task timed out after 0.20 seconds"),
    });
  });

  it("reports a process that exits, then starts a new one", async () => {
    const service = harness.service();
    await service.pool.put(functionOf("fn", "exports.handler = async (e) => e.exit ? process.exit(3) : process.pid"));
    const crashed = await service.pool.invoke("fn", '{"exit":true}');
    expect(JSON.parse(crashed.payload)).toMatchObject({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringContaining("exit status 3"),
    });
    expect((await service.pool.invoke("fn", "{}")).functionError).toBeUndefined();
  });

  it.each([
    ["a module that throws", "throw new TypeError('at load')", "TypeError"],
    ["a missing export", "exports.other = 1", "Runtime.HandlerNotFound"],
    [
      "a callback handler",
      "exports.handler = (event, context, callback) => callback(null, 1)",
      "Runtime.CallbackHandlerDeprecated",
    ],
    [
      "an unhandled rejection",
      "exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 1000)) }",
      "Runtime.UnhandledPromiseRejection",
    ],
  ])("reports %s", async (_, body, errorType) => {
    expect((await invoke(body)).value).toMatchObject({ errorType });
  });

  it("refuses more than the reserved concurrency at once", async () => {
    const service = harness.service();
    await service.pool.put(functionOf("fn", "exports.handler = async () => 1", { reservedConcurrency: 1 }));
    const first = service.pool.invoke("fn", "{}");
    await expect(service.pool.invoke("fn", "{}")).rejects.toMatchObject({ code: "TooManyRequestsException", status: 429 });
    await first;
  });

  it("refuses to set aside the account's last hundred executions, for calls or kept warm", async () => {
    const { pool } = harness.service();
    const put = (name: string, reservedConcurrency?: number) =>
      pool.put(functionOf(name, "exports.handler = async () => 1", { reservedConcurrency }));
    const refused = {
      code: "InvalidParameterValueException",
      message: expect.stringContaining("UnreservedConcurrentExecution below its minimum value of [100]"),
    };
    await put("stream", 800);
    await put("loader", 100);
    await expect(put("more", 1)).rejects.toMatchObject(refused);
    // Its own earlier number does not count against it.
    await put("stream", 790);
    await put("rest");
    expect(() => pool.concurrency.provision("rest", 11)).toThrow(expect.objectContaining(refused));
    pool.concurrency.provision("rest", 10);
    await expect(put("more", 1)).rejects.toMatchObject(refused);
    expect(() => pool.concurrency.provision("loader", 101)).toThrow("not be greater than the reservedConcurrentExecution");
  });

  it("lets invocations beyond the machine's processes wait", async () => {
    const service = harness.service({ maxProcesses: 1 });
    await service.pool.put(functionOf("fn", "exports.handler = async () => process.pid"));
    const results = await Promise.all([service.pool.invoke("fn", "{}"), service.pool.invoke("fn", "{}")]);
    expect(new Set(results.map(({ payload }) => payload)).size).toBe(1);
  });

  it("kills a busy process on demand, and leaves none at the end", async () => {
    const service = harness.service();
    await service.pool.put(
      functionOf(
        "fn",
        "exports.handler = async (e) => { if (e.wait) { console.log('waiting'); process.stdout.write('\\n'); await new Promise(() => setInterval(() => {}, 9)) } return process.pid }",
      ),
    );
    const pid = Number((await service.pool.invoke("fn", "{}")).payload);
    const pending = service.pool.invoke("fn", '{"wait":true}');
    await until(() => service.pool.killBusy("fn") === 1);
    expect(JSON.parse((await pending).payload)).toMatchObject({ errorMessage: expect.stringContaining("signal: killed") });
    await service.end();
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

describe("asynchronous invocations", () => {
  it("are retried twice, then go to the failure destination", async () => {
    const service = harness.service();
    const failing = functionOf("fn", "exports.handler = async () => { throw new Error('always') }");
    await service.pool.put(failing);
    service.asynchronous.configure("fn", { onFailure: "arn:aws:sqs:us-east-1:000000000000:failed" });
    await service.deliver(failing.arn, '{"x":1}');
    await until(() => service.idle());
    expect(harness.metrics.filter(({ name }) => name === "Invocations")).toHaveLength(3);
    expect(harness.delivered.map(({ target }) => target)).toEqual(["arn:aws:sqs:us-east-1:000000000000:failed"]);
    expect(JSON.parse(harness.delivered[0]?.payload ?? "")).toMatchObject({
      requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 3 },
      requestPayload: { x: 1 },
      responseContext: { functionError: "Unhandled" },
    });
  });

  it("survive a restart", async () => {
    const first = harness.service();
    await first.pool.put(functionOf("fn", "exports.handler = () => new Promise(() => setInterval(() => {}, 9))"));
    await first.deliver("fn", "{}");
    await first.end();
    const second = harness.service();
    await second.pool.put(functionOf("fn", "exports.handler = async () => 1"));
    second.activate();
    await until(() => second.idle());
    expect(harness.metrics.at(-2)).toEqual({ name: "Errors", value: 0 });
  });
});

describe("the API", () => {
  const ready = async () => {
    const service = harness.service();
    await service.pool.put(functionOf("fn", "exports.handler = async (e) => e", { version: "1" }));
    service.putAlias("fn", "live", "1");
    return service;
  };

  it("invokes by name, ARN and alias, with log tail and executed version", async () => {
    const service = await ready();
    for (const [reference, version] of [
      ["fn", "$LATEST"],
      ["arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Afn", "$LATEST"],
      ["fn:live", "1"],
    ]) {
      const response = await service.handle(
        request("POST", `/2015-03-31/functions/${reference}/invocations`, '{"q":1}', { "x-amz-log-type": "Tail" }),
      );
      expect(response).toMatchObject({ status: 200, body: '{"q":1}', headers: { "x-amz-executed-version": version } });
      expect(Buffer.from(response.headers?.["x-amz-log-result"] ?? "", "base64").toString()).toContain("REPORT");
    }
  });

  it.each([
    ["POST", "/2015-03-31/functions/nope/invocations", "{}", "ResourceNotFoundException"],
    ["POST", "/2015-03-31/functions/fn:nope/invocations", "{}", "ResourceNotFoundException"],
    ["POST", "/2015-03-31/functions/fn/invocations", "{", "InvalidRequestContentException"],
    ["DELETE", "/2015-03-31/functions/fn", "", "UnknownOperationException"],
  ])("%s %s fails: %s %s", async (method, path, body, code) => {
    const service = await ready();
    await expect(service.handle(request(method, path, body))).rejects.toMatchObject({ code });
  });

  it("accepts an event without waiting for it, and refuses other types, and events of an alias", async () => {
    const service = await ready();
    const invoke = (type: string, name = "fn") =>
      service.handle(request("POST", `/2015-03-31/functions/${name}/invocations`, "{}", { "x-amz-invocation-type": type }));
    expect(await invoke("Event")).toMatchObject({ status: 202, body: "" });
    expect(service.asynchronous.pending()).toBe(1);
    for (const [type, name] of [["DryRun"], ["Event", "fn:live"]] as const)
      await expect(invoke(type, name)).rejects.toThrow(`InvocationType ${type}: only RequestResponse is supported here`);
  });

  it.each([
    ["/2015-03-31/functions/fn/invocations", "fn"],
    ["/2015-03-31/functions/fn/invocations?Qualifier=live", "fn:live"],
  ])("asks for lambda:InvokeFunction on what %s names", async (path, resource) => {
    const service = await ready();
    expect(service.permissions(request("POST", path))).toEqual([
      { action: "lambda:InvokeFunction", resource: `arn:aws:lambda:us-east-1:000000000000:function:${resource}` },
    ]);
  });

  it("lets another service invoke only with a matching permission", async () => {
    const service = await ready();
    const arn = "arn:aws:lambda:us-east-1:000000000000:function:fn";
    const caller = { principal: "events.amazonaws.com", sourceArn: "arn:aws:events:us-east-1:000000000000:rule/bus/high" };
    const invoke = (sourceArn = caller.sourceArn) => service.invokeAsService(arn, "{}", { ...caller, sourceArn }, "Root=1-0-0");
    await expect(invoke()).rejects.toThrow(/events.amazonaws.com .* not authorized to perform lambda:InvokeFunction/);
    service.policies.put({
      id: "p",
      functionName: "fn",
      action: "lambda:InvokeFunction",
      principal: caller.principal,
      sourceArn: "arn:aws:events:us-east-1:000000000000:rule/bus/*",
      qualifier: undefined,
    });
    await expect(invoke()).resolves.toMatchObject({ payload: "{}" });
    await expect(invoke("arn:aws:events:us-east-1:000000000000:rule/other/high")).rejects.toThrow(/not authorized/);
  });
});
