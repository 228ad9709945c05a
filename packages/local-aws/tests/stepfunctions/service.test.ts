import { GetExecutionHistoryCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { describe, expect, it } from "vitest";
import type { GraphResource } from "../../src/contracts";
import { CredentialStore } from "../../src/endpoint/credentials";
import { AwsEndpoint } from "../../src/endpoint/endpoint";
import { stepFunctionsBodies } from "../../src/services/stepfunctions";
import { call } from "../messaging/helpers";
import { FakeFunctions, FakeService, quiet, ROLE, stepFunctionsWorld } from "./world";

const wait = { Pause: { Type: "Wait", Seconds: 100, End: true } };
const pass = { A: { Type: "Pass", End: true } };

describe("executions", () => {
  it("the same name and input of a running execution is the same execution", async () => {
    const world = await stepFunctionsWorld();
    world.deploy(wait);
    const arn = await world.start({ a: 1 });
    expect(await world.start({ a: 1 })).toBe(arn);
    await expect(world.start({ a: 2 })).rejects.toMatchObject({ code: "ExecutionAlreadyExists" });
    await world.end(arn);
    await expect(world.start({ a: 1 })).rejects.toMatchObject({ code: "ExecutionAlreadyExists" });
  });

  it.each([
    ["StartExecution", { stateMachineArn: "none" }, "StateMachineDoesNotExist"],
    ["StartExecution", { stateMachineArn: "machine", input: "{" }, "InvalidExecutionInput"],
    ["StartExecution", { stateMachineArn: "machine", name: "a b" }, "InvalidName"],
    ["DescribeExecution", { executionArn: "none" }, "ExecutionDoesNotExist"],
    ["GetExecutionHistory", { executionArn: "none" }, "ExecutionDoesNotExist"],
    ["ListExecutions", { stateMachineArn: "machine", statusFilter: "FAILED" }, "ValidationException"],
    ["StopExecution", { executionArn: "none" }, "UnknownOperationException"],
    ["CreateStateMachine", {}, "UnknownOperationException"],
  ])("%s %j is %s", async (action, { stateMachineArn, ...input }: Record<string, string>, code) => {
    const world = await stepFunctionsWorld();
    world.deploy(pass);
    const arn = stateMachineArn === "machine" ? world.machineArn() : stateMachineArn;
    const body = arn === undefined ? input : { stateMachineArn: arn, ...input };
    await expect(call(world.service, action, body)).rejects.toMatchObject({ code });
  });

  it("lists and describes", async () => {
    const world = await stepFunctionsWorld();
    world.deploy(wait);
    await world.end(await world.start({}, "first"));
    const second = await world.start({}, "second");
    const list = (more: object) =>
      call<{ executions: { name: string }[]; nextToken?: string }>(world.service, "ListExecutions", {
        stateMachineArn: world.machineArn(),
        ...more,
      });
    const page = await list({ maxResults: 1 });
    expect(page.executions.map(({ name }) => name)).toEqual(["second"]);
    expect((await list({ maxResults: 1, nextToken: page.nextToken })).executions.map(({ name }) => name)).toEqual(["first"]);
    expect(await world.describe(second)).toMatchObject({
      status: "RUNNING",
      input: "{}",
      startDate: expect.any(Number),
      stateMachineArn: world.machineArn(),
    });
  });

  it("histories come in pages", async () => {
    const world = await stepFunctionsWorld();
    world.deploy(pass);
    const executionArn = await world.start();
    await world.end(executionArn);
    const get = (more: object) =>
      call<{ events: { id: number; type: string }[]; nextToken?: string }>(world.service, "GetExecutionHistory", {
        executionArn,
        ...more,
      });
    const first = await get({ maxResults: 3 });
    const rest = await get({ maxResults: 3, nextToken: first.nextToken });
    expect([...first.events, ...rest.events].map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    expect(rest.nextToken).toBeUndefined();
    await expect(get({ nextToken: "x" })).rejects.toMatchObject({ code: "InvalidToken" });
  });

  it("what runs keeps its definition when the machine is changed", async () => {
    const world = await stepFunctionsWorld();
    world.deploy({
      ...wait,
      Pause: { ...wait.Pause, End: undefined, Next: "Old" },
      Old: { Type: "Pass", Result: "old", End: true },
    });
    const executionArn = await world.start();
    await quiet();
    world.deploy({ New: { Type: "Pass", Result: "new", End: true } });
    expect((await world.end(executionArn)).output).toBe('"old"');
    expect((await world.end(await world.start({}, "second"))).output).toBe('"new"');
  });

  it("executions run next to each other", async () => {
    const world = await stepFunctionsWorld();
    world.deploy(wait);
    const arns = [await world.start({}, "a"), await world.start({}, "b")];
    for (const arn of arns) await world.end(arn);
    expect(world.timers.now() - Date.UTC(2026, 0, 15, 12)).toBe(100_000);
  });
});

describe("the platform's life", () => {
  const job = {
    A: { Type: "Task", Resource: "arn:aws:states:::glue:startJobRun.sync", Parameters: { JobName: "j" }, End: true },
  };
  const running = () =>
    new FakeService("glue", {
      StartJobRun: () => ({ JobRunId: "jr_1" }),
      GetJobRun: () => ({ JobRun: { JobRunState: "RUNNING" } }),
      BatchStopJobRun: () => ({}),
    });

  it("its end aborts what runs and stops the jobs", async () => {
    const glue = running();
    const world = await stepFunctionsWorld({ services: [glue] });
    world.deploy(job);
    const arn = await world.start();
    await quiet();
    const part = world.service.part();
    await part.end?.();
    expect(await world.describe(arn)).toMatchObject({ status: "ABORTED", cause: "The platform was stopped." });
    expect(glue.asked.at(-1)).toBe("BatchStopJobRun");
    await expect(world.start({}, "late")).rejects.toMatchObject({ code: "ServiceUnavailableException" });
  });

  it("what a crash left behind ends as ABORTED at the next start", async () => {
    const before = await stepFunctionsWorld({ services: [running()] });
    before.deploy(job);
    const arn = await before.start({ kept: 1 });
    await quiet();
    const after = await stepFunctionsWorld({ previous: before });
    await after.service.part().start?.();
    expect(await after.describe(arn)).toMatchObject({
      status: "ABORTED",
      cause: "The platform stopped while the execution was running.",
      input: '{"kept":1}',
    });
    const events = await after.history(arn);
    expect(events.at(-1)).toMatchObject({ id: events.length, type: "ExecutionAborted" });
    expect(after.metrics.map(({ name }) => name)).toContain("ExecutionsAborted");
  });
});

describe("the resource", () => {
  const resource = (inputs: Record<string, unknown>, state: Record<string, unknown>): GraphResource => ({
    urn: "urn:machine",
    type: "aws:sfn/stateMachine:StateMachine",
    name: "training",
    parent: undefined,
    inputs,
    id: String(state.arn),
    state,
    dependsOn: [],
    protect: false,
    ignoreChanges: [],
    secretInputs: [],
  });

  async function body() {
    const world = await stepFunctionsWorld();
    const [machine] = stepFunctionsBodies(world.service);
    if (machine === undefined) throw new Error("There is no body.");
    const of = (inputs: Record<string, unknown>) =>
      resource(inputs, machine.outputs({ name: "training", inputs, region: "us-east-1", accountId: "000000000000" }).state);
    return { world, machine, of };
  }

  const inputs = (states: object, more: object = {}) => ({
    roleArn: ROLE,
    definition: JSON.stringify({ StartAt: "A", States: states }),
    ...more,
  });

  it("deploys, and changes while it runs", async () => {
    const { world, machine, of } = await body();
    const first = of(inputs(pass, { name: "training" }));
    await machine.create?.(first);
    const second = of(inputs({ A: { Type: "Pass", Result: 2, End: true } }, { name: "training" }));
    await machine.update?.(second, first);
    expect(first.state.arn).toBe("arn:aws:states:us-east-1:000000000000:stateMachine:training");
    expect(second.state.revisionId).not.toBe(first.state.revisionId);
    expect(world.service.machines.get(String(second.state.arn))?.definition).toContain('"Result":2');
  });

  it("a change that is not valid leaves what runs", async () => {
    const { world, machine, of } = await body();
    const first = of(inputs(pass, { name: "training" }));
    await machine.create?.(first);
    expect(() => machine.update?.(of(inputs({ A: { Type: "Pass" } }, { name: "training" })), first)).toThrow(/not valid/);
    expect(world.service.machines.get(String(first.state.arn))?.definition).toContain("End");
  });

  it("refuses express machines and other levels of logging by name", async () => {
    const { machine, of } = await body();
    expect(() => machine.create?.(of(inputs(pass, { type: "EXPRESS" })))).toThrow(
      /only STANDARD machines have a local body, got EXPRESS/,
    );
    const loggingConfiguration = { level: "ERROR", includeExecutionData: true, logDestination: "arn:aws:logs:::log-group:g:*" };
    expect(() => machine.create?.(of(inputs(pass, { loggingConfiguration })))).toThrow(
      /only level ALL with includeExecutionData has a local body/,
    );
  });
});

describe("the SDK's client", () => {
  it("starts, is checked against policies, and reads typed events", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: () => 1 })] });
    world.deploy(pass);
    const { accountId, db } = world.context;
    const credentials = new CredentialStore(db, accountId);
    const endpoint = new AwsEndpoint({
      region: "us-east-1",
      keys: credentials.lookup,
      iam: world.iam,
      now: () => Date.now(),
      log: () => undefined,
    });
    endpoint.register(world.service);
    const url = await endpoint.start(0);
    const client = (keys: { accessKeyId: string; secretAccessKey: string }) =>
      new SFNClient({ region: "us-east-1", endpoint: url, credentials: keys, maxAttempts: 1 });
    try {
      const owner = client(credentials.owner);
      const started = await owner.send(new StartExecutionCommand({ stateMachineArn: world.machineArn(), input: '{"a":1}' }));
      expect(started.startDate).toEqual(new Date(Date.UTC(2026, 0, 15, 12)));
      await world.end(started.executionArn ?? "");
      const { events } = await owner.send(new GetExecutionHistoryCommand({ executionArn: started.executionArn }));
      expect(events?.map(({ type }) => type)).toEqual([
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
      ]);
      expect(events?.[2]?.stateExitedEventDetails).toMatchObject({ name: "A", output: '{"a":1}' });
      await expect(owner.send(new StartExecutionCommand({ stateMachineArn: "none" }))).rejects.toMatchObject({
        name: "StateMachineDoesNotExist",
      });
      world.iam.putRole("nobody", "arn:aws:iam::000000000000:role/nobody", {
        Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
      });
      const denied = client(credentials.issue("arn:aws:iam::000000000000:role/nobody", "cli"));
      await expect(denied.send(new StartExecutionCommand({ stateMachineArn: world.machineArn() }))).rejects.toThrow(
        /assumed-role\/nobody\/cli is not authorized to perform: states:StartExecution on resource: .*stateMachine:machine/,
      );
    } finally {
      await endpoint.end();
    }
  });
});
