import { describe, expect, it } from "vitest";
import { FakeFunctions, FakeService, invoke, named, stepFunctionsWorld, task } from "./world";

describe("timeouts", () => {
  const never = new Promise<never>(() => undefined);

  it("a task that does not end in time is States.Timeout, which TaskFailed does not cover", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: () => never })] });
    const { output, types } = await world.run({
      A: invoke("f", {
        TimeoutSeconds: 30,
        Retry: [{ ErrorEquals: ["States.TaskFailed"] }],
        Catch: [{ ErrorEquals: ["States.Timeout"], Next: "Late" }],
      }),
      Late: { Type: "Pass", End: true },
    });
    expect(output).toEqual({ Error: "States.Timeout", Cause: "The task 'A' did not end within 30 seconds." });
    expect(world.timers.asked).toEqual([30_000]);
    expect(types.slice(2, 5)).toEqual(["TaskScheduled", "TaskStarted", "TaskTimedOut"]);
  });

  it("every attempt has its own time", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: () => never })] });
    const { execution } = await world.run({
      A: invoke("f", { TimeoutSeconds: 30, Retry: [{ ErrorEquals: ["States.Timeout"], MaxAttempts: 1, IntervalSeconds: 5 }] }),
    });
    expect(execution).toMatchObject({ status: "FAILED", error: "States.Timeout" });
    expect(world.timers.asked).toEqual([30_000, 5000, 30_000]);
  });

  it("a job behind a late task is stopped", async () => {
    const glue = new FakeService("glue", {
      StartJobRun: () => ({ JobRunId: "jr_1" }),
      GetJobRun: () => ({ JobRun: { Id: "jr_1", JobRunState: "RUNNING" } }),
      BatchStopJobRun: () => ({}),
    });
    const world = await stepFunctionsWorld({ services: [glue] });
    const { execution } = await world.run(task("glue:startJobRun.sync", { JobName: "extract" }, { TimeoutSeconds: 2 }));
    expect(execution).toMatchObject({ status: "FAILED", error: "States.Timeout" });
    expect(glue.calls.at(-1)).toMatchObject({ action: "BatchStopJobRun", input: { JobName: "extract", JobRunIds: ["jr_1"] } });
  });

  it("the machine's own timeout ends the execution and its jobs", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: () => never })] });
    world.deploy(
      { A: invoke("f", { Catch: [{ ErrorEquals: ["States.ALL"], Next: "B" }] }), B: { Type: "Succeed" } },
      { TimeoutSeconds: 60 },
    );
    const arn = await world.start();
    expect(await world.end(arn)).toMatchObject({ status: "TIMED_OUT", error: "States.Timeout" });
    expect((await world.history(arn)).at(-1)).toMatchObject({ type: "ExecutionTimedOut" });
  });
});

