import { describe, expect, it } from "vitest";
import { FakeFunctions, invoke, named, quiet, stepFunctionsWorld } from "./world";

/** Fails as many times as told, then answers. */
function flaky(failures: number, error: () => Error = () => named("Transient")) {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls <= failures) throw error();
    return { calls };
  };
}

describe("states and data", () => {
  it("passes data through choices, waits and passes", async () => {
    const world = await stepFunctionsWorld();
    const { output, types } = await world.run(
      {
        Plan: {
          Type: "Pass",
          Parameters: { "days.$": "$.days", "run.$": "$$.Execution.Name" },
          ResultPath: "$.plan",
          Next: "Empty",
        },
        Empty: { Type: "Choice", Choices: [{ Variable: "$.days", IsPresent: false, Next: "None" }], Default: "Pause" },
        None: { Type: "Succeed" },
        Pause: { Type: "Wait", Seconds: 90, Next: "Done" },
        Done: { Type: "Pass", Result: { ok: true }, ResultPath: "$.done", End: true },
      },
      { days: ["d"] },
    );
    expect(output).toEqual({ days: ["d"], plan: { days: ["d"], run: "run" }, done: { ok: true } });
    expect(world.timers.asked).toEqual([90_000]);
    expect(types).toEqual([
      "ExecutionStarted",
      "PassStateEntered",
      "PassStateExited",
      "ChoiceStateEntered",
      "ChoiceStateExited",
      "WaitStateEntered",
      "WaitStateExited",
      "PassStateEntered",
      "PassStateExited",
      "ExecutionSucceeded",
    ]);
  });

  it("a falsy Result is a result", async () => {
    const world = await stepFunctionsWorld();
    expect((await world.run({ A: { Type: "Pass", Result: false, End: true } })).output).toBe(false);
  });

  it("gives the context object to every state", async () => {
    const world = await stepFunctionsWorld();
    const { output } = await world.run({ A: { Type: "Pass", Parameters: { "all.$": "$$" }, End: true } }, { x: 1 });
    expect(output).toEqual({
      all: {
        Execution: {
          Id: "arn:aws:states:us-east-1:000000000000:execution:machine:run",
          Input: { x: 1 },
          Name: "run",
          RedriveCount: 0,
          RoleArn: "arn:aws:iam::000000000000:role/machine",
          StartTime: "2026-01-15T12:00:00.000Z",
        },
        State: { EnteredTime: "2026-01-15T12:00:00.000Z", Name: "A", RetryCount: 0 },
        StateMachine: { Id: "arn:aws:states:us-east-1:000000000000:stateMachine:machine", Name: "machine" },
      },
    });
  });

  it("a path that finds nothing fails the execution and cannot be caught", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: () => 1 })] });
    const { execution } = await world.run({
      A: invoke("f", {
        Parameters: { FunctionName: "f", "Payload.$": "$.no" },
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "B" }],
      }),
      B: { Type: "Succeed" },
    });
    expect(execution).toMatchObject({
      status: "FAILED",
      error: "States.Runtime",
      cause: expect.stringMatching(
        /^An error occurred while executing the state 'A' \(entered at the event id #2\)\. The JSONPath '\$\.no'/,
      ),
    });
  });

  it("more than 262,144 bytes are States.DataLimitExceeded", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: () => "x".repeat(300_000) })] });
    const { execution } = await world.run({ A: invoke("f", { Retry: [{ ErrorEquals: ["States.ALL"] }] }) });
    expect(execution).toMatchObject({ status: "FAILED", error: "States.DataLimitExceeded" });
  });

  it("the limit of events ends an endless loop", async () => {
    const world = await stepFunctionsWorld();
    const { execution, events } = await world.run({
      A: { Type: "Pass", Next: "B" },
      B: { Type: "Choice", Choices: [{ Variable: "$.end", IsPresent: true, Next: "C" }], Default: "A" },
      C: { Type: "Succeed" },
    });
    expect(execution).toMatchObject({ status: "FAILED", error: "States.Runtime", cause: expect.stringContaining("25000") });
    expect(events[999]?.id).toBe(1000);
  });
});

