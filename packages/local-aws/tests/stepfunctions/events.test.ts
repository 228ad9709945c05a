import { describe, expect, it } from "vitest";
import { call } from "../messaging/helpers";
import { quiet, ROLE, stepFunctionsWorld } from "./world";

const wait = { Pause: { Type: "Wait", Seconds: 100, End: true } };
const pass = { A: { Type: "Pass", End: true } };
/** Fails as its input says. */
const fail = { A: { Type: "Fail", ErrorPath: "$.error", CausePath: "$.cause" } };
const bad = { error: "Bad", cause: "because" };
/** A queue's policy that lets everybody send. */
const OPEN = JSON.stringify({ Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }] });

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
    const { events, sqs, queue, rule, target } = world.messaging;
    await queue("changes", { policy: OPEN });
    const pattern = {
      source: ["aws.states"],
      "detail-type": ["Step Functions Execution Status Change"],
      detail: { status: ["FAILED"] },
    };
    await rule("failed", { eventPattern: JSON.stringify(pattern) });
    await target("failed", { arn: sqs.arnOf("changes") });
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
    const { events, rule, target } = world.messaging;
    await rule("approved", { eventPattern: JSON.stringify({ source: ["registry"], detail: { status: ["Approved"] } }) });
    const inputTransformer = { inputPaths: { arn: "$.detail.arn" }, inputTemplate: '{"modelPackageArn": <arn>}' };
    await target("approved", { arn: world.machineArn(), roleArn: targetRole, inputTransformer });
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
    const { events, rule, target } = world.messaging;
    await rule("nightly", { scheduleExpression: "cron(0 3 * * ? *)" });
    await target("nightly", { arn: world.machineArn(), roleArn: targetRole, input: '{"dataset":"fraud"}' });
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
    const { events, sqs, queue, rule, target } = world.messaging;
    await queue("dead", { policy: OPEN });
    await rule("all", { eventPattern: '{"source":["x"]}' });
    await target("all", { arn: world.machineArn(), roleArn: targetRole, deadLetterConfig: { arn: sqs.arnOf("dead") } });
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
    const { rule, target } = world.messaging;
    await rule("all", { eventPattern: '{"source":["x"]}' });
    await expect(target("all", { arn: world.machineArn() })).rejects.toThrow(/RoleArn is required for target arn:aws:states/);
  });
});
