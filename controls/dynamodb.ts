import type { GraphResource } from "@risk/program-graph";
import { type Control, field, is, type ResourceGraph, violation } from "./control";

const TABLE = "aws:dynamodb/table:Table";

function checkScaling(table: GraphResource, graph: ResourceGraph): string[] {
  if (table.inputs.billingMode === "PAY_PER_REQUEST") return [];
  const resourceId = `table/${String(table.state.name)}`;
  const scaled = (type: string, dimension: string) =>
    graph.ofType(type).some(({ inputs }) => inputs.resourceId === resourceId && inputs.scalableDimension === dimension);
  const unscaled = ["Read", "Write"]
    .map((kind) => `dynamodb:table:${kind}CapacityUnits`)
    .filter(
      (dimension) =>
        !scaled("aws:appautoscaling/target:Target", dimension) || !scaled("aws:appautoscaling/policy:Policy", dimension),
    );
  if (unscaled.length === 0) return [];
  const fix = `set it to "PAY_PER_REQUEST", or scale ${unscaled.join(" and ")} with an appautoscaling Target and Policy each.`;
  return [violation("billingMode", table.inputs.billingMode, fix)];
}

export const dynamoDbControls: readonly Control[] = [
  { id: "DynamoDB.1", title: "Tables scale with demand", appliesTo: [TABLE], check: checkScaling },
  {
    id: "DynamoDB.2",
    alsoKnownAs: ["DDB3"],
    title: "Tables have point-in-time recovery",
    appliesTo: [TABLE],
    check: field("pointInTimeRecovery.enabled", is(true), "set it to true (pulumi config set risk:pointInTimeRecovery true)."),
  },
  {
    id: "DynamoDB.6",
    title: "Tables are protected from deletion",
    appliesTo: [TABLE],
    check: field("deletionProtectionEnabled", is(true), "set it to true (pulumi config set risk:deletionProtection true)."),
  },
];
