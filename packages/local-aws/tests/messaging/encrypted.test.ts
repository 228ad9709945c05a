import { describe, expect, it } from "vitest";
import { addStream, allowService, call, world } from "./helpers";

const ACCOUNT = "000000000000";
const EVENTS = "events.amazonaws.com";
const USE = ["kms:Decrypt", "kms:GenerateDataKey*"];
const ownAccount = { StringEquals: { "aws:SourceAccount": ACCOUNT } };

const allow = (Service: string, Action: unknown, Resource: string, Condition?: object) => ({
  Effect: "Allow",
  Principal: { Service },
  Action,
  Resource,
  ...(Condition === undefined ? {} : { Condition }),
});
const ROOT = { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kms:*", Resource: "*" };
const policyOf = (...Statement: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const within = (key: string, service: string) => ({
  ArnLike: { [`kms:EncryptionContext:${key}`]: `arn:aws:${service}:us-east-1:${ACCOUNT}:*` },
});

/** All messaging services and one key with a policy of these statements beside the account's own. */
async function encryptedWorld(...statements: readonly object[]) {
  const all = world();
  const key = String((await all.create("aws:kms/key:Key", "key", { policy: policyOf(ROOT, ...statements) })).state.arn);
  return { ...all, key };
}

type EncryptedWorld = Awaited<ReturnType<typeof encryptedWorld>>;

/** One event to one target with a dead-letter queue that takes everything. */
async function send({ sqs, events, cloudwatch, context, queue, rule, target }: EncryptedWorld, targetArn: string) {
  await queue("dead", { policy: allowService(EVENTS, "sqs:SendMessage", sqs.arnOf("dead")) });
  await rule("high", { eventPattern: JSON.stringify({ source: ["fraud.scoring"] }) });
  await target("high", { arn: targetArn, input: '"high"', deadLetterConfig: { arn: sqs.arnOf("dead") } });
  await call(events, "PutEvents", { Entries: [{ Source: "fraud.scoring", DetailType: "Scored", Detail: "{}" }] });
  await events.settle();
  const metric = (name: string) =>
    cloudwatch.store
      .statistics({ namespace: "AWS/Events", name, dimensions: { RuleName: "high" } }, "Sum", 60_000, 0, context.clock.now() + 1)
      .reduce((sum, { value }) => sum + value, 0);
  const [dead] = sqs.receive(sqs.arnOf("dead"), 1);
  return { failed: metric("FailedInvocations"), error: dead?.attributes.ERROR_CODE?.StringValue };
}

describe("a rule's delivery to an encrypted topic", () => {
  const deliver = async (topicCondition: object | undefined, keyStatement: object) => {
    const all = await encryptedWorld(keyStatement);
    const arn = all.sns.arnOf("alerts");
    const Policy = policyOf(allow(EVENTS, "sns:Publish", arn, topicCondition));
    all.sns.saveTopic("alerts", { Policy, KmsMasterKeyId: all.key });
    all.sns.subscribe(arn, "email", "people@example.com", `${arn}:1`);
    const result = await send(all, arn);
    return { ...result, mails: all.lines.filter((line) => line.startsWith("Mail to people@example.com")).length };
  };
  const forTopics = allow(EVENTS, USE, "*", within("aws:sns:topicArn", "sns"));

  it("fails on a condition in the topic's policy, with the metric and the dead-letter queue of AWS", async () => {
    expect(await deliver(ownAccount, forTopics)).toEqual({ failed: 1, error: "AccessDenied", mails: 0 });
  });

  it("fails on aws:SourceAccount in the key's policy", async () => {
    expect(await deliver(undefined, allow(EVENTS, USE, "*", ownAccount))).toEqual({
      failed: 1,
      error: "KMSAccessDenied",
      mails: 0,
    });
  });

  it("arrives when the key's policy holds on the encryption context", async () => {
    expect(await deliver(undefined, forTopics)).toEqual({ failed: 0, error: undefined, mails: 1 });
  });
});

describe("a rule's delivery to an encrypted queue", () => {
  const deliver = async (...statements: readonly object[]) => {
    const all = await encryptedWorld(...statements);
    const policy = allowService(EVENTS, "sqs:SendMessage", all.sqs.arnOf("work"));
    await all.queue("work", { policy, kmsMasterKeyId: all.key });
    const result = await send(all, all.sqs.arnOf("work"));
    return { ...result, messages: all.sqs.store.counts("work").visible };
  };

  it("needs the key as well as the queue", async () => {
    expect(await deliver()).toEqual({ failed: 1, error: "KMSAccessDenied", messages: 0 });
    expect(await deliver(allow(EVENTS, USE, "*", within("aws:sqs:arn", "sqs")))).toEqual({
      failed: 0,
      error: undefined,
      messages: 1,
    });
  });
});

describe("an alarm's mail", () => {
  it("is not sent when the key keeps CloudWatch out, and a line says so", async () => {
    const all = await encryptedWorld();
    const { sns, cloudwatch, lines, context, alarm } = all;
    const arn = sns.arnOf("ops");
    const Policy = policyOf(allow("cloudwatch.amazonaws.com", "sns:Publish", arn, ownAccount));
    sns.saveTopic("ops", { Policy, KmsMasterKeyId: all.key });
    sns.subscribe(arn, "email", "ops@example.com", `${arn}:1`);
    await alarm("any", {
      namespace: "N",
      metricName: "m",
      statistic: "Sum",
      period: 60,
      evaluationPeriods: 1,
      threshold: 0,
      comparisonOperator: "GreaterThanThreshold",
      alarmActions: [arn],
    });
    cloudwatch.put("N", "m", {}, 1, "Count", context.clock.now());
    await cloudwatch.tick();
    expect(lines.filter((line) => line.startsWith("Mail to"))).toEqual([]);
    expect(lines.join("\n")).toContain(
      "Alarm any could not deliver to arn:aws:sns:us-east-1:000000000000:ops: cloudwatch.amazonaws.com may not kms:GenerateDataKey",
    );
  });
});

describe("what a service keeps under a key", () => {
  it("is refused when its principal may not use the key: a log group wants the region's", async () => {
    const actions = ["kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey", ...USE];
    const old = await encryptedWorld(allow("logs.amazonaws.com", actions, "*", within("aws:logs:arn", "logs")));
    expect(() => old.logs.saveGroup("/g", 7, old.key)).toThrow(/logs\.us-east-1\.amazonaws\.com may not kms:Encrypt/);
    const open = await encryptedWorld(allow("logs.us-east-1.amazonaws.com", actions, "*", within("aws:logs:arn", "logs")));
    expect(() => open.logs.saveGroup("/g", 7, open.key)).not.toThrow();
  });

  it("is refused for a bus that EventBridge cannot encrypt", async () => {
    const all = await encryptedWorld(allow(EVENTS, USE, "*", within("aws:events:event-bus:arn", "events")));
    const bus = all.create("aws:cloudwatch/eventBus:EventBus", "scores", { kmsKeyIdentifier: all.key });
    await expect(bus).rejects.toThrow(/events\.amazonaws\.com may not kms:DescribeKey/);
  });
});

describe("a caller's permissions", () => {
  const principal = { kind: "owner", arn: `arn:aws:iam::${ACCOUNT}:root` } as const;
  const asked = (all: EncryptedWorld, service: "sqs" | "sns" | "kinesis", action: string, body: object) =>
    all[service]
      .permissions({
        service,
        region: "us-east-1",
        action,
        method: "POST",
        url: new URL("http://127.0.0.1/"),
        headers: { "content-type": "application/x-amz-json-1.0" },
        body: Buffer.from(JSON.stringify(body)),
        principal,
      })
      .filter(({ resource }) => resource === all.key)
      .map(({ action: kms, context }) => `${kms} via ${context?.["kms:ViaService"]}`);

  it("include the key of an encrypted queue, topic and stream", async () => {
    const all = await encryptedWorld();
    await all.queue("work", { kmsMasterKeyId: all.key });
    all.sns.saveTopic("alerts", { KmsMasterKeyId: all.key });
    addStream(all.kinesis, "open");
    addStream(all.kinesis, "sealed", 1, all.key);
    const QueueUrl = all.sqs.urlOf("work");
    const sqs = (action: string, body: object = {}) => asked(all, "sqs", action, { QueueUrl, ...body });
    const toSend = all.sqs.keyUse("SendMessage", all.sqs.arnOf("work")).map(({ action }) => action);
    expect(toSend).toEqual(["kms:GenerateDataKey", "kms:Decrypt"]);
    expect(sqs("ReceiveMessage")).toEqual(["kms:Decrypt via sqs.us-east-1.amazonaws.com"]);
    expect(sqs("DeleteMessageBatch", { Entries: [] })).toEqual([]);
    expect(asked(all, "sns", "Publish", { TopicArn: all.sns.arnOf("alerts") })).toHaveLength(2);
    const put = (StreamName: string) => asked(all, "kinesis", "PutRecords", { StreamName, Records: [] });
    expect(put("open")).toEqual([]);
    expect(put("sealed")).toEqual(["kms:GenerateDataKey via kinesis.us-east-1.amazonaws.com"]);
  });

  it("include none for the keys of AWS", async () => {
    const all = await encryptedWorld();
    await all.queue("work", { kmsMasterKeyId: "alias/aws/sqs" });
    expect(all.sqs.keyUse("SendMessage", all.sqs.arnOf("work"))).toEqual([]);
  });
});
