/** Local bodies of the S3 resource types. */
import type { GraphResource, NameRule, ResourceBody } from "../contracts";
import { isResolvedAsset } from "../engine/assets";
import { physicalName } from "../engine/names";
import type { Iam } from "../gateway/iam";
import { optionalText, recordInput, recordsInput, textInput } from "./resource-inputs";
import type { S3Service } from "./s3";
import { bucketArn } from "./s3-notifications";
import type { Expiration, NotificationTarget } from "./s3-store";

type Inputs = Readonly<Record<string, unknown>>;

/** A setting of a bucket: its id is the bucket's name. */
function setting(
  type: string,
  honoured: readonly string[],
  apply: ((resource: GraphResource, bucket: string) => Promise<void> | void) | undefined,
  cloudOnly: Readonly<Record<string, string>> = {},
): ResourceBody {
  const create = apply && ((resource: GraphResource) => apply(resource, textInput(resource, "bucket")));
  return {
    type,
    honoured: ["bucket", ...honoured],
    cloudOnly,
    replaceOn: ["bucket"],
    outputs: ({ inputs }) => ({ id: optionalText(inputs, "bucket") ?? "", state: {} }),
    ...(create ? { create, update: create } : {}),
  };
}

/** S3 user guide, "General purpose bucket naming rules". */
const bucketName: NameRule = {
  field: "bucket",
  maxLength: 63,
  characters: {
    pattern: /^[a-z0-9](?!.*\.\.)[a-z0-9.-]+[a-z0-9]$/,
    words: "at least three lower-case letters, digits, hyphens or single dots, with a letter or digit at both ends",
  },
  adapt: (generated) => generated.toLowerCase(),
};

export function s3Bodies(service: S3Service, iam: Iam): ResourceBody[] {
  const { store } = service;
  return [
    {
      type: "aws:s3/bucket:Bucket",
      honoured: ["bucket", "bucketPrefix", "tags"],
      cloudOnly: { forceDestroy: "nothing is destroyed locally but by deleting the data folder" },
      replaceOn: ["bucket", "bucketPrefix"],
      autoName: bucketName,
      outputs: ({ name, inputs, region }) => {
        const bucket = physicalName(bucketName, name, inputs);
        const state = {
          bucket,
          arn: bucketArn(bucket),
          region,
          bucketRegion: region,
          bucketDomainName: `${bucket}.s3.amazonaws.com`,
          bucketRegionalDomainName: `${bucket}.s3.${region}.amazonaws.com`,
        };
        return { id: bucket, state };
      },
      create: (resource) => {
        store.createBucket(resource.id);
        store.configure(resource.id, { tags: recordInput(resource.inputs, "tags") as Record<string, string> });
      },
    },
    {
      type: "aws:s3/bucketObjectv2:BucketObjectv2",
      honoured: ["bucket", "key", "source", "contentType", "metadata"],
      cloudOnly: {},
      replaceOn: ["bucket", "key"],
      outputs: ({ inputs }) => ({ id: `${String(inputs.bucket)}/${String(inputs.key)}`, state: {} }),
      create: (resource) => putObject(service, resource),
      update: (resource) => putObject(service, resource),
    },
    setting("aws:s3/bucketVersioning:BucketVersioning", ["versioningConfiguration"], (resource, bucket) => {
      const { status } = recordInput(resource.inputs, "versioningConfiguration");
      if (status !== "Enabled" && status !== "Suspended" && status !== "Disabled")
        throw new Error(
          `${resource.type} (${resource.name}): versioningConfiguration.status must be Enabled, Suspended or Disabled, got ${String(status)}.`,
        );
      store.configure(bucket, { versioning: status === "Disabled" ? undefined : status });
    }),
    setting(
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      ["rules"],
      (resource, bucket) => {
        const rule = recordInput(recordsInput(resource.inputs, "rules")[0] ?? {}, "applyServerSideEncryptionByDefault");
        const keyId = optionalText(rule, "kmsMasterKeyId");
        store.configure(bucket, {
          encryption: { algorithm: optionalText(rule, "sseAlgorithm") ?? "AES256", ...(keyId === undefined ? {} : { keyId }) },
        });
      },
    ),
    setting("aws:s3/bucketPolicy:BucketPolicy", ["policy"], (resource, bucket) => {
      const { policy } = resource.inputs;
      iam.setResourcePolicy(bucketArn(bucket), policy);
      store.configure(bucket, { policy: typeof policy === "string" ? policy : JSON.stringify(policy) });
    }),
    setting("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", ["rules"], (resource, bucket) => {
      store.configure(bucket, {
        expirations: recordsInput(resource.inputs, "rules").flatMap((rule) => expiration(resource, rule)),
      });
    }),
    setting("aws:s3/bucketNotification:BucketNotification", ["queues", "topics", "lambdaFunctions"], (resource, bucket) =>
      service.notifications.configure(bucket, notificationTargets(resource.inputs)),
    ),
    setting("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", [], undefined, {
      blockPublicAcls: "the endpoint accepts no ACLs",
      blockPublicPolicy: "the endpoint answers no unsigned requests",
      ignorePublicAcls: "the endpoint accepts no ACLs",
      restrictPublicBuckets: "the endpoint answers no unsigned requests",
    }),
    setting("aws:s3/bucketOwnershipControls:BucketOwnershipControls", [], undefined, {
      rule: "the endpoint accepts no ACLs: one account owns every object",
    }),
    setting("aws:s3/bucketLogging:BucketLogging", [], undefined, {
      targetBucket: "server access logs are written by AWS within hours; the endpoint keeps its own access decisions",
      targetPrefix: "as targetBucket",
    }),
  ];
}

