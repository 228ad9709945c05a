import { describe, expect, it } from "vitest";
import { firehosePorts } from "../../src/engine/firehose-ports";
import { FirehoseService } from "../../src/services/firehose";
import { S3Service } from "../../src/services/s3";
import { world } from "../messaging/helpers";

const ROLE = "arn:aws:iam::000000000000:role/delivery";
const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:transform:$LATEST";
const GROUP = "/aws/kinesisfirehose/d";

/** The ports of delivery streams over an encrypted bucket, and a role with these actions. */
function ports(actions: readonly string[], principal = "firehose.amazonaws.com") {
  const all = world();
  const { context, iam, kms, gate, registry, logs, cloudwatch } = all;
  const key = kms.arnOf("11111111-2222-3333-4444-555555555555");
  const s3 = new S3Service(context, { iam, gate, deliver: registry.deliver });
  s3.store.createBucket("data");
  s3.store.configure("data", { encryption: { algorithm: "aws:kms", keyId: key } });
  iam.putRole("delivery", ROLE, {
    Statement: [{ Effect: "Allow", Principal: { Service: principal }, Action: "sts:AssumeRole" }],
  });
  iam.putInlinePolicy("delivery", "own", { Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] });
  const own = firehosePorts({
    clock: context.clock,
    iam,
    s3,
    logs,
    invoke: async (arn, payload) => ({
      requestId: "1",
      payload: `${arn} ${payload}`,
      functionError: payload === "bad" ? "Unhandled" : undefined,
      logTail: "",
    }),
    metrics: cloudwatch.put,
    bestEffort: (write) => write,
  });
  const service = new FirehoseService(context, own);
  service.put({
    name: "d",
    roleArn: ROLE,
    bucket: "data",
    prefix: "archive/",
    errorPrefix: undefined,
    extension: "",
    keyArn: key,
    gzip: false,
    bufferBytes: 1,
    bufferMs: 0,
    processor: undefined,
    encrypted: false,
    log: { group: GROUP, stream: "delivery" },
  });
  return { ...all, s3, ports: own, stream: service.store.stream("d") };
}

describe("a delivery stream's role", () => {
  it("is what its function is invoked with", async () => {
    const open = ports(["lambda:InvokeFunction"]).ports;
    expect(await open.invoke(ROLE, FUNCTION, "good")).toEqual({ payload: `${FUNCTION} good`, isError: false });
    expect(await open.invoke(ROLE, FUNCTION, "bad")).toMatchObject({ isError: true });
    await expect(ports(["s3:PutObject"]).ports.invoke(ROLE, FUNCTION, "good")).rejects.toThrow(/lambda:InvokeFunction/);
    const foreign = ports(["lambda:InvokeFunction"], "lambda.amazonaws.com");
    await expect(foreign.ports.invoke(ROLE, FUNCTION, "good")).rejects.toThrow(/cannot be assumed by firehose/);
  });

  it("writes objects with the key of the bucket, or not at all", async () => {
    const open = ports(["s3:PutObject", "kms:GenerateDataKey"]);
    await open.ports.putObject(open.stream, "archive/a", Buffer.from("line"));
    expect(String(await open.s3.get("data", "archive/a"))).toBe("line");
    await open.ports.putObject({ ...open.stream, keyArn: undefined }, "archive/b", Buffer.from("line"));
    expect(open.s3.list("data").map(({ headers }) => headers["x-amz-server-side-encryption"])).toEqual(["aws:kms", "aws:kms"]);
    const keyless = ports(["s3:PutObject"]);
    await expect(keyless.ports.putObject(keyless.stream, "archive/a", Buffer.from(""))).rejects.toThrow(/kms:GenerateDataKey/);
  });

  it("logs errors if it may and the group exists", () => {
    const open = ports(["logs:PutLogEvents"]);
    open.ports.report(open.stream, "Lambda.FunctionError", "why");
    open.logs.saveGroup(GROUP, undefined);
    open.ports.report(open.stream, "Lambda.FunctionError", "why");
    open.ports.report({ ...open.stream, log: undefined }, "Lambda.FunctionError", "why");
    const logged = open.logs.events(GROUP, 0, Number.MAX_SAFE_INTEGER).map(({ message }): unknown => JSON.parse(message));
    expect(logged).toEqual([{ deliveryStreamName: "d", errorCode: "Lambda.FunctionError", message: "why" }]);
    const mute = ports(["s3:PutObject"]);
    mute.logs.saveGroup(GROUP, undefined);
    mute.ports.report(mute.stream, "Lambda.FunctionError", "why");
    expect(mute.logs.events(GROUP, 0, Number.MAX_SAFE_INTEGER)).toEqual([]);
  });
});
