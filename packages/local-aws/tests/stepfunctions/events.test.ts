import { describe, expect, it } from "vitest";
import { call } from "../messaging/helpers";
import { quiet, ROLE, stepFunctionsWorld } from "./world";

const wait = { Pause: { Type: "Wait", Seconds: 100, End: true } };
const pass = { A: { Type: "Pass", End: true } };
/** Fails as its input says. */
const fail = { A: { Type: "Fail", ErrorPath: "$.error", CausePath: "$.cause" } };
const bad = { error: "Bad", cause: "because" };

describe("what others see", () => {
  it("metrics of the machine", async () => {
    const world = await stepFunctionsWorld();
    world.deploy(wait);
    await world.end(await world.start());
    const stopped = await world.start({}, "stopped");
    world.service.executions.stop(stopped, "enough");
    await world.end(stopped);
    expect(world.metrics.map(({ name, value }) => [name, value])).toEqual([
      ["ExecutionsStarted", 1],
      ["ExecutionsSucceeded", 1],
      ["ExecutionTime", 100_000],
      ["ExecutionsStarted", 1],
      ["ExecutionsAborted", 1],
      ["ExecutionTime", 0],
    ]);
    expect(world.metrics[0]?.dimensions).toEqual({ StateMachineArn: world.machineArn() });
  });

  it("status changes are events on the default bus", async () => {
    const world = await stepFunctionsWorld();
    const { events, sqs } = world.messaging;
    await call(sqs, "CreateQueue", { QueueName: "changes" });
    const policy = { Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }] };
    await call(sqs, "SetQueueAttributes", { QueueUrl: sqs.urlOf("changes"), Attributes: { Policy: JSON.stringify(policy) } });
    const pattern = {
      source: ["aws.states"],
      "detail-type": ["Step Functions Execution Status Change"],
      detail: { status: ["FAILED"] },
    };
    await call(events, "PutRule", { Name: "failed", EventPattern: JSON.stringify(pattern) });
    await call(events, "PutTargets", { Rule: "failed", Targets: [{ Id: "q", Arn: sqs.arnOf("changes") }] });
    const { execution } = await world.run(fail, bad);
    await events.settle();
    const [message] = sqs.receive("changes", 10);
    expect(JSON.parse(message?.body ?? "")).toMatchObject({
      source: "aws.states",
      resources: [execution.executionArn],
      detail: {
        status: "FAILED",
        name: "run",
        stateMachineArn: world.machineArn(),
        error: "Bad",
        cause: "because",
        output: null,
      },
    });
  });

  it("logs every event with its data", async () => {
    const world = await stepFunctionsWorld();
    const { logs } = world.messaging;
    logs.saveGroup("/aws/vendedlogs/machine", undefined);
    const definition = JSON.stringify({ StartAt: "A", States: fail });
    const logGroupArn = `${logs.arnOf("/aws/vendedlogs/machine")}:*`;
    world.service.deploy({ name: "machine", roleArn: ROLE, definition, keyId: undefined, logGroupArn });
    await world.end(await world.start(bad));
    const lines = [...logs.events("/aws/vendedlogs/machine", 0, Number.MAX_SAFE_INTEGER)].map(({ message }) => message);
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      "ExecutionStarted",
      "FailStateEntered",
      "ExecutionFailed",
    ]);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ details: { input: JSON.stringify(bad) } });
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
      id: "3",
      previous_event_id: "2",
      details: bad,
      execution_arn: expect.stringContaining(":execution:machine:run"),
    });
  });

  it("logging without permission is refused at deploy", async () => {
    const world = await stepFunctionsWorld({ statements: [] });
    world.messaging.logs.saveGroup("g", undefined);
    const logGroupArn = `${world.messaging.logs.arnOf("g")}:*`;
    const definition = JSON.stringify({ StartAt: "A", States: pass });
    expect(() => world.service.deploy({ name: "m", roleArn: ROLE, definition, keyId: undefined, logGroupArn })).toThrow(
      /lacks logs:CreateLogDelivery/,
    );
  });
});

describe("a machine under a key", () => {
  const keyId = "11111111-2222-3333-4444-555555555555";
  async function deployed(uses: readonly string[], delivery: object | undefined) {
    const world = await stepFunctionsWorld({
      statements: [
        { Effect: "Allow", Action: "logs:*", Resource: "*" },
        { Effect: "Allow", Action: uses, Resource: "*" },
      ],
    });
    const { logs, kms } = world.messaging;
    const root = { Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "kms:*", Resource: "*" };
    world.iam.setResourcePolicy(kms.arnOf(keyId), { Statement: delivery === undefined ? [root] : [root, delivery] });
    logs.saveGroup("g", undefined);
    const logGroupArn = `${logs.arnOf("g")}:*`;
    const definition = JSON.stringify({ StartAt: "A", States: pass });
    return () => world.service.deploy({ name: "m", roleArn: ROLE, definition, keyId, logGroupArn });
  }
  const USES = ["kms:Decrypt", "kms:GenerateDataKey"];
  const delivery = (condition: object) => ({
    Effect: "Allow",
    Principal: { Service: "delivery.logs.amazonaws.com" },
    Action: "kms:Decrypt",
    Resource: "*",
    Condition: condition,
  });
  const ofLogs = delivery({ StringLike: { "kms:EncryptionContext:SourceArn": "arn:aws:logs:us-east-1:000000000000:*" } });

  it("is refused when its role, or the delivery of its logs, may not use the key", async () => {
    expect(await deployed(["kms:Decrypt"], ofLogs)).toThrow(/encryptionConfiguration\.kmsKeyId: .*kms:GenerateDataKey/);
    expect(await deployed(USES, undefined)).toThrow(/delivery\.logs\.amazonaws\.com may not kms:Decrypt/);
    const account = { StringEquals: { "aws:SourceAccount": "000000000000" } };
    expect(await deployed(USES, delivery(account))).toThrow(/delivery\.logs\.amazonaws\.com may not kms:Decrypt/);
    expect(await deployed(USES, ofLogs)).not.toThrow();
  });
});

