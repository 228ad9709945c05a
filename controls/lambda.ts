import type { GraphResource } from "@risk/program-graph";
import { at, type Control, field, isAtLeast, isText, listAt, type ResourceGraph, refersTo, violation } from "./control";

const FUNCTION = "aws:lambda/function:Function";

/** Runtimes that AWS patches. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html */
const SUPPORTED_RUNTIMES = new Set([
  "nodejs22.x",
  "nodejs24.x",
  "python3.11",
  "python3.12",
  "python3.13",
  "python3.14",
  "java17",
  "java21",
  "java25",
  "dotnet8",
  "dotnet10",
  "ruby3.3",
  "ruby3.4",
  "provided.al2023",
]);

function checkPermission({ inputs }: GraphResource): string[] {
  const { principal } = inputs;
  if (principal === "*" || !isText(principal)) {
    return [violation("principal", principal, "name the account, role or service that may call the function.")];
  }
  const isService = principal.endsWith(".amazonaws.com");
  if (!isService || isText(inputs.sourceArn) || isText(inputs.sourceAccount)) return [];
  return [violation("sourceArn", inputs.sourceArn, `set it to the ARN on whose behalf ${principal} may call the function.`)];
}

function checkZones({ inputs }: GraphResource): string[] {
  const subnets = listAt(inputs, "vpcConfig.subnetIds");
  if (inputs.vpcConfig === undefined || new Set(subnets).size > 1) return [];
  return [violation("vpcConfig.subnetIds", subnets, "name subnets of at least two zones.")];
}

/** Services that wait for the function's result and see its errors themselves. */
const SYNCHRONOUS = new Set(["apigateway.amazonaws.com", "cognito-idp.amazonaws.com", "elasticloadbalancing.amazonaws.com"]);

/** Events that a function fails on must be kept: with the stream's failed batches, in a dead-letter queue or at a destination. */
function checkFailures(lambda: GraphResource, graph: ResourceGraph): string[] {
  const sources = graph.referring("aws:lambda/eventSourceMapping:EventSourceMapping", "functionName", lambda);
  const callers = graph
    .referring("aws:lambda/permission:Permission", "function", lambda)
    .map(({ inputs }) => String(inputs.principal))
    .filter((principal) => !SYNCHRONOUS.has(principal));
  const problems = sources.flatMap((source) => sourceProblems(source, graph));
  if (callers.length === 0 || hasFailureDestination(lambda, graph)) return problems;
  return [
    ...problems,
    `${[...new Set(callers)].join(", ")} calls the function and does not wait, and what fails is dropped; ` +
      "set deadLetterConfig.targetArn, or a FunctionEventInvokeConfig with destinationConfig.onFailure.",
  ];
}

function sourceProblems(source: GraphResource, graph: ResourceGraph): string[] {
  const queue = graph.ofType("aws:sqs/queue:Queue").find((candidate) => refersTo(source.inputs.eventSourceArn, candidate));
  if (queue !== undefined) {
    return isText(queue.inputs.redrivePolicy)
      ? []
      : [violation(`redrivePolicy of ${queue.name}`, undefined, "name a dead-letter queue.")];
  }
  const path = "destinationConfig.onFailure.destinationArn";
  const destination = at(source.inputs, path);
  return isText(destination)
    ? []
    : [violation(`${path} of ${source.name}`, destination, "set it to the ARN of a queue, topic or bucket.")];
}

const hasFailureDestination = (lambda: GraphResource, graph: ResourceGraph): boolean =>
  isText(at(lambda.inputs, "deadLetterConfig.targetArn")) ||
  graph
    .referring("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "functionName", lambda)
    .some(({ inputs }) => isText(at(inputs, "destinationConfig.onFailure.destination")));

export const lambdaControls: readonly Control[] = [
  {
    id: "Lambda.1",
    title: "Functions let in nobody but a named caller",
    appliesTo: ["aws:lambda/permission:Permission"],
    check: checkPermission,
  },
  {
    id: "Lambda.2",
    alsoKnownAs: ["L1"],
    title: "Runtimes are supported",
    appliesTo: [FUNCTION],
    check: (lambda, graph) =>
      lambda.inputs.packageType === "Image"
        ? []
        : field("runtime", (value) => SUPPORTED_RUNTIMES.has(String(value)), 'set it to "nodejs24.x".')(lambda, graph),
  },
  { id: "Lambda.5", title: "Functions in a VPC span zones", appliesTo: [FUNCTION], check: checkZones },
  { id: "LambdaDLQ", title: "What a function fails on is kept", appliesTo: [FUNCTION], check: checkFailures },
  {
    id: "LambdaConcurrency",
    title: "Executions are reserved, and thereby limited",
    appliesTo: [FUNCTION],
    check: field("reservedConcurrentExecutions", isAtLeast(1), "set it to the executions that the function may use."),
  },
];
