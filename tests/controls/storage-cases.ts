/** Buckets, topics, queues, keys, secrets and IAM: resources that meet the controls and what breaks them. */
import { type Case, policyOf, resource } from "./cases";

const ACCOUNT = "111122223333";
const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1`;

const bucket = resource("aws:s3/bucket:Bucket", "data", {}, { bucket: "data", arn: "arn:aws:s3:::data" });
/** Gives the graph its account, which a bucket's ARN does not hold. */
const role = resource("aws:iam/role:Role", "role", {}, { arn: `arn:aws:iam::${ACCOUNT}:role/role` });
const setting = (kind: string, inputs: Readonly<Record<string, unknown>>) =>
  resource(`aws:s3/${kind}:${kind.charAt(0).toUpperCase()}${kind.slice(1)}`, kind, { bucket: "data", ...inputs });

const denyHttp = (action: string, resources: readonly string[]) => ({
  Sid: "TlsOnly",
  Effect: "Deny",
  Principal: "*",
  Action: action,
  Resource: resources,
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});
const bucketDenial = denyHttp("s3:*", ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]);
const access = (action: string, principal: unknown, condition: Readonly<Record<string, unknown>> = {}) => ({
  Sid: "Access",
  Effect: "Allow",
  Principal: principal,
  Action: action,
  Resource: "arn:aws:s3:::data/*",
  Condition: condition,
});
const ownReader = access("s3:GetObject", { AWS: `arn:aws:iam::${ACCOUNT}:role/reader` });
const bucketPolicy = setting("bucketPolicy", { policy: policyOf(bucketDenial, ownReader) });
const withPolicy = { resources: [bucket, bucketPolicy, role], index: 1, path: "policy" };

const buckets: Case[] = [
  { ...withPolicy, control: "S3.2", value: policyOf(access("s3:GetObject", "*")), says: "anyone may read; name a principal" },
  {
    control: "S3.2",
    resources: [bucket, setting("bucketAcl", { acl: "private" })],
    index: 1,
    path: "acl",
    value: "public-read",
    says: 'acl is "public-read"; remove it',
  },
  { ...withPolicy, control: "S3.3", value: policyOf(access("s3:PutObject", { AWS: "*" })), says: "anyone may write" },
  {
    ...withPolicy,
    control: "S3.5",
    value: policyOf(denyHttp("s3:*", ["arn:aws:s3:::data"])),
    says: "plain HTTP; deny s3:* on the bucket and its objects",
  },
  {
    ...withPolicy,
    control: "S3.6",
    value: policyOf(access("s3:GetObject", { AWS: "arn:aws:iam::999988887777:root" })),
    says: "account 999988887777 is allowed; remove it",
  },
  {
    control: "S3.8",
    resources: [
      bucket,
      setting("bucketPublicAccessBlock", {
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      }),
    ],
    index: 1,
    path: "restrictPublicBuckets",
    value: false,
    says: "restrictPublicBuckets of bucketPublicAccessBlock is false; set it to true",
  },
  {
    control: "S3.9",
    resources: [bucket, setting("bucketLogging", { targetBucket: "logs" })],
    index: 1,
    path: "targetBucket",
    says: "targetBucket of the bucket's BucketLogging is not set; name the bucket",
  },
  {
    control: "S3.12",
    resources: [bucket, setting("bucketOwnershipControls", { rule: { objectOwnership: "BucketOwnerEnforced" } })],
    index: 1,
    path: "rule.objectOwnership",
    value: "ObjectWriter",
    says: 'set it to "BucketOwnerEnforced"',
  },
  {
    control: "S3.13",
    resources: [bucket, setting("bucketLifecycleConfiguration", { rules: [{ status: "Enabled" }] })],
    index: 1,
    path: "rules",
    value: [{ status: "Disabled" }],
    says: 'add a rule with status "Enabled"',
  },
  {
    control: "S3.14",
    resources: [bucket, setting("bucketVersioning", { versioningConfiguration: { status: "Enabled" } })],
    index: 1,
    path: "versioningConfiguration.status",
    value: "Suspended",
    says: 'is "Suspended"; set it to "Enabled"',
  },
  {
    control: "S3.17",
    resources: [
      bucket,
      setting("bucketServerSideEncryptionConfiguration", {
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: KEY } }],
      }),
    ],
    index: 1,
    path: "rules",
    value: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    says: 'set sseAlgorithm to "aws:kms"',
  },
];

const topic = resource("aws:sns/topic:Topic", "alerts", { kmsMasterKeyId: KEY });
const topicPolicy = resource("aws:sns/topicPolicy:TopicPolicy", "alerts-policy", {
  arn: topic.state.arn,
  policy: policyOf(
    denyHttp("sns:Publish", [String(topic.state.arn)]),
    access("sns:Publish", "*", { StringEquals: { "aws:SourceAccount": ACCOUNT } }),
  ),
});
const dead = resource("aws:sqs/queue:Queue", "dead", { kmsMasterKeyId: KEY }, { url: "https://sqs/dead" });
const work = resource(
  "aws:sqs/queue:Queue",
  "work",
  { kmsMasterKeyId: KEY, redrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.state.arn, maxReceiveCount: 5 }) },
  { url: "https://sqs/work" },
);
const queuePolicy = resource("aws:sqs/queuePolicy:QueuePolicy", "work-policy", {
  queueUrl: "https://sqs/work",
  policy: policyOf(denyHttp("sqs:*", [String(work.state.arn)])),
});
const open = policyOf(access("*", "*"));

const messaging: Case[] = [
  { control: "SNS.1", resources: [topic], path: "kmsMasterKeyId", says: "kmsMasterKeyId is not set; set it to the ARN" },
  {
    control: "SNS.4",
    resources: [topic, topicPolicy],
    index: 1,
    path: "policy",
    value: open,
    says: "anyone is allowed; name a principal",
  },
  {
    control: "SNS3",
    resources: [topic, topicPolicy],
    index: 1,
    path: "policy",
    value: open,
    says: "plain HTTP; deny sns:Publish",
  },
  { control: "SQS.1", resources: [work], path: "kmsMasterKeyId", says: "or sqsManagedSseEnabled to true" },
  {
    control: "SQS.1",
    resources: [resource(work.type, "plain", { sqsManagedSseEnabled: true })],
    path: "sqsManagedSseEnabled",
    value: false,
    says: "kmsMasterKeyId is not set",
  },
  { control: "SQS.3", resources: [work, queuePolicy], index: 1, path: "policy", value: open, says: "anyone is allowed" },
  { control: "SQS3", resources: [work], path: "redrivePolicy", says: "redrivePolicy is not set; name a dead-letter queue" },
  {
    control: "SQS3",
    resources: [
      dead,
      resource("aws:cloudwatch/eventTarget:EventTarget", "target", { deadLetterConfig: { arn: dead.state.arn } }),
    ],
    index: 1,
    path: "deadLetterConfig",
    says: "redrivePolicy is not set",
  },
  { control: "SQS4", resources: [work, queuePolicy], index: 1, path: "policy", value: open, says: "plain HTTP; deny sqs:*" },
];

const secret = resource("aws:secretsmanager/secret:Secret", "secret");
const rotation = resource("aws:secretsmanager/secretRotation:SecretRotation", "rotation", {
  secretId: "secret-id",
  rotationLambdaArn: "arn:aws:lambda:us-east-1:111122223333:function:rotate",
  rotationRules: { automaticallyAfterDays: 30 },
});
const key = resource("aws:kms/key:Key", "key", {
  enableKeyRotation: true,
  deletionWindowInDays: 30,
  policy: policyOf({ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kms:*", Resource: "*" }),
});

const secrets: Case[] = [
  {
    control: "SecretsManager.1",
    resources: [secret, rotation],
    index: 1,
    path: "rotationLambdaArn",
    says: "add a SecretRotation",
  },
  {
    control: "SecretsManager.4",
    resources: [secret, rotation],
    index: 1,
    path: "rotationRules.automaticallyAfterDays",
    value: 365,
    says: "is 365; set it to 90 days or fewer",
  },
  {
    control: "SSM.secrets",
    resources: [resource("aws:ssm/parameter:Parameter", "fraud", { name: "/fraud/api-key", type: "SecureString" })],
    path: "type",
    value: "String",
    says: 'type is "String"; set it to "SecureString"',
  },
  {
    control: "KMS.3",
    resources: [key],
    path: "deletionWindowInDays",
    value: 7,
    says: "deletionWindowInDays is 7; set it to 30 days",
  },
  { control: "KMS.3", resources: [key], path: "isEnabled", value: false, says: "isEnabled is false; set it to true" },
  { control: "KMS.4", resources: [key], path: "enableKeyRotation", says: "enableKeyRotation is not set; set it to true" },
  { control: "KMS.5", resources: [key], path: "policy", value: open, says: "anyone may use the key; name a principal" },
];

const grants = (action: unknown, target: unknown) =>
  policyOf({ Sid: "Grant", Effect: "Allow", Action: action, Resource: target });
const inline = resource("aws:iam/rolePolicy:RolePolicy", "inline", { policy: grants(["kms:Decrypt"], KEY) });
const managed = resource("aws:iam/policy:Policy", "managed", { policy: grants(["kms:Decrypt"], KEY) });
const traces = resource(inline.type, "traces", { policy: grants("xray:PutTraceSegments", "*") });
const ownRole = resource("aws:iam/role:Role", "own", {
  inlinePolicies: [{ policy: grants("s3:GetObject", "arn:aws:s3:::data/*") }],
});
const attachment = resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "attached", {
  policyArn: `arn:aws:iam::${ACCOUNT}:policy/own`,
});

const iam: Case[] = [
  {
    control: "IAM.1",
    resources: [inline],
    path: "policy",
    value: grants("*", "*"),
    says: "Grant: allows every action on every resource; name the actions",
  },
  { control: "IAM.1", resources: [inline], path: "policy", value: "not JSON", says: "set it to a policy document" },
  {
    control: "IAM.21",
    resources: [inline],
    path: "policy",
    value: grants(["s3:*"], KEY),
    says: "Action has a wildcard (s3:*); name the actions",
  },
  {
    control: "IAM.21",
    resources: [inline],
    path: "policy",
    value: policyOf({ Effect: "Allow", NotAction: "iam:*", Resource: KEY }),
    says: "wildcard",
  },
  {
    control: "IAM5",
    resources: [traces],
    path: "policy",
    value: grants("s3:GetObject", "*"),
    says: 'Resource is "*" for s3:getobject; name the',
  },
  {
    control: "IAM5",
    resources: [ownRole],
    path: "inlinePolicies",
    value: [{ policy: grants("s3:GetObject", "*") }],
    says: "name the resources' ARNs",
  },
  {
    control: "IAM4",
    resources: [attachment],
    path: "policyArn",
    value: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    says: "AmazonS3FullAccess is AWS's and grows with the service; grant the actions needed",
  },
  {
    control: "KMS.1",
    resources: [managed],
    path: "policy",
    value: grants("kms:*", "*"),
    says: "decrypts under every key; name the keys' ARNs",
  },
  {
    control: "KMS.2",
    resources: [inline],
    path: "policy",
    value: grants("kms:Decrypt", "arn:aws:kms:*:*:key/*"),
    says: "decrypts under every key",
  },
];

const protectedSecret = { ...resource("aws:secretsmanager/secret:Secret", "token-key"), protect: true };
/** Promotions write it; the program only once. */
const pointer = { ...resource("aws:ssm/parameter:Parameter", "models"), protect: true, ignoreChanges: ["value"] };
/** The program writes it at every deployment. */
const settings = resource("aws:ssm/parameter:Parameter", "policy");

const protection: Case[] = [protectedSecret, pointer].map((holder) => ({
  control: "Protection",
  resources: [holder, settings],
  of: "resource",
  path: "protect",
  value: false,
  says: "protect is false; set risk:deletionProtection to true",
}));

export const storageCases: readonly Case[] = [...protection, ...buckets, ...messaging, ...secrets, ...iam];
