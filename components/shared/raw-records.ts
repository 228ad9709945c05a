/**
 * Records as they arrived, byte for byte, which nobody could score: quarantined ones, and batches that Lambda gave up. They are raw personal
 * data, so they have a bucket and a key of their own, expire, and one role reads them: the one that `npm run redrive` assumes.
 */
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { PrivateBucket } from "./bucket";
import type { PlatformContext } from "./context";
import { EncryptionKey } from "./encryption-key";
import { commandRole, grant, type Statement } from "./iam";

/** Where functions quarantine. */
const QUARANTINE = "quarantine/";
/** Where Lambda itself puts failed batches. */
const FAILED_BATCHES = "aws/lambda/";
/** What has been redriven, so that nothing is redriven forever. */
const REDRIVEN = "redriven/";

export interface RawRecordsArgs {
  readonly context: PlatformContext;
  /** Days that raw records are kept, and with them the chance to redrive them. Default 30. */
  readonly retentionDays?: number;
}

export const RAW_RETENTION_DAYS = 30;

export class RawRecords extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly bucketArn: pulumi.Output<string>;
  /** The only role that reads raw records. Who may assume it is decided by IAM policies of the account. */
  readonly redriveRole: Role;
  /** Days that raw records are kept. */
  readonly retentionDays: number;
  readonly nodes: { readonly bucket: PrivateBucket; readonly key: EncryptionKey };

  constructor(
    name: string,
    { context, retentionDays = RAW_RETENTION_DAYS }: RawRecordsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:lib:RawRecords", name, {}, opts);
    const { deletionProtection, accessLogBucket } = context;
    this.redriveRole = commandRole(
      `${name}-redrive-role`,
      "npm run redrive: reads raw records and puts them back where they came from",
      this,
    );
    this.retentionDays = retentionDays;
    const readers = [this.redriveRole.arn] as const;
    const key = new EncryptionKey(
      `${name}-records`,
      { description: "Raw records that could not be scored", deletionProtection, onlyReaders: readers },
      { parent: this },
    );
    const bucket = new PrivateBucket(
      `${name}-records`,
      {
        encryption: key,
        bucketKey: false,
        deletionProtection,
        accessLogBucket,
        lifecycleRules: [
          {
            id: "expire",
            status: "Enabled",
            filter: { prefix: "" },
            expiration: { days: retentionDays },
            // Expired means gone: other buckets keep old versions for a month.
            noncurrentVersionExpiration: { noncurrentDays: 1 },
          },
        ],
        policyStatements: (bucketArn) => [onlyReadBy(this.redriveRole, bucketArn)],
      },
      { parent: this },
    );
    grant(
      `${name}-redrive-records`,
      this.redriveRole,
      [
        ...bucket.readStatements([QUARANTINE, FAILED_BATCHES, REDRIVEN]),
        { sid: "NoteWhatIsRedriven", actions: ["s3:PutObject"], resources: [pulumi.interpolate`${bucket.arn}/${REDRIVEN}*`] },
        key.encryptStatement(),
      ],
      { parent: this },
    );
    this.bucketName = bucket.bucketName;
    this.bucketArn = bucket.arn;
    this.nodes = { bucket, key };
    this.registerOutputs({ bucketName: this.bucketName, redriveRoleArn: this.redriveRole.arn });
  }

  /** May quarantine records, and read none. */
  quarantineStatements(): Statement[] {
    return this.writeOnly([QUARANTINE]);
  }

  /** What a function's role needs so that Lambda can keep the batches that the function never finished. */
  failedBatchStatements(): Statement[] {
    return [
      ...this.writeOnly([FAILED_BATCHES]),
      // Lambda asks for it: "Capturing records of Lambda asynchronous invocations", Lambda developer guide.
      { sid: "FindFailedBatches", actions: ["s3:ListBucket"], resources: [this.bucketArn] },
    ];
  }

  private writeOnly(prefixes: readonly string[]): Statement[] {
    const resources = prefixes.map((prefix) => pulumi.interpolate`${this.bucketArn}/${prefix}*`);
    return [{ sid: "WriteRawRecords", actions: ["s3:PutObject"], resources }, this.nodes.key.encryptStatement()];
  }
}

const onlyReadBy = (role: Role, bucketArn: pulumi.Output<string>): Statement => ({
  sid: "OnlyTheRedriveRoleReads",
  effect: "Deny",
  principals: "*",
  actions: ["s3:GetObject", "s3:GetObjectVersion"],
  resources: [pulumi.interpolate`${bucketArn}/*`],
  conditions: { ArnNotEquals: { "aws:PrincipalArn": role.arn } },
});
