import { stableUuid } from "../resource-parts";

type Kind = "workgroup" | "namespace" | "usagelimit";

/** Redshift names workgroups and namespaces by a UUID in their ARNs: the same one for the same name. */
export function serverlessArn(kind: Kind, name: string, region: string, accountId: string): string {
  return `arn:aws:redshift-serverless:${region}:${accountId}:${kind}/${serverlessId(kind, name)}`;
}

export const serverlessId = (kind: Kind, name: string): string => stableUuid(`${kind}:${name}`);
