import type { GraphResource } from "@risk/program-graph";
import { isObject } from "../functions/scoring/core/json";
import { at, type Control, isText, listAt, type ResourceGraph, violation } from "./control";
import { covers, deniesPlainHttp, foreignAccounts, type IamStatement, isPublic, statementsOf } from "./documents";

const BUCKET = "aws:s3/bucket:Bucket";

/** A bucket's settings are separate resources. */
const setting = (kind: string) => `aws:s3/${kind}:${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;

const settingsOf = (kind: string, bucket: GraphResource, graph: ResourceGraph): readonly GraphResource[] =>
  graph.referring(setting(kind), "bucket", bucket);

function statementsFor(bucket: GraphResource, graph: ResourceGraph): IamStatement[] {
  return settingsOf("bucketPolicy", bucket, graph).flatMap(({ inputs }) => statementsOf(inputs.policy) ?? []);
}

const ACCESS_BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

function checkAccessBlock(bucket: GraphResource, graph: ResourceGraph): string[] {
  const [block] = settingsOf("bucketPublicAccessBlock", bucket, graph);
  if (block === undefined) return [`The bucket has no BucketPublicAccessBlock; add one with ${ACCESS_BLOCKS.join(", ")} true.`];
  return ACCESS_BLOCKS.filter((name) => block.inputs[name] !== true).map((name) =>
    violation(`${name} of ${block.name}`, block.inputs[name], "set it to true."),
  );
}

const READS = /^s3:(get|list)/;

/** Public statements of the bucket policy that allow reading (or writing), and public ACLs that do. */
function publicAccess(kind: "read" | "write"): Control["check"] {
  const concerns = (action: string) => action.includes("*") || READS.test(action) === (kind === "read");
  const acls = kind === "read" ? ["public-read", "public-read-write", "authenticated-read"] : ["public-read-write"];
  return (bucket, graph) => [
    ...statementsFor(bucket, graph)
      .filter((statement) => isPublic(statement) && statement.actions.some(concerns))
      .map(({ sid }) => `Bucket policy, ${sid}: anyone may ${kind}; name a principal, or add a condition on aws:SourceAccount.`),
    ...[bucket, ...settingsOf("bucketAcl", bucket, graph)]
      .filter(({ inputs }) => acls.includes(String(inputs.acl)))
      .map(({ inputs }) => violation("acl", inputs.acl, 'remove it and set objectOwnership to "BucketOwnerEnforced".')),
  ];
}

function checkTls(bucket: GraphResource, graph: ResourceGraph): string[] {
  const arn = String(bucket.state.arn);
  return deniesPlainHttp(statementsFor(bucket, graph), "s3:getobject", [arn, `${arn}/key`])
    ? []
    : ['The bucket policy allows plain HTTP; deny s3:* on the bucket and its objects when aws:SecureTransport is "false".'];
}

function checkForeignAccounts(bucket: GraphResource, graph: ResourceGraph): string[] {
  return statementsFor(bucket, graph).flatMap((statement) =>
    foreignAccounts(statement, graph.accountId).map(
      (account) => `Bucket policy, ${statement.sid}: account ${account} is allowed; remove it, or copy to a bucket of its own.`,
    ),
  );
}

/** Passes when the first setting of a kind has a value that passes. */
function checkSetting(kind: string, path: string, passes: (value: unknown) => boolean, fix: string): Control["check"] {
  return (bucket, graph) => {
    const [found] = settingsOf(kind, bucket, graph);
    const value = at(found?.inputs, path);
    return passes(value) ? [] : [violation(`${path} of the bucket's ${setting(kind).split(":").at(-1)}`, value, fix)];
  };
}

const hasEnabledRule = (value: unknown): boolean =>
  Array.isArray(value) && value.some((rule) => isObject(rule) && rule.status === "Enabled");

const isUnderKey = (value: unknown): boolean =>
  listAt({ value }, "value").some((rule) => {
    const encryption = at(rule, "applyServerSideEncryptionByDefault");
    return covers("aws:kms*", String(at(encryption, "sseAlgorithm"))) && isText(at(encryption, "kmsMasterKeyId"));
  });

export const s3Controls: readonly Control[] = [
  { id: "S3.2", title: "Buckets have no public readers", appliesTo: [BUCKET], check: publicAccess("read") },
  { id: "S3.3", title: "Buckets have no public writers", appliesTo: [BUCKET], check: publicAccess("write") },
  { id: "S3.5", alsoKnownAs: ["S10"], title: "Buckets refuse plain HTTP", appliesTo: [BUCKET], check: checkTls },
  { id: "S3.6", title: "Buckets let no foreign account in", appliesTo: [BUCKET], check: checkForeignAccounts },
  { id: "S3.8", alsoKnownAs: ["S3.1"], title: "Buckets block public access", appliesTo: [BUCKET], check: checkAccessBlock },
  {
    id: "S3.9",
    alsoKnownAs: ["S1"],
    title: "Buckets write server access logs",
    appliesTo: [BUCKET],
    check: checkSetting("bucketLogging", "targetBucket", isText, "name the bucket that takes the access logs."),
  },
  {
    id: "S3.12",
    title: "Buckets have no ACLs",
    appliesTo: [BUCKET],
    check: checkSetting(
      "bucketOwnershipControls",
      "rule.objectOwnership",
      (value) => value === "BucketOwnerEnforced",
      'set it to "BucketOwnerEnforced".',
    ),
  },
  {
    id: "S3.13",
    title: "Buckets have lifecycle rules",
    appliesTo: [BUCKET],
    check: checkSetting("bucketLifecycleConfiguration", "rules", hasEnabledRule, 'add a rule with status "Enabled".'),
  },
  {
    id: "S3.14",
    title: "Buckets keep versions",
    appliesTo: [BUCKET],
    check: checkSetting(
      "bucketVersioning",
      "versioningConfiguration.status",
      (value) => value === "Enabled",
      'set it to "Enabled".',
    ),
  },
  {
    id: "S3.17",
    title: "Buckets are encrypted under a key of the stack",
    appliesTo: [BUCKET],
    check: checkSetting(
      "bucketServerSideEncryptionConfiguration",
      "rules",
      isUnderKey,
      'set sseAlgorithm to "aws:kms" and kmsMasterKeyId to the ARN of a customer-managed key.',
    ),
  },
];
