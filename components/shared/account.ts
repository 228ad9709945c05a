import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity";
import { getPartitionOutput } from "@pulumi/aws/getPartition";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import type * as pulumi from "@pulumi/pulumi";

/** Where the stack is deployed; asked from the provider, so that ARNs never contain a guessed account or partition. */
export interface Account {
  readonly accountId: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
  /** `aws`, `aws-us-gov` or `aws-cn`: the second part of every ARN. */
  readonly partition: pulumi.Output<string>;
}

export function currentAccount(parent?: pulumi.Resource): Account {
  const opts = parent === undefined ? {} : { parent };
  return {
    accountId: getCallerIdentityOutput({}, opts).accountId,
    region: getRegionOutput({}, opts).region,
    partition: getPartitionOutput({}, opts).partition,
  };
}
