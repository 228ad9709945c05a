/** What Lambda reads and writes with a function's role: its log, its event sources, and the destinations of events that fail. */
import type { TargetKind } from "@risk/local-aws/permissions";
import type { GraphResource } from "@risk/program-graph";
import { at, type Control, type ResourceGraph, refersTo, violation } from "./control";
import { refused, withoutQualifier } from "./delivery";

const FUNCTION = "aws:lambda/function:Function";
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";

/** A delivery of the function to an ARN. */
const reach = (fn: GraphResource, targetArn: unknown, path: string, graph: ResourceGraph, kind?: TargetKind): string[] => {
  const wiring = { service: "lambda.amazonaws.com", sourceArn: String(fn.state.arn), roleArn: fn.inputs.role };
  return refused({ ...wiring, targetArn, path, ...(kind === undefined ? {} : { kind }) }, graph);
};

/** The same for a resource that names its function. */
const ofFunction =
  (check: (fn: GraphResource, resource: GraphResource, graph: ResourceGraph) => string[]): Control["check"] =>
  (resource, graph) => {
    const { functionName } = resource.inputs;
    const fn = graph.ofType(FUNCTION).find((candidate) => refersTo(withoutQualifier(String(functionName)), candidate));
    return fn === undefined
      ? [violation("functionName", functionName, "name a function of the stack.")]
      : check(fn, resource, graph);
  };

export const checkFunction: Control["check"] = (fn, graph) => {
  const logs = "loggingConfig.logGroup";
  const group = graph.ofType(LOG_GROUP).find((candidate) => refersTo(at(fn.inputs, logs), candidate));
  const failures = "deadLetterConfig.targetArn";
  return [...reach(fn, group?.state.arn, logs, graph), ...reach(fn, at(fn.inputs, failures), failures, graph)];
};

export const checkOutcomes = ofFunction((fn, { inputs }, graph) =>
  ["destinationConfig.onFailure.destination", "destinationConfig.onSuccess.destination"].flatMap((path) =>
    reach(fn, at(inputs, path), path, graph),
  ),
);

const SOURCES: Readonly<Record<string, TargetKind>> = { sqs: "queue as event source", kinesis: "stream as event source" };

export const checkMapping = ofFunction((fn, { inputs, id }, graph) => {
  const failures = "destinationConfig.onFailure.destinationArn";
  const destination = at(inputs, failures);
  // Lambda Developer Guide, "Retain discarded batch records for a Kinesis Data Streams event source": the keys begin with the mapping's id.
  const written = String(destination).startsWith("arn:aws:s3:::") ? `${String(destination)}/aws/lambda/${id}/*` : destination;
  const { eventSourceArn } = inputs;
  return [
    ...reach(fn, eventSourceArn, "eventSourceArn", graph, SOURCES[String(eventSourceArn).split(":")[2] ?? ""]),
    ...reach(fn, written, failures, graph),
  ];
});
