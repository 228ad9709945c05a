/** Security Token Service: who am I. */
import { randomUUID } from "node:crypto";
import type { AwsRequest, AwsResponse, AwsService, LocalContext } from "../../contracts";
import { unsupportedAction } from "../../gateway/endpoint";
import { queryResponse } from "../../gateway/protocols";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

export class StsService implements AwsService {
  readonly name = "sts";

  constructor(private readonly context: Pick<LocalContext, "accountId">) {}

  /** AWS lets every signed caller ask who it is. */
  permissions(): readonly [] {
    return [];
  }

  handle(request: AwsRequest): AwsResponse {
    if (request.action !== "GetCallerIdentity") throw unsupportedAction("sts", request.action, ["GetCallerIdentity"]);
    const { principal } = request;
    const userId = principal.kind === "owner" ? this.context.accountId : `AROALOCAL:${principal.arn.split("/").at(-1)}`;
    const result = `<Arn>${principal.arn}</Arn><UserId>${userId}</UserId><Account>${this.context.accountId}</Account>`;
    return queryResponse(request.action, NAMESPACE, result, randomUUID());
  }
}
