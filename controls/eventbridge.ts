import type { GraphResource } from "@risk/program-graph";
import { type Control, field, isText, type ResourceGraph } from "./control";
import { isPublic, statementsOf } from "./documents";

function checkBus(bus: GraphResource, graph: ResourceGraph): string[] {
  const statements = graph
    .referring("aws:cloudwatch/eventBusPolicy:EventBusPolicy", "eventBusName", bus)
    .flatMap(({ inputs }) => statementsOf(inputs.policy) ?? []);
  if (statements.length === 0) return ["The bus has no resource policy; add an EventBusPolicy that names who may publish."];
  return statements
    .filter(isPublic)
    .map(({ sid }) => `Bus policy, ${sid}: anyone may publish; name a principal, or add a condition on aws:PrincipalOrgID.`);
}

export const eventBridgeControls: readonly Control[] = [
  {
    id: "EventBridge.3",
    alsoKnownAs: ["EVB1"],
    title: "Custom buses have a resource policy that is not open to all",
    appliesTo: ["aws:cloudwatch/eventBus:EventBus"],
    check: checkBus,
  },
  {
    id: "EventBridge.targets",
    title: "Targets have a dead-letter queue",
    appliesTo: ["aws:cloudwatch/eventTarget:EventTarget"],
    check: field("deadLetterConfig.arn", isText, "set it to the ARN of a queue that takes undelivered events."),
  },
];
