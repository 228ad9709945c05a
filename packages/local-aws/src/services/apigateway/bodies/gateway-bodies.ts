/** Local bodies of the aws:apigateway resource types. */
import type { ResourceBody } from "../../../contracts";
import type { ApiGateway } from "../server";
import { definitionBodies } from "./definition";
import { stageBodies } from "./stage";
import { usageBodies } from "./usage";

export function apiGatewayBodies(gateway: ApiGateway): ResourceBody[] {
  /** Ids in the order of evaluation: the first API is served without its id in the path. */
  const order: string[] = [];
  const urlOf = (apiId: string, stage: string) =>
    `http://127.0.0.1:${gateway.port}${order.indexOf(apiId) > 0 ? `/${apiId}` : ""}/${stage}`;
  return [...definitionBodies(gateway, order), ...stageBodies(gateway, urlOf), ...usageBodies(gateway), accountBody];
}

const accountBody: ResourceBody = {
  type: "aws:apigateway/account:Account",
  honoured: [],
  cloudOnly: { cloudwatchRoleArn: "logs are written by the runtime itself" },
  replaceOn: [],
  outputs: () => ({ id: "api-gateway-account", state: {} }),
};
