/** Calls to other services under a role, authorised and carried out exactly as requests that come over the wire. */
import { AwsError, type AwsRequest, type AwsResponse, type LocalContext, type Principal } from "../../../contracts";
import { roleNameOf } from "../../../endpoint/credentials";
import type { InvokeResponse, Structure } from "./integration";

/** Checks the caller's permissions and carries out a request. @throws AwsError */
export type Perform = (request: AwsRequest) => Promise<AwsResponse>;

/** A role as a service uses it: `sessionName` tells its sessions apart in denials. */
export function rolePrincipal(roleArn: string, sessionName: string, accountId: string): Principal {
  const roleName = roleNameOf(roleArn);
  return { kind: "role", arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`, roleName };
}

export class RoleCalls {
  constructor(
    private readonly context: Pick<LocalContext, "region" | "endpointUrl">,
    private readonly perform: Perform,
    private readonly principal: Principal,
  ) {}

  /** One action of a service that speaks JSON. @throws AwsError */
  async call(service: string, action: string, input: object): Promise<Structure> {
    const response = await this.send(service, action, {
      path: "/",
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `${service}.${action}` },
      body: JSON.stringify(input),
    });
    const text = String(response.body ?? "");
    const parsed: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) return parsed as Structure;
    throw new AwsError("InternalFailure", `${service}:${action} did not answer a JSON object.`, 500);
  }

  /** @throws AwsError; an error of the function itself is part of the answer. */
  async invoke(functionName: string, payload: unknown): Promise<InvokeResponse> {
    const response = await this.send("lambda", "Invoke", {
      path: `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`,
      headers: { "content-type": "application/json", "x-amz-invocation-type": "RequestResponse" },
      body: JSON.stringify(payload ?? {}),
    });
    const text = String(response.body ?? "");
    return {
      status: response.status,
      payload: text === "" ? {} : (JSON.parse(text) as unknown),
      text,
      functionError: response.headers?.["x-amz-function-error"],
      executedVersion: response.headers?.["x-amz-executed-version"],
    };
  }

  private send(
    service: string,
    action: string,
    request: { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: string },
  ): Promise<AwsResponse> {
    return this.perform({
      service,
      region: this.context.region,
      action,
      method: "POST",
      url: new URL(request.path, this.context.endpointUrl),
      headers: request.headers,
      body: Buffer.from(request.body),
      principal: this.principal,
    });
  }
}
