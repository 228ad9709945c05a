import { describe, expect, it } from "vitest";
import { CredentialStore } from "../../src/endpoint/credentials";
import { lambdaPorts } from "../../src/engine/lambda-ports";
import { S3Service } from "../../src/services/s3";
import { addStream, world } from "../messaging/helpers";

const ROLE = "arn:aws:iam::000000000000:role/fn";

/** The ports of functions over an encrypted queue, stream and bucket, and a role with these actions. */
async function ports(...actions: readonly string[]) {
  const all = world();
  const { context, iam, kms, gate, registry, sqs, kinesis, logs } = all;
  const key = kms.arnOf("11111111-2222-3333-4444-555555555555");
  const s3 = new S3Service(context, { iam, gate, deliver: registry.deliver });
  await all.queue("failed", { kmsMasterKeyId: key });
  addStream(kinesis, "s", 1, key);
  s3.store.createBucket("failures");
  s3.store.configure("failures", { encryption: { algorithm: "aws:kms", keyId: key } });
  iam.putRole("fn", ROLE, {
    Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });
  iam.putInlinePolicy("fn", "own", { Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] });
  const credentials = new CredentialStore(context.db, context.accountId);
  const metrics = () => undefined;
  return {
    ...all,
    s3,
    ports: lambdaPorts({ context, iam, credentials, registry, kinesis, sqs, s3, logs, metrics, bestEffort: (write) => write }),
  };
}

describe("a function's role", () => {
  it("lacks the key of an encrypted event source", async () => {
    const { ports: own, kinesis, sqs } = await ports("kinesis:GetRecords", "sqs:ReceiveMessage");
    expect(own.missingActions(ROLE, "kinesis:GetRecords", kinesis.arnOf("s"))).toEqual(["kms:Decrypt"]);
    expect(own.missingActions(ROLE, "kinesis:ListShards", kinesis.arnOf("s"))).toEqual(["kinesis:ListShards"]);
    expect(own.missingActions(ROLE, "sqs:ReceiveMessage", sqs.arnOf("failed"))).toEqual(["kms:Decrypt"]);
  });

  it("is what a failed event reaches its destination with: the queue's own policy names no service", async () => {
    const open = await ports("sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt");
    await open.ports.deliver(open.sqs.arnOf("failed"), "event", ROLE);
    expect(open.sqs.receive(open.sqs.arnOf("failed"), 1).map(({ body }) => body)).toEqual(["event"]);
    const keyless = await ports("sqs:SendMessage");
    await expect(keyless.ports.deliver(keyless.sqs.arnOf("failed"), "event", ROLE)).rejects.toThrow(/kms:GenerateDataKey/);
    expect(keyless.sqs.store.counts("failed").visible).toBe(0);
  });

  it("writes failed batches with the key of the bucket, or not at all", async () => {
    const keyless = await ports("s3:PutObject");
    await expect(keyless.ports.putObject("arn:aws:s3:::failures", "k", "{}", ROLE)).rejects.toThrow(/kms:GenerateDataKey/);
    const open = await ports("s3:PutObject", "kms:GenerateDataKey");
    await open.ports.putObject("arn:aws:s3:::failures", "k", "{}", ROLE);
    expect(String(await open.s3.get("failures", "k"))).toBe("{}");
  });
});