describe("Map", () => {
  it("runs at most MaxConcurrency items at once and keeps their order", async () => {
    let running = 0;
    let most = 0;
    const functions = new FakeFunctions({
      f: async ({ day }: { readonly day: string; readonly index: number }) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return `scored ${day}`;
      },
    });
    const world = await stepFunctionsWorld({ services: [functions] });
    const { output, events } = await world.run(
      {
        Days: {
          Type: "Map",
          ItemsPath: "$.days",
          MaxConcurrency: 2,
          ItemProcessor: {
            ProcessorConfig: { Mode: "INLINE" },
            StartAt: "Score",
            States: {
              Score: invoke("f", {
                Parameters: {
                  FunctionName: "f",
                  Payload: { "day.$": "$", "own.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index" },
                },
                ResultPath: undefined,
              }),
            },
          },
          ResultSelector: { "all.$": "$" },
          ResultPath: "$.results",
          End: true,
        },
      },
      { days: ["a", "b", "c"], dataset: "fraud" },
    );
    expect(most).toBe(2);
    expect(output).toMatchObject({
      dataset: "fraud",
      results: { all: ["a", "b", "c"].map((day) => ({ value: `scored ${day}` })) },
    });
    // With several iterations under way each one sees its own item.
    expect(functions.calls.map(({ payload }) => payload)).toEqual(
      ["a", "b", "c"].map((day, index) => ({ day, own: day, index })),
    );
    const started = events.find(({ type }) => type === "MapStateStarted");
    expect(started?.mapStateStartedEventDetails).toEqual({ length: 3 });
    const iterations = events.filter(({ type }) => type === "MapIterationStarted");
    expect(iterations.map((event) => [event.previousEventId, event.mapIterationStartedEventDetails])).toEqual(
      [0, 1, 2].map((index) => [started?.id, { name: "Days", index }]),
    );
    // What an iteration did hangs on its own start.
    for (const iteration of iterations) {
      const entered = events.find(({ type, previousEventId }) => type === "TaskStateEntered" && previousEventId === iteration.id);
      expect(entered).toBeDefined();
    }
  });

  const days = (more: object, processor: object) => ({
    Days: { Type: "Map", ItemsPath: "$", ItemProcessor: { StartAt: "Score", States: processor }, End: true, ...more },
  });

  it("a catch inside an item leaves the others alone", async () => {
    const functions = new FakeFunctions({
      f: (day: string) => {
        if (day === "b") throw named("NoData", "nothing for b");
        return day;
      },
    });
    const world = await stepFunctionsWorld({ services: [functions] });
    const { output, types } = await world.run(
      days(
        { MaxConcurrency: 2 },
        {
          Score: invoke("f", {
            ResultPath: undefined,
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
          }),
          Failed: { Type: "Pass", Parameters: { status: "failed", "error.$": "$.Error" }, End: true },
        },
      ),
      ["a", "b", "c"],
    );
    expect(output).toEqual([{ value: "a" }, { status: "failed", error: "NoData" }, { value: "c" }]);
    expect(types.filter((type) => type === "MapIterationSucceeded")).toHaveLength(3);
  });

  it("an item that fails stops the others, their jobs included, and can be retried as a whole", async () => {
    let failures = 1;
    const functions = new FakeFunctions({
      f: () => {
        if (failures-- > 0) throw named("Broken");
        return "fine";
      },
    });
    const stopped: unknown[] = [];
    const glue = new FakeService("glue", {
      StartJobRun: () => ({ JobRunId: "jr_2" }),
      GetJobRun: () => ({ JobRun: { JobRunState: stopped.length === 0 ? "RUNNING" : "SUCCEEDED", Id: "jr_2" } }),
      BatchStopJobRun: (input) => {
        stopped.push(input);
        return {};
      },
    });
    const world = await stepFunctionsWorld({ services: [functions, glue] });
    const { execution, types } = await world.run(
      days(
        { Retry: [{ ErrorEquals: ["Broken"], IntervalSeconds: 9 }], ResultPath: null },
        {
          Score: { Type: "Choice", Choices: [{ Variable: "$", StringEquals: "job", Next: "Job" }], Default: "Pause" },
          Pause: { Type: "Wait", Seconds: 3, Next: "Call" },
          Call: invoke("f", { ResultPath: null }),
          Job: { Type: "Task", Resource: "arn:aws:states:::glue:startJobRun.sync", Parameters: { JobName: "j" }, End: true },
        },
      ),
      ["job", "call"],
    );
    expect(execution.status).toBe("SUCCEEDED");
    expect(stopped).toEqual([{ JobName: "j", JobRunIds: ["jr_2"] }]);
    expect(types).toContain("MapIterationAborted");
    expect(types.filter((type) => type === "MapStateStarted")).toHaveLength(2);
    expect(types.indexOf("MapStateFailed")).toBeGreaterThan(types.indexOf("MapIterationFailed"));
  });

  it("no items are no work", async () => {
    const world = await stepFunctionsWorld();
    expect((await world.run(days({}, { Score: { Type: "Succeed" } }), [])).output).toEqual([]);
  });

  it("items that are no array fail the execution", async () => {
    const world = await stepFunctionsWorld();
    const { execution } = await world.run(days({}, { Score: { Type: "Succeed" } }), { a: 1 });
    expect(execution).toMatchObject({
      status: "FAILED",
      error: "States.Runtime",
      cause: expect.stringContaining("'Days' must be an array"),
    });
  });
});
