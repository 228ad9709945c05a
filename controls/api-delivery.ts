/** What a REST API calls and writes to: the functions behind its methods, and its log. */
import { unknownPair } from "@risk/local-aws/permissions";
import { at, type Control, isText, type ResourceGraph, refersTo, violation } from "./control";
import { refused } from "./delivery";

const SERVICE = "apigateway.amazonaws.com";
const API = "aws:apigateway/restApi:RestApi";
const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/** The function in a URI (`arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations`); for other URIs the URI itself. */
const calledBy = (uri: unknown): unknown =>
  isText(uri) ? (/:lambda:path\/[^/]+\/functions\/(.+)\/invocations$/.exec(uri)?.[1] ?? uri) : uri;

/** A call of a function from each ARN that API Gateway names as the source. */
function called(
  inputs: Readonly<Record<string, unknown>>,
  paths: { readonly uri: string; readonly role: string },
  sourcesOf: (executionArn: string) => readonly string[],
  graph: ResourceGraph,
): string[] {
  const role = inputs[paths.role];
  if (isText(role)) return [`${paths.role}: ${unknownPair(SERVICE, "a function as a role")}`];
  const api = graph.ofType(API).find((candidate) => refersTo(inputs.restApi, candidate));
  if (api === undefined) return [violation("restApi", inputs.restApi, "name an API of the stack.")];
  const targetArn = calledBy(inputs[paths.uri]);
  // One refused caller is enough to report.
  return sourcesOf(String(api.state.executionArn))
    .flatMap((sourceArn) => refused({ service: SERVICE, sourceArn, targetArn, path: paths.uri }, graph))
    .slice(0, 1);
}

/** The path of a resource of the API; its parameters match any text. */
function pathOf(resourceId: unknown, graph: ResourceGraph): string {
  const resource = graph.ofType("aws:apigateway/resource:Resource").find((candidate) => refersTo(resourceId, candidate));
  return isText(resource?.state.path) ? resource.state.path.replace(/\{[^}]*\}/g, "any") : "/";
}

export const checkIntegration: Control["check"] = ({ inputs }, graph) => {
  if (inputs.type !== "AWS_PROXY" && inputs.type !== "AWS") return [];
  const stages = graph
    .ofType("aws:apigateway/stage:Stage")
    .filter((stage) => stage.inputs.restApi === inputs.restApi)
    .map((stage) => String(stage.inputs.stageName));
  const methods = inputs.httpMethod === "ANY" ? METHODS : [String(inputs.httpMethod)];
  const path = pathOf(inputs.resourceId, graph);
  const sources = (arn: string) =>
    (stages.length > 0 ? stages : ["any"]).flatMap((stage) => methods.map((method) => `${arn}/${stage}/${method}${path}`));
  return called(inputs, { uri: "uri", role: "credentials" }, sources, graph);
};

export const checkAuthorizer: Control["check"] = ({ inputs, id }, graph) => {
  if (!isText(inputs.authorizerUri)) return [];
  const paths = { uri: "authorizerUri", role: "authorizerCredentials" };
  return called(inputs, paths, (arn) => [`${arn}/authorizers/${id}`], graph);
};

/** The role is one setting per account and region, and may belong to another stack: then it can't be checked here. */
export const checkStage: Control["check"] = ({ inputs, state }, graph) => {
  const [account] = graph.ofType("aws:apigateway/account:Account");
  if (account === undefined) return [];
  const path = "accessLogSettings.destinationArn";
  const roleArn = account.inputs.cloudwatchRoleArn;
  return refused({ service: SERVICE, sourceArn: String(state.arn), targetArn: at(inputs, path), path, roleArn }, graph);
};