describe("retry and catch", () => {
  const retrier = { ErrorEquals: ["Transient"], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 4, MaxDelaySeconds: 20 };

  it("backs off up to the longest delay", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: flaky(4) })] });
    const { output, types } = await world.run({ A: invoke("f", { Retry: [retrier] }) });
    expect(output).toEqual({ result: { value: { calls: 5 } } });
    expect(world.timers.asked).toEqual([2000, 6000, 18_000, 20_000]);
    expect(types.filter((type) => type === "TaskFailed")).toHaveLength(4);
    expect(types.filter((type) => type === "TaskStateEntered")).toHaveLength(1);
  });

  it("full jitter takes a share of each delay", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: flaky(3) })], random: () => 0.25 });
    await world.run({ A: invoke("f", { Retry: [{ ...retrier, JitterStrategy: "FULL" }] }) });
    expect(world.timers.asked).toEqual([500, 1500, 4500]);
  });

  it("defaults to three retries after 1, 2 and 4 seconds", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: flaky(9) })] });
    const { execution } = await world.run({ A: invoke("f", { Retry: [{ ErrorEquals: ["States.TaskFailed"] }] }) });
    expect(execution).toMatchObject({ status: "FAILED", error: "Transient" });
    expect(world.timers.asked).toEqual([1000, 2000, 4000]);
  });

  it("each retrier counts its own attempts, and the first that covers the error decides", async () => {
    const errors = ["A", "B", "A"];
    const services = [
      new FakeFunctions({
        f: () => {
          const error = errors.shift();
          if (error !== undefined) throw named(error);
          return "done";
        },
      }),
    ];
    const world = await stepFunctionsWorld({ services });
    const { execution } = await world.run({
      S: invoke("f", {
        Retry: [
          { ErrorEquals: ["A"], IntervalSeconds: 1, MaxAttempts: 1 },
          { ErrorEquals: ["States.ALL"], IntervalSeconds: 5 },
        ],
      }),
    });
    // The second A finds its own retrier used up; a later one is not asked.
    expect(execution).toMatchObject({ status: "FAILED", error: "A" });
    expect(world.timers.asked).toEqual([1000, 5000]);
  });

  it("MaxAttempts 0 never retries", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: flaky(1) })] });
    const { execution } = await world.run({ A: invoke("f", { Retry: [{ ErrorEquals: ["Transient"], MaxAttempts: 0 }] }) });
    expect(execution.status).toBe("FAILED");
    expect(world.timers.asked).toEqual([]);
  });

  it("tells the attempt to the state", async () => {
    const functions = new FakeFunctions({ f: flaky(2) });
    const world = await stepFunctionsWorld({ services: [functions] });
    await world.run({
      A: invoke("f", {
        Parameters: { FunctionName: "f", Payload: { "attempt.$": "$$.State.RetryCount" } },
        Retry: [{ ErrorEquals: ["Transient"] }],
      }),
    });
    expect(functions.calls.map(({ payload }) => payload)).toEqual([{ attempt: 0 }, { attempt: 1 }, { attempt: 2 }]);
  });

  it("a caught error keeps the input, and a Fail state carries it to the end", async () => {
    const functions = new FakeFunctions({ f: flaky(1, () => named("DataQualityFailed", "nulls: 40 % found, 5 % allowed")) });
    const world = await stepFunctionsWorld({ services: [functions] });
    const { execution, events } = await world.run(
      {
        Check: invoke("f", { Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: "Describe" }] }),
        Describe: {
          Type: "Pass",
          Parameters: {
            "error.$": "$.failure.Error",
            "cause.$": "States.Format('{}: {}', $.dataset, $.failure.Cause)",
          },
          Next: "Failed",
        },
        Failed: { Type: "Fail", ErrorPath: "$.error", CausePath: "$.cause" },
      },
      { dataset: "fraud" },
    );
    const answer = { errorType: "DataQualityFailed", errorMessage: "nulls: 40 % found, 5 % allowed" };
    const cause = `fraud: ${JSON.stringify(answer)}`;
    expect(execution).toMatchObject({
      status: "FAILED",
      error: "DataQualityFailed",
      cause,
    });
    expect(events.find(({ type }) => type === "TaskStateExited")?.stateExitedEventDetails).toMatchObject({ name: "Check" });
    expect(events.at(-1)).toMatchObject({
      type: "ExecutionFailed",
      executionFailedEventDetails: { error: "DataQualityFailed", cause },
    });
  });

  it("the first catcher that covers the error decides", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: flaky(1) })] });
    const { output } = await world.run(
      {
        A: invoke("f", {
          Catch: [
            { ErrorEquals: ["Other"], Next: "X" },
            { ErrorEquals: ["States.TaskFailed"], ResultPath: null, Next: "Y" },
            { ErrorEquals: ["States.ALL"], Next: "X" },
          ],
        }),
        X: { Type: "Pass", Result: "x", End: true },
        Y: { Type: "Pass", Result: "y", ResultPath: "$.by", End: true },
      },
      { kept: 1 },
    );
    expect(output).toEqual({ kept: 1, by: "y" });
  });
});

describe("stopping", () => {
  it("an execution that is stopped ends at once, and no state goes on", async () => {
    const functions = new FakeFunctions({ f: flaky(9) });
    const world = await stepFunctionsWorld({ services: [functions] });
    world.deploy({ A: invoke("f", { Retry: [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 60 }] }) });
    const arn = await world.start();
    await quiet();
    world.service.executions.stop(arn, "by hand");
    expect(await world.end(arn)).toMatchObject({ status: "ABORTED", cause: "by hand" });
    expect(await world.timers.next()).toBe(false);
    expect(functions.calls).toHaveLength(1);
    expect((await world.history(arn)).at(-1)).toMatchObject({
      type: "ExecutionAborted",
      executionAbortedEventDetails: { cause: "by hand" },
    });
  });
});
