/** A Lambda's credentials are always in its environment, so the SDK's chain of profile files, SSO, web identity and instance metadata isn't needed. */
export interface EnvironmentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Credentials of the running function. Throws an error that names the missing variables. */
export function environmentCredentials(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): EnvironmentCredentials {
  const accessKeyId = environment.AWS_ACCESS_KEY_ID;
  const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error(
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are missing: inside a Lambda they come from its role, elsewhere export them first.",
    );
  }
  const sessionToken = environment.AWS_SESSION_TOKEN;
  return sessionToken === undefined || sessionToken === ""
    ? { accessKeyId, secretAccessKey }
    : { accessKeyId, secretAccessKey, sessionToken };
}
