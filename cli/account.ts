/** How a command reaches an account, and the role that it works with there. */
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";

/** Where the account is: endpoint and credentials; empty for AWS, with credentials from the environment. */
export interface Account {
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Credentials of the role for an hour. */
export async function assumeRole(roleArn: string, sessionName: string, connection: Account & { readonly region: string }) {
  const sts = new STSClient(connection);
  try {
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName }));
    return {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
  } finally {
    sts.destroy();
  }
}
