/** One service of the signing name `sagemaker`: JSON requests with a target are the control plane's, REST is the runtime's. */
import type { AwsService } from "../../contracts";

export function sageMakerEndpoint(control: AwsService, runtime: AwsService & Required<Pick<AwsService, "actionOf">>): AwsService {
  const ownerOf = (headers: Readonly<Record<string, string>>) => (headers["x-amz-target"] === undefined ? runtime : control);
  return {
    name: runtime.name,
    actionOf: (request) => runtime.actionOf(request),
    permissions: (request) => ownerOf(request.headers).permissions(request),
    handle: (request) => ownerOf(request.headers).handle(request),
  };
}