describe("rules that start executions", () => {
  const targetRole = "arn:aws:iam::000000000000:role/starter";

  async function ruled(allowed: boolean) {
    const world = await stepFunctionsWorld();
    world.deploy({ A: { Type: "Pass", End: true } });
    world.iam.putRole("starter", targetRole, {
      Statement: [{ Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    const statement = { Effect: "Allow", Action: "states:StartExecution", Resource: world.machineArn() };
    if (allowed) world.iam.putInlinePolicy("starter", "start", { Version: "2012-10-17", Statement: [statement] });
    const executions = async () => {
      await world.messaging.events.settle();
      await quiet();
      const { executions } = await call<{ executions: { executionArn: string; name: string }[] }>(
        world.service,
        "ListExecutions",
        {
          stateMachineArn: world.machineArn(),
        },
      );
      return Promise.all(executions.map(({ executionArn }) => world.end(executionArn)));
    };
    return { ...world, executions };
  }

  it("by pattern, with a transformed input", async () => {
    const world = await ruled(true);
    const { events } = world.messaging;
    await call(events, "PutRule", {
      Name: "approved",
      EventPattern: JSON.stringify({ source: ["registry"], detail: { status: ["Approved"] } }),
    });
    const InputTransformer = { InputPathsMap: { arn: "$.detail.arn" }, InputTemplate: '{"modelPackageArn": <arn>}' };
    await call(events, "PutTargets", {
      Rule: "approved",
      Targets: [{ Id: "m", Arn: world.machineArn(), RoleArn: targetRole, InputTransformer }],
    });
    const put = (status: string) =>
      call(events, "PutEvents", {
        Entries: [{ Source: "registry", DetailType: "Change", Detail: JSON.stringify({ status, arn: "package/1" }) }],
      });
    await put("Approved");
    await put("Rejected");
    expect(await world.executions()).toMatchObject([{ status: "SUCCEEDED", input: '{"modelPackageArn": "package/1"}' }]);
  });

  it("by schedule, with a constant input", async () => {
    const world = await ruled(true);
    const { events } = world.messaging;
    await call(events, "PutRule", { Name: "nightly", ScheduleExpression: "cron(0 3 * * ? *)" });
    const target = { Id: "m", Arn: world.machineArn(), RoleArn: targetRole, Input: '{"dataset":"fraud"}' };
    await call(events, "PutTargets", { Rule: "nightly", Targets: [target] });
    world.messaging.advance(24 * 3_600_000);
    await events.tick();
    expect(await world.executions()).toMatchObject([{ status: "SUCCEEDED", input: '{"dataset":"fraud"}' }]);
  });

  it("a delivery that is repeated starts nothing twice", async () => {
    const world = await ruled(true);
    const deliver = () =>
      world.messaging.registry.deliver(world.machineArn(), "{}", {
        roleArn: targetRole,
        servicePrincipal: "events.amazonaws.com",
        deliveryId: "one",
      });
    await deliver();
    await world.executions();
    await deliver();
    expect(await world.executions()).toHaveLength(1);
  });

  it("a role without permission sends the event to the dead-letter queue", async () => {
    const world = await ruled(false);
    const { events, sqs } = world.messaging;
    await call(sqs, "CreateQueue", { QueueName: "dead" });
    const policy = { Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }] };
    await call(sqs, "SetQueueAttributes", { QueueUrl: sqs.urlOf("dead"), Attributes: { Policy: JSON.stringify(policy) } });
    await call(events, "PutRule", { Name: "all", EventPattern: JSON.stringify({ source: ["x"] }) });
    const target = { Id: "m", Arn: world.machineArn(), RoleArn: targetRole, DeadLetterConfig: { Arn: sqs.arnOf("dead") } };
    await call(events, "PutTargets", { Rule: "all", Targets: [target] });
    await call(events, "PutEvents", { Entries: [{ Source: "x", DetailType: "d", Detail: "{}" }] });
    expect(await world.executions()).toEqual([]);
    const [dead] = sqs.receive("dead", 10);
    expect(dead?.attributes.ERROR_CODE?.StringValue).toBe("AccessDeniedException");
    expect(dead?.attributes.ERROR_MESSAGE?.StringValue).toMatch(
      /assumed-role\/starter\/events is not authorized to perform: states:StartExecution/,
    );
  });

  it("a target without a role is refused", async () => {
    const world = await ruled(true);
    const { events } = world.messaging;
    await call(events, "PutRule", { Name: "all", EventPattern: JSON.stringify({ source: ["x"] }) });
    await expect(call(events, "PutTargets", { Rule: "all", Targets: [{ Id: "m", Arn: world.machineArn() }] })).rejects.toThrow(
      /RoleArn is required for target arn:aws:states/,
    );
  });
});
