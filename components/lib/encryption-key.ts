import { Alias, Key } from "@pulumi/aws/kms";
import * as pulumi from "@pulumi/pulumi";
import { type Account, currentAccount } from "./account";
import { policyDocument, type Statement } from "./iam";

export interface EncryptionKeyArgs {
  /** What the key protects, shown in the console. */
  readonly description: string;
  /** Days between the deletion of the stack and the loss of the key: 7 to 30. Default 30. */
  readonly deletionWindowDays?: number;
}

/**
 * A customer-managed key that rotates every year. The account's IAM policies decide who may use it; the AWS services
 * that deliver messages (events, alarms, bucket notifications, logs) are let in for this account alone.
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
        policy: policyDocument(keyPolicy(account)),
      },
      { parent: this },
    );
    const alias = new Alias(`${name}-alias`, { targetKeyId: key.keyId }, { parent: this });
    this.arn = key.arn;
    this.nodes = { key, alias };
    this.registerOutputs({ arn: this.arn });
  }

  /** For a role that writes and reads what the key protects. */
  useStatement(): Statement {
    return { sid: "UseKey", actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [this.arn] };
  }

  /** For a role that only reads. */
  decryptStatement(): Statement {
    return { sid: "ReadKey", actions: ["kms:Decrypt"], resources: [this.arn] };
  }
}

/** `*` as the resource of a key policy is the key itself. */
function keyPolicy({ accountId, region, partition }: Account): Statement[] {
  return [
    {
      sid: "AccountAdministers",
      principals: { aws: [pulumi.interpolate`arn:${partition}:iam::${accountId}:root`] },
      actions: ["kms:*"],
      resources: ["*"],
    },
    {
      sid: "LogGroups",
      principals: { service: ["logs.amazonaws.com"] },
      actions: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      resources: ["*"],
      conditions: {
        ArnLike: { "kms:EncryptionContext:aws:logs:arn": pulumi.interpolate`arn:${partition}:logs:${region}:${accountId}:*` },
      },
    },
    {
      // Logs of a state machine whose data is under this key.
      sid: "LogDelivery",
      principals: { service: ["delivery.logs.amazonaws.com"] },
      actions: ["kms:Decrypt"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:SourceAccount": accountId } },
    },
    {
      sid: "MessageDelivery",
      principals: { service: ["cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com"] },
      actions: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:SourceAccount": accountId } },
    },
  ];
}