/** Writes the object unless it has these bytes already: a start over kept data makes no new version. */
async function putObject(service: S3Service, resource: GraphResource): Promise<void> {
  const { source } = resource.inputs;
  const [bucket, key] = [textInput(resource, "bucket"), textInput(resource, "key")];
  if (!isResolvedAsset(source)) throw new Error(`${resource.type} (${resource.name}): 'source' must be a file or text asset.`);
  if ((await service.get(bucket, key))?.equals(source.content)) return;
  const metadata = Object.entries(recordInput(resource.inputs, "metadata"));
  const contentType = optionalText(resource.inputs, "contentType");
  await service.put(bucket, key, source.content, {
    headers: {
      ...(contentType === undefined ? {} : { "content-type": contentType }),
      ...Object.fromEntries(metadata.map(([name, value]) => [`x-amz-meta-${name}`, String(value)])),
    },
  });
}

/** Rule fields that only change where and at what price bytes lie. */
const STORAGE_ONLY = new Set([
  "transitions",
  "noncurrentVersionTransitions",
  "noncurrentVersionExpiration",
  "abortIncompleteMultipartUpload",
]);
const RULE_FIELDS = new Set(["id", "status", "filter", "prefix", "expiration", ...STORAGE_ONLY]);

function expiration(resource: GraphResource, rule: Inputs): Expiration[] {
  const unknown = Object.keys(rule).filter((field) => !RULE_FIELDS.has(field));
  if (unknown.length > 0)
    throw new Error(`${resource.type} (${resource.name}): the rule field(s) ${unknown.join(", ")} are not supported locally.`);
  const { days } = recordInput(rule, "expiration");
  if (rule.status !== "Enabled" || typeof days !== "number") return [];
  const filter = recordInput(rule, "filter");
  const prefix =
    optionalText(filter, "prefix") ?? optionalText(recordInput(filter, "and"), "prefix") ?? optionalText(rule, "prefix") ?? "";
  return [{ prefix, days }];
}

function notificationTargets(inputs: Inputs): NotificationTarget[] {
  const kinds = [
    ["queues", "queueArn"],
    ["topics", "topicArn"],
    ["lambdaFunctions", "lambdaFunctionArn"],
  ] as const;
  return kinds.flatMap(([field, arnField]) =>
    recordsInput(inputs, field).map((target, index) => ({
      id: optionalText(target, "id") ?? `${field}-${index}`,
      arn: optionalText(target, arnField) ?? "",
      events: Array.isArray(target.events) ? target.events.map(String) : [],
      prefix: optionalText(target, "filterPrefix") ?? "",
      suffix: optionalText(target, "filterSuffix") ?? "",
    })),
  );
}
