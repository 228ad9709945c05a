import { Alias, Key } from "@pulumi/aws/kms";
import * as pulumi from "@pulumi/pulumi";
import { type Account, currentAccount } from "./account";
import { policyDocument, type Statement } from "./iam";

export interface EncryptionKeyArgs {
  /** What the key protects, shown in the console. */
  readonly description: string;
  /** Days between the deletion of the stack and that of the key: 7 to 30. Default 30. */
  readonly deletionWindowDays?: number;
  /** Protects the key from `pulumi destroy`: without the key, nothing that it encrypts can be read again. */
  readonly deletionProtection: boolean;
  /**
   * ARNs of the only roles that may decrypt: then no IAM policy can let anybody else, not even an administrator, who would have to change
   * the key's policy first. IAM policies still decide who may encrypt. Default: IAM policies decide about both.
   */
  readonly onlyReaders?: readonly [pulumi.Input<string>, ...pulumi.Input<string>[]];
}

/**
 * A customer-managed key that rotates every year. The account's IAM policies decide who may use it; the AWS services that deliver
 * messages (events, alarms, bucket notifications, logs) may use it only for resources of this account.
 */
export class EncryptionKey extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly nodes: { readonly key: Key; readonly alias: Alias };

  constructor(name: string, args: EncryptionKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:EncryptionKey", name, {}, opts);
    const account = currentAccount(this);
    const key = new Key(
      `${name}-key`,
      {
        description: args.description,
        deletionWindowInDays: args.deletionWindowDays ?? 30,
        enableKeyRotation: true,
        policy: policyDocument(args.onlyReaders ? sealedKeyPolicy(account, args.onlyReaders) : keyPolicy(account)),
      },
      { parent: this, protect: args.deletionProtection },
    );
    const alias = new Alias(`${name}-alias`, { targetKeyId: key.keyId }, { parent: this });
    this.arn = key.arn;
    this.nodes = { key, alias };
    this.registerOutputs({ arn: this.arn });
  }

  /** For a role that writes and reads encrypted data. */
  useStatement(): Statement {
    return { sid: "UseKey", actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [this.arn] };
  }

  /** For a role that only writes, to buckets without a bucket key: those decrypt theirs. */
  encryptStatement(): Statement {
    return { sid: "WriteKey", actions: ["kms:GenerateDataKey"], resources: [this.arn] };
  }

  /** For a role that only reads. */
  decryptStatement(): Statement {
    return { sid: "ReadKey", actions: ["kms:Decrypt"], resources: [this.arn] };
  }
}

/**
 * `*` as the resource of a key policy means the key itself. Most statements for services have a condition on the encryption context,
 * which the service that owns the data writes into every call. That ties the key to this account's resources whatever service delivers
 * the message; EventBridge sends KMS neither aws:SourceAccount nor aws:SourceArn for a topic. The sources are in
 * packages/local-aws/src/permissions/service-pairs.ts.
 */
function keyPolicy({ accountId, region, partition }: Account): Statement[] {
  const owned = (service: string, resource: string) =>
    pulumi.interpolate`arn:${partition}:${service}:${region}:${accountId}:${resource}`;
  const within = (contextKey: string, arn: pulumi.Input<string>): NonNullable<Statement["conditions"]> => ({
    ArnLike: { [`kms:EncryptionContext:${contextKey}`]: arn },
  });
  return [
    {
      sid: "AccountAdministers",
      principals: { aws: [pulumi.interpolate`arn:${partition}:iam::${accountId}:root`] },
      actions: ["kms:*"],
      resources: ["*"],
    },
    {
      sid: "LogGroups",
      principals: { service: [pulumi.interpolate`logs.${region}.amazonaws.com`] },
      actions: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      resources: ["*"],
      conditions: within("aws:logs:arn", owned("logs", "*")),
    },
    {
      // Logs of a state machine whose data is encrypted with this key; its role encrypts them with the same context.
      sid: "LogDelivery",
      principals: { service: ["delivery.logs.amazonaws.com"] },
      actions: ["kms:Decrypt"],
      resources: ["*"],
      conditions: { StringLike: { "kms:EncryptionContext:SourceArn": owned("logs", "*") } },
    },
    {
      sid: "Topics",
      principals: { service: ["cloudwatch.amazonaws.com", "events.amazonaws.com"] },
      actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
      resources: ["*"],
      conditions: within("aws:sns:topicArn", owned("sns", "*")),
    },
    {
      sid: "Queues",
      principals: { service: ["events.amazonaws.com", "s3.amazonaws.com"] },
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:SourceAccount": accountId } },
    },
    {
      sid: "EventBuses",
      principals: { service: ["events.amazonaws.com"] },
      actions: ["kms:Decrypt", "kms:GenerateDataKey"],
      resources: ["*"],
      conditions: within("aws:events:event-bus:arn", owned("events", "event-bus/*")),
    },
    {
      // KMS gets no encryption context for this action; it only reveals that the key exists and is symmetric.
      sid: "EventBusesCheckKey",
      principals: { service: ["events.amazonaws.com"] },
      actions: ["kms:DescribeKey"],
      resources: ["*"],
    },
  ];
}

/**
 * Neither kms:Decrypt nor what leads to it (grants, re-encryption) is left to IAM. `kms:PutKeyPolicy` has to be, or nobody could change the
 * policy any more; CloudTrail records it.
 */
function sealedKeyPolicy({ accountId, partition }: Account, readers: readonly pulumi.Input<string>[]): Statement[] {
  return [
    {
      sid: "AccountAdministers",
      principals: { aws: [pulumi.interpolate`arn:${partition}:iam::${accountId}:root`] },
      actions: [
        "kms:Describe*",
        "kms:Get*",
        "kms:List*",
        "kms:Enable*",
        "kms:Disable*",
        "kms:PutKeyPolicy",
        "kms:UpdateKeyDescription",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:CreateAlias",
        "kms:UpdateAlias",
        "kms:DeleteAlias",
        "kms:ScheduleKeyDeletion",
        "kms:CancelKeyDeletion",
      ],
      resources: ["*"],
    },
    {
      sid: "AccountWrites",
      principals: { aws: [pulumi.interpolate`arn:${partition}:iam::${accountId}:root`] },
      actions: ["kms:GenerateDataKey"],
      resources: ["*"],
    },
    { sid: "OnlyReaders", principals: { aws: readers }, actions: ["kms:Decrypt"], resources: ["*"] },
  ];
}
