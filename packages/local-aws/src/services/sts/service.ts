/** Security Token Service: sessions of roles. */
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type LocalContext } from "../../contracts";
import type { CredentialStore } from "../../endpoint/credentials";
import { formOf, xmlEscape } from "../../endpoint/protocols";
import type { Iam } from "../../permissions";

interface StsPorts {
  readonly iam: Pick<Iam, "mayAssume">;
  readonly credentials: Pick<CredentialStore, "issue">;
}

/** The default of AssumeRole. */
const SESSION_MS = 3600_000;
const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";
const FIELDS = ["Action", "Version", "RoleArn", "RoleSessionName"];

export function stsService(
  { accountId, clock }: Pick<LocalContext, "accountId" | "clock">,
  { iam, credentials }: StsPorts,
): AwsService {
  return {
    name: "sts",
    // The trust policy decides as well, so both are checked together.
    permissions: () => [],
    handle: async (request) => {
      const { roleArn, name } = assumeRoleInput(request);
      if (!iam.mayAssume(request.principal, roleArn)) throw notAuthorized(request.principal.arn, roleArn);
      const session = credentials.issue(roleArn, name);
      const role = `<AssumedRoleId>AROALOCAL:${name}</AssumedRoleId><Arn>arn:aws:sts::${accountId}:assumed-role/${roleArn.split("/").at(-1)}/${name}</Arn>`;
      const keys = {
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey,
        SessionToken: session.sessionToken,
        Expiration: new Date(clock.now() + SESSION_MS).toISOString(),
      };
      const members = Object.entries(keys).map(([member, value]) => `<${member}>${xmlEscape(value)}</${member}>`);
      return result("AssumeRole", `<Credentials>${members.join("")}</Credentials><AssumedRoleUser>${role}</AssumedRoleUser>`);
    },
  };
}

function assumeRoleInput(request: AwsRequest): { readonly roleArn: string; readonly name: string } {
  if (request.action !== "AssumeRole")
    throw new AwsError("InvalidAction", `The local runtime does not support sts:${request.action}. Supported: AssumeRole.`);
  const form = formOf(request);
  const unknown = [...form.keys()].find((field) => !FIELDS.includes(field));
  if (unknown !== undefined)
    throw new AwsError("ValidationError", `AssumeRole: ${unknown} is not supported by the local runtime.`);
  const roleArn = form.get("RoleArn") ?? "";
  const name = form.get("RoleSessionName") ?? "";
  if (roleArn === "") throw new AwsError("ValidationError", "AssumeRole: RoleArn is required");
  if (!/^[\w+=,.@-]{2,64}$/.test(name)) {
    const rule = "RoleSessionName must have 2 to 64 characters of a-z, A-Z, 0-9 and _+=,.@-";
    throw new AwsError("ValidationError", `AssumeRole: ${rule}`);
  }
  return { roleArn, name };
}

function result(action: string, xml: string): AwsResponse {
  const body = `<${action}Response xmlns="${NAMESPACE}"><${action}Result>${xml}</${action}Result></${action}Response>`;
  return { status: 200, headers: { "content-type": "text/xml" }, body };
}

/** AWS doesn't tell whether the role exists. */
const notAuthorized = (caller: string, roleArn: string): AwsError =>
  new AwsError("AccessDenied", `User: ${caller} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`, 403);
