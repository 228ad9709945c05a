import { describe, expect, it } from "vitest";
import { parsePolicy } from "../../src/permissions/policy";
import { pairOf, refusalOf, type ServiceDelivery } from "../../src/permissions/service-access";
import { SERVICE_PAIRS } from "../../src/permissions/service-pairs";

const place = { accountId: "000000000000", region: "us-east-1" };
const TOPIC = "arn:aws:sns:us-east-1:000000000000:alerts";
const QUEUE = "arn:aws:sqs:us-east-1:000000000000:q";
const KEY = "arn:aws:kms:us-east-1:000000000000:key/1";
const RULE = "arn:aws:events:us-east-1:000000000000:rule/scores/high";

const allow = (Service: string, Action: unknown, Resource: string, Condition?: object) => ({
  Effect: "Allow",
  Principal: { Service },
  Action,
  Resource,
  ...(Condition === undefined ? {} : { Condition }),
});
const kindOf = (statements: readonly object[]) => {
  if (!statements.some((statement) => "Principal" in statement)) return "identity";
  return statements.some((statement) => "Resource" in statement) ? "resource" : "trust";
};
const document = (...statements: readonly object[]) => parsePolicy({ Statement: statements }, "test", kindOf(statements));
const TLS_ONLY = {
  Effect: "Deny",
  Principal: "*",
  Action: "*",
  Resource: "*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const OWN_ACCOUNT = { StringEquals: { "aws:SourceAccount": place.accountId } };
const KEY_ACTIONS = ["kms:Decrypt", "kms:GenerateDataKey*"];

function refusedBy(delivery: Partial<ServiceDelivery> & Pick<ServiceDelivery, "service" | "target" | "targetArn">) {
  return refusalOf({ sourceArn: RULE, policy: undefined, ...delivery }, place)?.by;
}

describe("an alarm's and a rule's way to an encrypted topic", () => {
  const topic = (service: string, topicCondition?: object, keyCondition?: object) =>
    refusedBy({
      service,
      target: "topic",
      targetArn: TOPIC,
      policy: document(TLS_ONLY, allow(service, "sns:Publish", TOPIC, topicCondition)),
      key: { arn: KEY, policy: document(allow(service, KEY_ACTIONS, "*", keyCondition)) },
    });
  const onTopics = (arn: string) => ({ ArnLike: { "kms:EncryptionContext:aws:sns:topicArn": arn } });

  it("differ: EventBridge meets no condition in a topic's policy", () => {
    expect(topic("cloudwatch.amazonaws.com", OWN_ACCOUNT)).toBeUndefined();
    expect(topic("events.amazonaws.com", OWN_ACCOUNT)).toBe("resource policy");
    expect(topic("events.amazonaws.com", { Bool: { "aws:SecureTransport": "true" } })).toBe("resource policy");
    expect(topic("events.amazonaws.com")).toBeUndefined();
  });

  it("differ: EventBridge tells KMS no account and no rule", () => {
    expect(topic("cloudwatch.amazonaws.com", undefined, OWN_ACCOUNT)).toBeUndefined();
    expect(topic("events.amazonaws.com", undefined, OWN_ACCOUNT)).toBe("key policy");
  });

  it.each(["events.amazonaws.com", "cloudwatch.amazonaws.com"])("%s: the encryption context names the topic", (service) => {
    expect(topic(service, undefined, onTopics("arn:aws:sns:us-east-1:000000000000:*"))).toBeUndefined();
    expect(topic(service, undefined, onTopics("arn:aws:sns:us-east-1:111111111111:*"))).toBe("key policy");
  });
});

describe("a way to a queue", () => {
  const queue = (sourceArn: string, more: Partial<ServiceDelivery> = {}) =>
    refusedBy({
      service: "s3.amazonaws.com",
      target: "queue",
      targetArn: QUEUE,
      sourceArn,
      policy: document(
        TLS_ONLY,
        allow("s3.amazonaws.com", "sqs:SendMessage", QUEUE, { ArnEquals: { "aws:SourceArn": "arn:aws:s3:::b" } }),
      ),
      ...more,
    });

  it("is open to the named service from the named source only", () => {
    expect(queue("arn:aws:s3:::b")).toBeUndefined();
    expect(queue("arn:aws:s3:::other")).toBe("resource policy");
    expect(queue("arn:aws:s3:::b", { service: "sns.amazonaws.com" })).toBe("resource policy");
    expect(queue("arn:aws:s3:::b", { policy: undefined })).toBe("resource policy");
  });

  it("needs both actions of the key, and asks none without a key", () => {
    const key = (...actions: readonly string[]) => ({
      arn: KEY,
      policy: document(allow("s3.amazonaws.com", actions, "*", OWN_ACCOUNT)),
    });
    expect(queue("arn:aws:s3:::b", { key: key("kms:GenerateDataKey", "kms:Decrypt") })).toBeUndefined();
    expect(queue("arn:aws:s3:::b", { key: key("kms:GenerateDataKey") })).toBe("key policy");
    expect(queue("arn:aws:s3:::b", { key: { arn: KEY, policy: undefined } })).toBe("key policy");
  });
});

describe("what a service keeps under a key of the stack", () => {
  const GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:g";
  const within = (key: string, value: string) => ({ ArnLike: { [`kms:EncryptionContext:${key}`]: value } });
  const logs = (principal: string) =>
    refusedBy({
      service: "logs.us-east-1.amazonaws.com",
      target: "log group",
      targetArn: GROUP,
      key: {
        arn: KEY,
        policy: document(
          allow(
            principal,
            ["kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey", ...KEY_ACTIONS],
            "*",
            within("aws:logs:arn", GROUP),
          ),
        ),
      },
    });

  it("is a log group's events: of the region's own principal", () => {
    expect(logs("logs.us-east-1.amazonaws.com")).toBeUndefined();
    expect(logs("logs.amazonaws.com")).toBe("key policy");
    expect(logs("logs.eu-west-1.amazonaws.com")).toBe("key policy");
  });

  it("is a bus: the check of the key comes without an encryption context", () => {
    const bus = "arn:aws:events:us-east-1:000000000000:event-bus/b";
    const actions = ["kms:GenerateDataKey", "kms:Decrypt"];
    const inBus = within("aws:events:event-bus:arn", bus);
    const ask = (...statements: readonly object[]) =>
      refusedBy({
        service: "events.amazonaws.com",
        target: "event bus",
        targetArn: bus,
        sourceArn: bus,
        key: { arn: KEY, policy: document(...statements) },
      });
    expect(ask(allow("events.amazonaws.com", [...actions, "kms:DescribeKey"], "*", inBus))).toBe("key policy");
    expect(
      ask(allow("events.amazonaws.com", actions, "*", inBus), allow("events.amazonaws.com", "kms:DescribeKey", "*")),
    ).toBeUndefined();
  });
});

describe("the table", () => {
  it("has one row a pair, each with its source", () => {
    const pairs = SERVICE_PAIRS.map(({ service, target }) => `${service} ${target}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    for (const { service, target, source } of SERVICE_PAIRS) expect(source.length, `${service} ${target}`).toBeGreaterThan(0);
  });

  it("is asked for a pair that it lacks by name", () => {
    expect(() => pairOf("ses.amazonaws.com", "topic", place)).toThrow(
      /How AWS lets ses.amazonaws.com deliver to a topic is not known.*service-pairs\.ts/,
    );
  });

  it("says which statement is missing", () => {
    const delivery = { service: "events.amazonaws.com", target: "topic", targetArn: TOPIC, sourceArn: RULE } as const;
    expect(refusalOf({ ...delivery, policy: undefined }, place)?.message).toBe(
      `events.amazonaws.com may not sns:Publish on ${TOPIC} from ${RULE}: its resource policy does not allow it. ` +
        'Add an Allow statement for Principal {"Service": "events.amazonaws.com"}, without a condition, because the service sends none that could be met.',
    );
  });
});
