/** Local bodies of the S3 resource types. */

import { isResolvedAsset, recordOf } from "@risk/program-graph";
import { AwsError, type GraphResource, type NameRule, type ResourceBody } from "../../contracts";
import type { Fields } from "../../engine/fields";
import type { Iam } from "../../permissions/iam";
import { fieldsOf, named, tagInputs } from "../resource-parts";
import { bucketArn } from "./notifications";
import type { S3Service } from "./service";
import type { BucketConfig, Expiration, NotificationTarget } from "./store";

type Inputs = Readonly<Record<string, unknown>>;

interface BucketEffect {
  readonly apply: (resource: GraphResource, bucket: string) => Promise<void> | void;
  /** Back to what a new bucket has; nothing when the bucket is gone. */
  readonly remove: (bucket: string) => Promise<void> | void;
}

/** A setting of a bucket: its id is the bucket's name. */
function setting(
  type: string,
  honoured: readonly string[],
  effect: BucketEffect | undefined,
  cloudOnly: Readonly<Record<string, string>> = {},
): ResourceBody {
  const create = effect && ((resource: GraphResource) => effect.apply(resource, fieldsOf(resource).need("bucket")));
  const remove = effect && (({ inputs }: GraphResource) => effect.remove(String(inputs.bucket)));
  return {
    type,
    honoured: ["bucket", ...honoured],
    cloudOnly,
    replaceOn: ["bucket"],
    outputs: ({ inputs }) => ({ id: String(inputs.bucket ?? ""), state: {} }),
    ...(create && remove ? { create, update: create, delete: remove } : {}),
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
  const reset = (bucket: string, changes: BucketConfig): void => {
    if (store.hasBucket(bucket)) store.configure(bucket, changes);
  };
  return [
    {
      type: "aws:s3/bucket:Bucket",
      honoured: ["bucket", "forceDestroy"],
      cloudOnly: { tags: tagInputs.tags },
      replaceOn: ["bucket"],
      ...named(bucketName, (bucket, { region }) => {
        const state = {
          bucket,
          arn: bucketArn(bucket),
          region,
          bucketRegion: region,
          bucketDomainName: `${bucket}.s3.amazonaws.com`,
          bucketRegionalDomainName: `${bucket}.s3.${region}.amazonaws.com`,
        };
        return { id: bucket, state };
      }),
      create: ({ id }) => store.createBucket(id),
      update: () => undefined,
      delete: async ({ id, inputs }) => {
        if (!store.hasBucket(id)) return;
        if (inputs.forceDestroy === true) await store.deleteVersions(id, () => true);
        store.deleteBucket(id);
        iam.setResourcePolicy(bucketArn(id), undefined);
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
      // With all its versions, as the provider does.
      delete: async ({ inputs }) => {
        const bucket = String(inputs.bucket);
        if (store.hasBucket(bucket)) await store.deleteVersions(bucket, (key) => key === inputs.key);
      },
    },
    setting("aws:s3/bucketVersioning:BucketVersioning", ["versioningConfiguration"], {
      apply: (resource, bucket) => {
        const status = fieldsOf(resource).in("versioningConfiguration").text("status");
        if (status !== "Enabled" && status !== "Suspended" && status !== "Disabled")
          throw new Error(
            `${resource.type} (${resource.name}): versioningConfiguration.status must be Enabled, Suspended or Disabled, got ${String(status)}.`,
          );
        if (status === "Disabled" && store.config(bucket).versioning !== undefined)
          throw new AwsError(
            "IllegalVersioningConfigurationException",
            `${resource.type} (${resource.name}): versioning can't be taken from ${bucket} once it was on. Set versioningConfiguration.status to Suspended.`,
          );
        store.configure(bucket, { versioning: status === "Disabled" ? undefined : status });
      },
      remove: (bucket) => {
        if (store.hasBucket(bucket) && store.config(bucket).versioning !== undefined)
          store.configure(bucket, { versioning: "Suspended" });
      },
    }),
    setting("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", ["rules"], {
      apply: (resource, bucket) => {
        const rule = fieldsOf(resource).items("rules")[0]?.in("applyServerSideEncryptionByDefault");
        store.configure(bucket, {
          encryption: { algorithm: rule?.text("sseAlgorithm") ?? "AES256", keyId: rule?.text("kmsMasterKeyId") },
        });
      },
      remove: (bucket) => reset(bucket, { encryption: undefined }),
    }),
    setting("aws:s3/bucketPolicy:BucketPolicy", ["policy"], {
      apply: ({ inputs }, bucket) => iam.setResourcePolicy(bucketArn(bucket), inputs.policy),
      remove: (bucket) => iam.setResourcePolicy(bucketArn(bucket), undefined),
    }),
    setting("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", ["rules"], {
      apply: (resource, bucket) =>
        store.configure(bucket, {
          expirations: fieldsOf(resource)
            .list("rules")
            .flatMap((rule) => expiration(resource, recordOf(rule))),
        }),
      remove: (bucket) => reset(bucket, { expirations: undefined }),
    }),
    setting("aws:s3/bucketNotification:BucketNotification", ["queues"], {
      apply: (resource, bucket) => service.notifications.configure(bucket, notificationTargets(fieldsOf(resource))),
      remove: (bucket) => reset(bucket, { notifications: undefined }),
    }),
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

/** Writes the object unless it is there with these bytes and headers: a start over kept data makes no new version. */
async function putObject(service: S3Service, resource: GraphResource): Promise<void> {
  const { source } = resource.inputs;
  const fields = fieldsOf(resource);
  const [bucket, key] = [fields.need("bucket"), fields.need("key")];
  if (!isResolvedAsset(source)) throw new Error(`${resource.type} (${resource.name}): 'source' must be a file or text asset.`);
  const metadata = Object.entries(fields.record("metadata"));
  const contentType = fields.text("contentType");
  const headers = {
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    ...Object.fromEntries(metadata.map(([name, value]) => [`x-amz-meta-${name}`, String(value)])),
  };
  const stored = service.store.find(bucket, key);
  const described = (all: Readonly<Record<string, string>>) =>
    JSON.stringify(
      Object.entries({ "content-type": "binary/octet-stream", ...all })
        .filter(([name]) => OWN_HEADER.test(name))
        .sort(),
    );
  const sameHeaders = stored !== undefined && described(stored.headers) === described(headers);
  if (sameHeaders && (await service.get(bucket, key))?.equals(source.content)) return;
  await service.put(bucket, key, source.content, { headers });
}

/** Headers of an object that its resource gives. */
const OWN_HEADER = /^(content-type$|x-amz-meta-)/;

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
  const { days } = recordOf(rule.expiration);
  if (rule.status !== "Enabled" || typeof days !== "number") return [];
  const filter = recordOf(rule.filter);
  return [{ prefix: String(filter.prefix ?? recordOf(filter.and).prefix ?? rule.prefix ?? ""), days }];
}

function notificationTargets(fields: Fields): NotificationTarget[] {
  return fields.items("queues").map((queue, index) => ({
    id: queue.text("id") ?? `queues-${index}`,
    arn: queue.need("queueArn"),
    events: queue.texts("events") ?? [],
    prefix: queue.text("filterPrefix") ?? "",
    suffix: queue.text("filterSuffix") ?? "",
  }));
}
