import { EventBus, EventBusPolicy } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "./account";
import type { EncryptionKey } from "./encryption-key";
import { policyDocument } from "./iam";

/** An encrypted event bus, onto which the roles of this account may put events that their IAM policies let. */
export function accountBus(
  name: string,
  { description, key }: { readonly description: string; readonly key: EncryptionKey },
  parent: pulumi.Resource,
): EventBus {
  const { accountId, partition } = currentAccount(parent);
  const bus = new EventBus(`${name}-bus`, { description, kmsKeyIdentifier: key.arn }, { parent });
  new EventBusPolicy(
    `${name}-policy`,
    {
      eventBusName: bus.name,
      policy: policyDocument([
        {
          sid: "ThisAccountPublishes",
          principals: { aws: [pulumi.interpolate`arn:${partition}:iam::${accountId}:root`] },
          actions: ["events:PutEvents"],
          resources: [bus.arn],
        },
      ]),
    },
    { parent },
  );
  return bus;
}
