import {
  Bucket,
  type BucketArgs,
  BucketLifecycleConfiguration,
  BucketLogging,
  BucketOwnershipControls,
  BucketPolicy,
  BucketPublicAccessBlock,
  BucketServerSideEncryptionConfiguration,
  BucketVersioning,
} from "@pulumi/aws/s3";
import type { input } from "@pulumi/aws/types";
import * as pulumi from "@pulumi/pulumi";
import type { EncryptionKey } from "./encryption-key";
import { policyDocument, type Statement, tlsOnly } from "./iam";
import { type Transform, withTransform } from "./transform";

export type LifecycleRule = input.s3.BucketLifecycleConfigurationRule;

export interface PrivateBucketArgs {
  /** Physical name. Default: chosen by Pulumi. Fix it only where an outside party needs it. */
  readonly bucketName?: pulumi.Input<string>;
  /**
   * Who encrypts: a customer-managed key, or S3's own keys. The latter only for the bucket of server access logs, which
   * S3 can't write under a customer-managed key.
   */
  readonly encryption: EncryptionKey | "s3-managed";
  /**
   * `false` makes S3 ask for a data key per object: a writer then needs no right to decrypt. Default true: one data key per bucket and
   * hour.
   */
  readonly bucketKey?: boolean;
  /** Expiry and cheaper storage classes, in addition to the rules of every bucket (old versions 30 days, unfinished uploads 7 days). */
  readonly lifecycleRules?: readonly LifecycleRule[];
  /** Where server access logs go. Default: none, for the log bucket itself. */
  readonly accessLogBucket?: PrivateBucket;
  /** Further statements of the bucket policy; called with the bucket's ARN. */
  readonly policyStatements?: (bucketArn: pulumi.Output<string>) => readonly Statement[];
  /** `true` keeps `pulumi destroy` from deleting a bucket with objects in it. */
  readonly deletionProtection: boolean;
  readonly transform?: Transform<BucketArgs>;
}

const HOUSEKEEPING: readonly LifecycleRule[] = [
  {
    id: "old-versions",
    status: "Enabled",
    filter: { prefix: "" },
    noncurrentVersionExpiration: { noncurrentDays: 30 },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
  },
];

/** A bucket that can't be reached from outside: blocked public access, TLS only, no ACLs, versioning, encryption, access logs. */
export class PrivateBucket extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly bucketName: pulumi.Output<string>;
  readonly nodes: { readonly bucket: Bucket; readonly policy: BucketPolicy; readonly versioning: BucketVersioning };
  private readonly key: EncryptionKey | undefined;

  constructor(name: string, args: PrivateBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:Bucket", name, {}, opts);
    const child = { parent: this };
    this.key = args.encryption === "s3-managed" ? undefined : args.encryption;
    const bucket = new Bucket(
      `${name}-bucket`,
      withTransform<BucketArgs, BucketArgs>(
        { ...(args.bucketName === undefined ? {} : { bucket: args.bucketName }), forceDestroy: !args.deletionProtection },
        args.transform,
        args.deletionProtection ? { forceDestroy: false } : {},
      ),
      { ...child, protect: args.deletionProtection },
    );
    const versioning = new BucketVersioning(
      `${name}-versioning`,
      { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } },
      child,
    );
    new BucketOwnershipControls(
      `${name}-ownership`,
      { bucket: bucket.bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      child,
    );
    const accessBlock = new BucketPublicAccessBlock(
      `${name}-private`,
      {
        bucket: bucket.bucket,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      child,
    );
    new BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      { bucket: bucket.bucket, rules: [encryptionRule(this.key, args.bucketKey ?? true)] },
      child,
    );
    new BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { bucket: bucket.bucket, rules: [...HOUSEKEEPING, ...(args.lifecycleRules ?? [])] },
      // S3 refuses rules about old versions for a bucket without versioning.
      { ...child, dependsOn: [versioning] },
    );
    if (args.accessLogBucket) {
      new BucketLogging(
        `${name}-access-logs`,
        { bucket: bucket.bucket, targetBucket: args.accessLogBucket.bucketName, targetPrefix: `${name}/` },
        { ...child, dependsOn: [args.accessLogBucket.nodes.policy] },
      );
    }
    const policy = new BucketPolicy(
      `${name}-policy`,
      {
        bucket: bucket.bucket,
        policy: policyDocument([
          tlsOnly(["s3:*"], [bucket.arn, pulumi.interpolate`${bucket.arn}/*`]),
          ...(args.policyStatements?.(bucket.arn) ?? []),
        ]),
      },
      // Two simultaneous changes of a bucket's policy settings make S3 answer OperationAborted.
      { ...child, dependsOn: [accessBlock] },
    );
    this.arn = bucket.arn;
    this.bucketName = bucket.bucket;
    this.nodes = { bucket, policy, versioning };
    this.registerOutputs({ arn: this.arn, bucketName: this.bucketName });
  }

  /** May create objects with these prefixes (`archive/`). */
  writeStatements(prefixes: readonly string[]): Statement[] {
    return [
      { sid: "WriteObjects", actions: ["s3:PutObject"], resources: this.objects(prefixes) },
      ...(this.key ? [this.key.useStatement()] : []),
    ];
  }

  /** May read objects with these prefixes and ask whether one exists (without ListBucket S3 answers 403 for a missing one). */
  readStatements(prefixes: readonly string[]): Statement[] {
    return [
      { sid: "ReadObjects", actions: ["s3:GetObject"], resources: this.objects(prefixes) },
      { sid: "ListObjects", actions: ["s3:ListBucket"], resources: [this.arn] },
      ...(this.key ? [this.key.decryptStatement()] : []),
    ];
  }

  private objects(prefixes: readonly string[]): pulumi.Output<string>[] {
    return prefixes.map((prefix) => pulumi.interpolate`${this.arn}/${prefix}*`);
  }
}

function encryptionRule(
  key: EncryptionKey | undefined,
  bucketKeyEnabled: boolean,
): input.s3.BucketServerSideEncryptionConfigurationRule {
  if (key === undefined) return { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } };
  return {
    applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.arn },
    bucketKeyEnabled,
  };
}
