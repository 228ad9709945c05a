import type { GraphResource } from "@risk/program-graph";
import { all, at, type Control, field, is, isText, type ResourceGraph, refersTo, violation } from "./control";

const STAGE = "aws:apigateway/stage:Stage";
const METHOD = "aws:apigateway/method:Method";

/** Settings that apply to all methods of a stage. */
function settingsOf(stage: GraphResource, graph: ResourceGraph): readonly GraphResource[] {
  return graph
    .ofType("aws:apigateway/methodSettings:MethodSettings")
    .filter(({ inputs }) => inputs.restApi === stage.inputs.restApi && inputs.stageName === stage.inputs.stageName);
}

function checkExecutionLogs(stage: GraphResource, graph: ResourceGraph): string[] {
  const settings = settingsOf(stage, graph).find(({ inputs }) => inputs.methodPath === "*/*");
  const level = at(settings?.inputs, "settings.loggingLevel");
  return is("ERROR", "INFO")(level)
    ? []
    : [violation("loggingLevel of the stage's methods", level, `give it MethodSettings of "*/*" with "ERROR" or "INFO".`)];
}

function checkFirewall(stage: GraphResource, graph: ResourceGraph): string[] {
  return graph.referring("aws:wafv2/webAclAssociation:WebAclAssociation", "resourceArn", stage).length > 0
    ? []
    : ["The stage has no web ACL; associate one (pulumi config set --path risk:api.firewall true)."];
}

function checkCache(stage: GraphResource, graph: ResourceGraph): string[] {
  const caching = settingsOf(stage, graph).filter(
    ({ inputs }) => stage.inputs.cacheClusterEnabled === true || at(inputs, "settings.cachingEnabled") === true,
  );
  return caching
    .filter(({ inputs }) => at(inputs, "settings.cacheDataEncrypted") !== true)
    .map(({ name, inputs }) =>
      violation(`settings.cacheDataEncrypted of ${name}`, at(inputs, "settings.cacheDataEncrypted"), "set it to true."),
    );
}

function checkValidation(method: GraphResource, graph: ResourceGraph): readonly string[] {
  const id = method.inputs.requestValidatorId;
  const validator = graph.ofType("aws:apigateway/requestValidator:RequestValidator").find((resource) => refersTo(id, resource));
  if (validator === undefined) return [violation("requestValidatorId", id, "name a RequestValidator of the API.")];
  return all(
    field("validateRequestBody", is(true), `set it to true on ${validator.name}.`),
    field("validateRequestParameters", is(true), `set it to true on ${validator.name}.`),
  )(validator, graph);
}

/** A browser's preflight request has neither a body nor credentials. */
const exceptPreflight =
  (check: Control["check"]): Control["check"] =>
  (method, graph) =>
    method.inputs.httpMethod === "OPTIONS" ? [] : check(method, graph);

export const apiGatewayControls: readonly Control[] = [
  {
    id: "APIGateway.1",
    alsoKnownAs: ["APIG6"],
    title: "Stages write execution logs",
    appliesTo: [STAGE],
    check: checkExecutionLogs,
  },
  {
    id: "APIGateway.3",
    title: "Stages are traced",
    appliesTo: [STAGE],
    check: field("xrayTracingEnabled", is(true), "set it to true (pulumi config set risk:tracing true)."),
  },
  {
    id: "APIGateway.4",
    alsoKnownAs: ["APIG3"],
    title: "Stages stand behind a web ACL",
    appliesTo: [STAGE],
    check: checkFirewall,
  },
  { id: "APIGateway.5", title: "Cached answers are encrypted", appliesTo: [STAGE], check: checkCache },
  {
    id: "APIG1",
    title: "Stages write access logs",
    appliesTo: [STAGE],
    check: field("accessLogSettings.destinationArn", isText, "set it to the ARN of a log group, with a format."),
  },
  { id: "APIG2", title: "Requests are validated", appliesTo: [METHOD], check: exceptPreflight(checkValidation) },
  {
    id: "APIG4",
    title: "Routes authorise their callers (an API key only counts them)",
    appliesTo: [METHOD],
    check: exceptPreflight(
      field(
        "authorization",
        is("AWS_IAM", "COGNITO_USER_POOLS", "CUSTOM"),
        'set it to "AWS_IAM" or to an authorizer\'s kind (pulumi config set --path risk:api.auth iam).',
      ),
    ),
  },
];
