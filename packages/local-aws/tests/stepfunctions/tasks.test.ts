import { describe, expect, it } from "vitest";
import { AwsError } from "../../src/contracts";
import { functionOf, Harness } from "../lambda/support";
import { FakeFunctions, FakeService, named, stepFunctionsWorld, task } from "./world";

const metadata = { SdkHttpMetadata: { HttpStatusCode: 200 }, SdkResponseMetadata: { RequestId: expect.any(String) } };
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:f";

describe("functions", () => {
  it("lambda:invoke answers payload and status", async () => {
    const functions = new FakeFunctions({ f: (payload: object) => ({ got: payload }) });
    const world = await stepFunctionsWorld({ services: [functions] });
    const { output, events } = await world.run(
      task("lambda:invoke", { FunctionName: functionArn, "Payload.$": "$" }, { TimeoutSeconds: 5 }),
      { x: 1 },
    );
    expect(output).toEqual({ ExecutedVersion: "$LATEST", Payload: { got: { x: 1 } }, StatusCode: 200, ...metadata });
    expect(functions.calls).toEqual([{ name: "f", payload: { x: 1 }, type: "RequestResponse" }]);
    expect(events.slice(1, 6).map(({ timestamp: _timestamp, ...event }) => event)).toEqual([
      {
        id: 2,
        previousEventId: 0,
        type: "TaskStateEntered",
        stateEnteredEventDetails: { name: "Work", input: '{"x":1}', inputDetails: { truncated: false } },
      },
      {
        id: 3,
        previousEventId: 2,
        type: "TaskScheduled",
        taskScheduledEventDetails: {
          resource: "invoke",
          resourceType: "lambda",
          region: "us-east-1",
          parameters: JSON.stringify({ FunctionName: functionArn, Payload: { x: 1 } }),
          timeoutInSeconds: 5,
        },
      },
      { id: 4, previousEventId: 3, type: "TaskStarted", taskStartedEventDetails: { resource: "invoke", resourceType: "lambda" } },
      {
        id: 5,
        previousEventId: 4,
        type: "TaskSucceeded",
        taskSucceededEventDetails: {
          resource: "invoke",
          resourceType: "lambda",
          output: expect.stringContaining('"StatusCode":200'),
          outputDetails: { truncated: false },
        },
      },
      {
        id: 6,
        previousEventId: 5,
        type: "TaskStateExited",
        stateExitedEventDetails: { name: "Work", output: expect.any(String), outputDetails: { truncated: false } },
      },
    ]);
  });

  it("a function's error keeps its name, and its whole answer is the cause", async () => {
    const fail = () => {
      throw named("GoldenRowsDiffer", "row 3");
    };
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: fail })] });
    const { execution, events } = await world.run(task("lambda:invoke", { FunctionName: "f" }));
    const cause = JSON.stringify({ errorType: "GoldenRowsDiffer", errorMessage: "row 3" });
    expect(execution).toMatchObject({ status: "FAILED", error: "GoldenRowsDiffer", cause });
    expect(events.find(({ type }) => type === "TaskFailed")?.taskFailedEventDetails).toEqual({
      resource: "invoke",
      resourceType: "lambda",
      error: "GoldenRowsDiffer",
      cause,
    });
  });

  it.each([
    ["TooManyRequestsException", 429, "Lambda.TooManyRequestsException"],
    ["ServiceException", 500, "Lambda.ServiceException"],
    ["ResourceNotFoundException", 404, "Lambda.ResourceNotFoundException"],
    ["InternalFailure", 500, "Lambda.AWSLambdaException"],
  ])("the service's %s is %s", async (code, status, error) => {
    const refuse = () => {
      throw new AwsError(code, "not now", status);
    };
    const world = await stepFunctionsWorld({ services: [new FakeFunctions({ f: refuse })] });
    const { execution } = await world.run(task("lambda:invoke", { FunctionName: "f" }));
    expect(execution).toMatchObject({ error, cause: `not now (Status Code: ${status}, Error Code: ${code})` });
  });
});

