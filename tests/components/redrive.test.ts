/** Raw records and the one role that reads them; and that a redrive knows every place where something is given up. */
import { beforeAll, describe, expect, it } from "vitest";
import type { RedriveOutput } from "../../stacks/redrive";
import { type Evaluation, evaluateStack, type Recorded } from "../helpers/recorder";

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Principal?: { readonly AWS?: readonly string[] } | "*";
  readonly Condition?: unknown;
}

let dev: Evaluation;
let prod: Evaluation;
let redrive: RedriveOutput;
beforeAll(async () => {
  dev = await evaluateStack("dev");
  prod = await evaluateStack("prod");
  redrive = dev.outputs.redrive as RedriveOutput;
}, 60_000);

const statementsOf = ({ inputs }: Recorded): readonly Statement[] => JSON.parse(String(inputs.policy)).Statement;
const POLICY = "aws:iam/rolePolicy:RolePolicy";
const key = () => dev.find("aws:kms/key:Key", "raw-records-key");

/** Everything at the path `a.b` of a resource's inputs. */
const at = ({ inputs }: Recorded, path: string): unknown =>
  path.split(".").reduce<unknown>((value, name) => Object(value)[name], inputs);

describe("raw records", () => {
  it("are decrypted by the redrive role alone: IAM decides only who writes", () => {
    const decrypting = statementsOf(key()).filter(({ Action }) =>
      Action.some((action) => /^kms:(\*|Decrypt|ReEncrypt|CreateGrant)/.test(action)),
    );
    expect(decrypting.map(({ Sid, Principal }) => [Sid, Principal])).toEqual([["OnlyReaders", { AWS: [redrive.roleArn] }]]);
  });

  it("are refused to every other caller by the bucket, whatever IAM says", () => {
    const denials = statementsOf(dev.find("aws:s3/bucketPolicy:BucketPolicy", "raw-records-policy"));
    expect(denials.find(({ Sid }) => Sid === "OnlyTheRedriveRoleReads")).toMatchObject({
      Effect: "Deny",
      Principal: "*",
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Condition: { ArnNotEquals: { "aws:PrincipalArn": redrive.roleArn } },
    });
  });

  it("expire after their own time, old versions with them", () => {
    const { rules } = dev.find(
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      "raw-records-lifecycle",
    ).inputs;
    expect(rules).toContainEqual(
      expect.objectContaining({ id: "expire", expiration: { days: 30 }, noncurrentVersionExpiration: { noncurrentDays: 1 } }),
    );
  });

  it("are written by the functions that quarantine, and read by none", () => {
    const granted = dev.ofType(POLICY).flatMap((policy) =>
      statementsOf(policy)
        .filter(({ Resource }) => JSON.stringify(Resource).includes(redrive.rawBucket))
        .map(({ Action, Resource }) => [
          policy.name,
          Action.join(),
          Resource.map((arn) => arn.split(redrive.rawBucket)[1]).join(),
        ]),
    );
    expect(granted).toEqual(
      expect.arrayContaining([
        ["fraud-processor-permissions", "s3:PutObject", "/quarantine/*"],
        ["fraud-processor-permissions", "s3:PutObject", "/aws/lambda/*"],
        ["fraud-processor-permissions", "s3:ListBucket", ""],
        ["fraud-queue-scorer-permissions", "s3:PutObject", "/quarantine/*"],
        ["fraud-file-scorer-permissions", "s3:PutObject", "/quarantine/*"],
        ["fraud-transformation-permissions", "s3:PutObject", "/quarantine/*"],
        ["scoring-archiver-permissions", "s3:PutObject", "/quarantine/*"],
        ["raw-redrive-records", "s3:GetObject", "/quarantine/*,/aws/lambda/*,/redriven/*"],
        ["raw-redrive-records", "s3:ListBucket", ""],
        ["raw-redrive-records", "s3:PutObject", "/redriven/*"],
      ]),
    );
    expect(granted).toHaveLength(10);
  });
});

describe("the redrive role", () => {
  it("may do exactly this besides", () => {
    const granted = statementsOf(dev.find(POLICY, "raw-redrive-permissions"));
    expect([...new Set(granted.flatMap(({ Action }) => Action))].sort()).toEqual([
      "dynamodb:BatchGetItem",
      "events:ListTargetsByRule",
      "events:PutEvents",
      "firehose:PutRecordBatch",
      "kinesis:PutRecords",
      "kms:Decrypt",
      "kms:GenerateDataKey",
      "lambda:InvokeFunction",
      "s3:GetObject",
      "s3:ListBucket",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
      "sqs:SendMessage",
      "states:StartExecution",
    ]);
    for (const { Resource } of granted) expect(Resource).not.toContain("*");
    const read = granted.filter(({ Action }) => Action.includes("s3:GetObject")).flatMap(({ Resource }) => Resource);
    expect(read).toEqual([expect.stringMatching(/data-dev-us-east-1-a1\/failed\/\*$/)]);
    const received = granted.find(({ Action }) => Action.includes("sqs:ReceiveMessage"))?.Resource ?? [];
    expect(received).toHaveLength(redrive.queues.length);
  });

  it("fits the quota of 10,240 characters for the inline policies of a role", () => {
    for (const stack of [dev, prod]) {
      const own = stack.ofType(POLICY).filter(({ name }) => name.startsWith("raw-redrive"));
      expect(own.map(({ inputs }) => String(inputs.policy)).join("").length).toBeLessThan(10_240);
    }
  });
});

describe("everything that is given up", () => {
  /** Where a resource's inputs name a place for what it gives up. */
  const PLACES: readonly (readonly [type: string, path: string])[] = [
    ["aws:cloudwatch/eventTarget:EventTarget", "deadLetterConfig.arn"],
    ["aws:lambda/function:Function", "deadLetterConfig.targetArn"],
    ["aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "destinationConfig.onFailure.destination"],
    ["aws:lambda/eventSourceMapping:EventSourceMapping", "destinationConfig.onFailure.destinationArn"],
    ["aws:sns/topicSubscription:TopicSubscription", "redrivePolicy"],
    ["aws:scheduler/schedule:Schedule", "target.deadLetterConfig.arn"],
  ];

  it.each(["dev", "prod"])("in %s lies where a redrive looks", (stack) => {
    const graph = stack === "dev" ? dev : prod;
    const { queues, rawBucket } = graph.outputs.redrive as RedriveOutput;
    const named = PLACES.flatMap(([type, path]) => graph.ofType(type).map((resource) => at(resource, path)));
    const redrivePolicies = graph.ofType("aws:sqs/queue:Queue").flatMap(({ inputs }) => inputs.redrivePolicy ?? []);
    const given = [
      ...named.filter((place) => place !== undefined),
      ...redrivePolicies.map((policy) => JSON.parse(String(policy)).deadLetterTargetArn),
    ].map((arn) => String(arn).split(":").at(-1));
    const known = new Set([rawBucket, ...queues.map(({ name }) => name)]);
    expect(given.length).toBeGreaterThan(5);
    expect([...new Set(given)].filter((place) => !known.has(place ?? ""))).toEqual([]);
    expect([...known].filter((place) => !given.includes(place))).toEqual([]);
  });
});
