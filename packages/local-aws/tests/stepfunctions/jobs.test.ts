import { describe, expect, it } from "vitest";
import { AwsError } from "../../src/contracts";
import { FaultInjector } from "../../src/faults/injector";
import { FakeFunctions, FakeService, quiet, stepFunctionsWorld, task } from "./world";

describe("jobs", () => {
  const started = 1_768_478_400;
  const glueRun = (states: string[]) => ({
    StartJobRun: () => ({ JobRunId: "jr_1" }),
    GetJobRun: () => ({
      JobRun: {
        Id: "jr_1",
        JobName: "extract",
        JobRunState: states.shift() ?? "SUCCEEDED",
        StartedOn: started,
        ExecutionTime: 12,
      },
    }),
    BatchStopJobRun: () => ({}),
  });
  const glueTask = task("glue:startJobRun.sync", { JobName: "extract", Arguments: { "--date.$": "$.date" } });

  it("glue:startJobRun.sync waits for the run and answers it", async () => {
    const glue = new FakeService("glue", glueRun(["STARTING", "RUNNING", "SUCCEEDED"]));
    const world = await stepFunctionsWorld({ services: [glue] });
    const { output, types, events } = await world.run(glueTask, { date: "2026-01-14" });
    expect(output).toEqual({
      Id: "jr_1",
      JobName: "extract",
      JobRunState: "SUCCEEDED",
      StartedOn: started * 1000,
      ExecutionTime: 12,
    });
    expect(glue.calls[0]).toEqual({
      action: "StartJobRun",
      input: { JobName: "extract", Arguments: { "--date": "2026-01-14" } },
      principal: "arn:aws:sts::000000000000:assumed-role/machine/run",
    });
    expect(glue.calls[1]?.input).toEqual({ JobName: "extract", RunId: "jr_1" });
    expect(world.timers.asked).toEqual([1000, 1000]);
    expect(types.slice(2, 6)).toEqual(["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]);
    expect(events[4]?.taskSubmittedEventDetails).toMatchObject({
      resource: "startJobRun.sync",
      resourceType: "glue",
      output: '{"JobRunId":"jr_1"}',
    });
  });

  it.each(["FAILED", "TIMEOUT", "STOPPED", "ERROR"])(
    "a run that ends as %s is States.TaskFailed with the run as its cause",
    async (state) => {
      const world = await stepFunctionsWorld({ services: [new FakeService("glue", glueRun(["RUNNING", state]))] });
      const { execution } = await world.run(glueTask, { date: "d" });
      expect(execution).toMatchObject({ status: "FAILED", error: "States.TaskFailed" });
      expect(JSON.parse(execution.cause ?? "")).toMatchObject({ Id: "jr_1", JobRunState: state });
    },
  );

  it("a question that fails for a moment is asked again", async () => {
    let asked = 0;
    const answers = glueRun([]);
    const glue = new FakeService("glue", {
      ...answers,
      GetJobRun: () => {
        asked += 1;
        if (asked < 3) throw new AwsError("ThrottlingException", "slow down");
        return answers.GetJobRun();
      },
    });
    const world = await stepFunctionsWorld({ services: [glue] });
    expect((await world.run(glueTask, { date: "d" })).execution.status).toBe("SUCCEEDED");
    expect(asked).toBe(3);
  });

  it("a start that is refused has Glue's name and is retried by it", async () => {
    let refusals = 1;
    const answers = glueRun([]);
    const glue = new FakeService("glue", {
      ...answers,
      StartJobRun: () => {
        if (refusals-- > 0) throw new AwsError("ConcurrentRunsExceededException", "busy");
        return answers.StartJobRun();
      },
    });
    const world = await stepFunctionsWorld({ services: [glue] });
    const states = task(
      "glue:startJobRun.sync",
      { JobName: "extract" },
      { Retry: [{ ErrorEquals: ["Glue.ConcurrentRunsExceededException"] }] },
    );
    expect((await world.run(states)).execution.status).toBe("SUCCEEDED");
  });

  it.each(["Training", "Transform"])("sagemaker:create%sJob.sync waits for the job", async (kind) => {
    const statuses = ["InProgress", "Completed"];
    const sagemaker = new FakeService("sagemaker", {
      [`Create${kind}Job`]: () => ({ [`${kind}JobArn`]: "arn" }),
      [`Describe${kind}Job`]: () => ({
        [`${kind}JobName`]: "job",
        [`${kind}JobStatus`]: statuses.shift(),
        CreationTime: started,
      }),
    });
    const world = await stepFunctionsWorld({ services: [sagemaker] });
    const { output } = await world.run(task(`sagemaker:create${kind}Job.sync`, { [`${kind}JobName`]: "job" }));
    expect(output).toEqual({ [`${kind}JobName`]: "job", [`${kind}JobStatus`]: "Completed", CreationTime: started * 1000 });
    expect(sagemaker.asked).toEqual([`Create${kind}Job`, `Describe${kind}Job`, `Describe${kind}Job`]);
  });

  it.each(["Training", "Transform"])("a %s job that fails is States.TaskFailed, and one under way is stopped", async (kind) => {
    const job = { [`${kind}JobName`]: "job" };
    let status = "InProgress";
    const sagemaker = new FakeService("sagemaker", {
      [`Create${kind}Job`]: () => ({}),
      [`Describe${kind}Job`]: () => ({ ...job, [`${kind}JobStatus`]: status, FailureReason: "no data" }),
      [`Stop${kind}Job`]: () => {
        status = "Failed";
        return {};
      },
    });
    const world = await stepFunctionsWorld({ services: [sagemaker] });
    const states = task(`sagemaker:create${kind}Job.sync`, job, {
      TimeoutSeconds: 3,
      Retry: [{ ErrorEquals: ["States.Timeout"], MaxAttempts: 1 }],
    });
    const { execution } = await world.run(states);
    expect(sagemaker.asked).toContain(`Stop${kind}Job`);
    expect(execution.error).toBe("States.TaskFailed");
    expect(JSON.parse(execution.cause ?? "")).toMatchObject({ FailureReason: "no data" });
  });

  it("a job whose start is under way when its execution is stopped is stopped too", async () => {
    const start = Promise.withResolvers<object>();
    const glue = new FakeService("glue", { ...glueRun(["RUNNING"]), StartJobRun: () => start.promise });
    const world = await stepFunctionsWorld({ services: [glue] });
    world.deploy(glueTask);
    const executionArn = await world.start({ date: "d" });
    await quiet();
    world.service.executions.stop(executionArn, "enough");
    start.resolve({ JobRunId: "jr_1" });
    await world.end(executionArn);
    expect(glue.asked).toEqual(["StartJobRun", "BatchStopJobRun"]);
  });

  it.each([
    [new AwsError("InternalServerError", "down", 500), 21],
    [new AwsError("UnsupportedOperation", "not here", 501), 1],
    [new AwsError("EntityNotFoundException", "gone", 400), 1],
  ])("a job that nobody can ask about fails: %s", async (error, questions) => {
    const refuse = () => {
      throw error;
    };
    const glue = new FakeService("glue", { ...glueRun([]), GetJobRun: refuse });
    const world = await stepFunctionsWorld({ services: [glue] });
    const { execution } = await world.run(glueTask, { date: "d" });
    expect(execution).toMatchObject({ status: "FAILED", error: expect.stringMatching(/^Glue\./) });
    expect(glue.asked.filter((action) => action === "GetJobRun")).toHaveLength(questions);
  });

  it("faults of the endpoint apply to tasks", async () => {
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: () => 1 })] });
    world.endpoint.injectFaults(new FaultInjector(1, [{ kind: "throttle", service: "lambda", probability: 1, times: 2 }]));
    const states = task(
      "lambda:invoke",
      { FunctionName: "f" },
      { Retry: [{ ErrorEquals: ["Lambda.TooManyRequestsException"] }] },
    );
    const { execution, types } = await world.run(states);
    expect(execution.status).toBe("SUCCEEDED");
    expect(types.filter((type) => type === "TaskFailed")).toHaveLength(2);
  });

  it("a job that cannot be stopped is told, and its task still ends", async () => {
    const glue = new FakeService("glue", {
      ...glueRun(Array.from({ length: 9 }, () => "RUNNING")),
      BatchStopJobRun: () => {
        throw new AwsError("InternalServiceException", "no", 500);
      },
    });
    const world = await stepFunctionsWorld({ services: [glue] });
    const { execution } = await world.run(task("glue:startJobRun.sync", { JobName: "extract" }, { TimeoutSeconds: 2 }));
    expect(execution.error).toBe("States.Timeout");
    expect(world.messaging.lines.join("\n")).toContain("BatchStopJobRun of glue");
  });
});