describe("functions in their own processes", () => {
  it.each([
    [functionArn, "x", "SUCCEEDED", undefined],
    ["f", "y", "SUCCEEDED", undefined],
    ["f", "fail", "FAILED", "EvaluationFailed"],
    ["missing", "x", "FAILED", "Lambda.ResourceNotFoundException"],
  ])("lambda:invoke of %s with %s is %s", async (FunctionName, dataset, status, error) => {
    const harness = new Harness();
    try {
      const lambda = harness.service();
      const code = `class EvaluationFailed extends Error { constructor(text) { super(text); this.name = "EvaluationFailed"; } }
        exports.handler = async (event) => { if (event.dataset === "fail") throw new EvaluationFailed("auc 0.5"); return { got: event.dataset }; };`;
      await lambda.pool.put(functionOf("f", code));
      const world = await stepFunctionsWorld({ services: [lambda] });
      world.deploy(task("lambda:invoke", { FunctionName, "Payload.$": "$" }, { ResultSelector: { "got.$": "$.Payload.got" } }));
      const executionArn = await world.start({ dataset });
      await world.service.executions.settled(executionArn);
      const execution = await world.describe(executionArn);
      expect(execution).toMatchObject({ status, ...(error === undefined ? { output: `{"got":"${dataset}"}` } : { error }) });
      if (dataset === "fail")
        expect(JSON.parse(execution.cause ?? "")).toMatchObject({ errorType: "EvaluationFailed", errorMessage: "auc 0.5" });
    } finally {
      await harness.close();
    }
  });
});

describe("calls that answer at once", () => {
  it("sns:publish sends", async () => {
    const world = await stepFunctionsWorld();
    const { sns } = world.messaging;
    sns.saveTopic("alarms", {});
    const topic = sns.arnOf("alarms");
    const { output } = await world.run(task("sns:publish", { TopicArn: topic, Subject: "failed", "Message.$": "$.step" }), {
      step: "TrainModel",
    });
    expect(output).toEqual({ MessageId: expect.any(String), ...metadata });
  });

  it("sagemaker:createModel", async () => {
    const sagemaker = new FakeService("sagemaker", { CreateModel: () => ({ ModelArn: "arn" }) });
    const world = await stepFunctionsWorld({ services: [sagemaker] });
    const { output } = await world.run(task("sagemaker:createModel", { ModelName: "m" }));
    expect(output).toEqual({ ModelArn: "arn", ...metadata });
    expect(sagemaker.calls[0]?.input).toEqual({ ModelName: "m" });
  });

  it("aws-sdk:sagemaker shows instants as texts", async () => {
    const sagemaker = new FakeService("sagemaker", {
      CreateModelPackage: () => ({ ModelPackageArn: "arn:package/1", CreationTime: 1_768_478_400 }),
    });
    const world = await stepFunctionsWorld({ services: [sagemaker] });
    const { output, events } = await world.run(task("aws-sdk:sagemaker:createModelPackage", { ModelPackageGroupName: "fraud" }));
    expect(output).toEqual({ ModelPackageArn: "arn:package/1", CreationTime: "2026-01-15T12:00:00.000Z" });
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({
      resourceType: "aws-sdk:sagemaker",
      resource: "createModelPackage",
    });
  });

  it.each([
    ["ConflictException", "SageMaker.ConflictException"],
    ["ResourceNotFound", "SageMaker.ResourceNotFoundException"],
    ["ValidationException", "SageMaker.SageMakerException"],
  ])("aws-sdk names the error %s as the second Java SDK does: %s", async (code, error) => {
    const refuse = () => {
      throw new AwsError(code, "no");
    };
    const world = await stepFunctionsWorld({ services: [new FakeService("sagemaker", { DescribeModelPackage: refuse })] });
    expect((await world.run(task("aws-sdk:sagemaker:describeModelPackage", {}))).execution.error).toBe(error);
  });
});

describe("permissions", () => {
  it("a denied call names the action, the resource and the role", async () => {
    const functions = new FakeFunctions({ f: () => 1 });
    const world = await stepFunctionsWorld({
      services: [functions],
      statements: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: `${functionArn}-other` }],
    });
    const { execution } = await world.run(task("lambda:invoke", { FunctionName: "f" }));
    expect(execution).toMatchObject({
      status: "FAILED",
      error: "Lambda.AWSLambdaException",
      cause: expect.stringContaining(
        `User: arn:aws:sts::000000000000:assumed-role/machine/run is not authorized to perform: lambda:InvokeFunction on resource: ${functionArn}`,
      ),
    });
    expect(functions.calls).toEqual([]);
  });

  it("polling and stopping a job need permissions of their own", async () => {
    const glue = new FakeService("glue", { StartJobRun: () => ({ JobRunId: "jr_1" }) });
    const world = await stepFunctionsWorld({
      services: [glue],
      statements: [{ Effect: "Allow", Action: "glue:StartJobRun", Resource: "*" }],
    });
    const { execution } = await world.run(task("glue:startJobRun.sync", { JobName: "j" }));
    expect(execution).toMatchObject({ error: "Glue.AWSGlueException", cause: expect.stringContaining("glue:GetJobRun") });
  });

  it("a role that Step Functions cannot assume is refused at deploy", async () => {
    const world = await stepFunctionsWorld();
    world.iam.putRole("machine", "arn:aws:iam::000000000000:role/machine", {
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    expect(() => world.deploy({ A: { Type: "Succeed" } })).toThrow(/role\/machine cannot be assumed by states\.amazonaws\.com/);
  });
});
