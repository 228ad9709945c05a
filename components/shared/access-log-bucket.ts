import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "./account";
import { PrivateBucket } from "./bucket";

/**
 * The bucket that receives the server access logs of all the others (S3.9). It has no access logs itself: logging into itself would
 * write a log line for every log line.
 */
export function accessLogBucket(
  name: string,
  args: { readonly retentionDays: number; readonly deletionProtection: boolean },
  opts: pulumi.ComponentResourceOptions = {},
): PrivateBucket {
  const { accountId } = currentAccount(opts.parent);
  return new PrivateBucket(
    name,
    {
      encryption: "s3-managed",
      deletionProtection: args.deletionProtection,
      lifecycleRules: [
        { id: "expire-logs", status: "Enabled", filter: { prefix: "" }, expiration: { days: args.retentionDays } },
      ],
      policyStatements: (arn) => [
        {
          sid: "AccessLogDelivery",
          principals: { service: ["logging.s3.amazonaws.com"] },
          actions: ["s3:PutObject"],
          resources: [pulumi.interpolate`${arn}/*`],
          conditions: { StringEquals: { "aws:SourceAccount": accountId } },
        },
      ],
    },
    opts,
  );
}
