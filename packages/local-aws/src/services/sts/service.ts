/** Security Token Service: who am I, and sessions of roles. */
import { AwsError, type AwsService, type LocalContext } from "../../contracts";
import type { CredentialStore } from "../../gateway/credentials";
import type { Iam } from "../../gateway/permissions";
import { serviceOf } from "../messaging/operations";

interface StsPorts {
  readonly iam: Pick<Iam, "mayAssume">;
  readonly credentials: Pick<CredentialStore, "issue">;
}

/** The default of AssumeRole. */
const SESSION_MS = 3600_000;

export function stsService(
  { accountId, clock }: Pick<LocalContext, "accountId" | "clock">,
  { iam, credentials }: StsPorts,
): AwsService {
  return serviceOf({
    name: "sts",
    iamPrefix: "sts",
    validationCode: "ValidationError",
    jsonVersion: "1.1",
    queryNamespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    operations: {
      GetCallerIdentity: {
        fields: [],
        // AWS lets every signed caller ask who it is.
        resource: () => [],
        run: (_, { principal }) => ({
          Arn: principal.arn,
          UserId: principal.kind === "owner" ? accountId : `AROALOCAL:${principal.arn.split("/").at(-1)}`,
          Account: accountId,
        }),
      },
      AssumeRole: {
        fields: ["RoleArn", "RoleSessionName"],
        // The trust policy decides as well, so both are checked together.
        resource: () => [],
        run: (input, { principal }) => {
          const roleArn = input.needText("RoleArn");
          const name = input.needText("RoleSessionName");
          if (!/^[\w+=,.@-]{2,64}$/.test(name))
            throw input.error("RoleSessionName must have 2 to 64 characters of a-z, A-Z, 0-9 and _+=,.@-");
          if (!iam.mayAssume(principal, roleArn)) throw notAuthorized(principal.arn, roleArn);
          const session = credentials.issue(roleArn, name);
          return {
            Credentials: {
              AccessKeyId: session.accessKeyId,
              SecretAccessKey: session.secretAccessKey,
              SessionToken: session.sessionToken,
              Expiration: new Date(clock.now() + SESSION_MS),
            },
            AssumedRoleUser: {
              Arn: `arn:aws:sts::${accountId}:assumed-role/${roleArn.split("/").at(-1)}/${name}`,
              AssumedRoleId: `AROALOCAL:${name}`,
            },
          };
        },
      },
    },
  });
}

/** AWS doesn't tell whether the role exists. */
const notAuthorized = (caller: string, roleArn: string): AwsError =>
  new AwsError("AccessDenied", `User: ${caller} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`, 403);
