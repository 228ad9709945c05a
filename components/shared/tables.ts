import { Policy as ScalingPolicy, Target as ScalingTarget } from "@pulumi/aws/appautoscaling";
import { Table, type TableArgs } from "@pulumi/aws/dynamodb";
import * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "./context";
import type { Statement } from "./iam";

/** Units that a table has, or none: on demand it takes what comes and costs by the request. */
export type TableCapacity = ProvisionedUnits | { readonly mode: "onDemand" };

/** The table starts with the first units and grows to the second when 70 % are used. */
export interface ProvisionedUnits {
  readonly mode: "provisioned";
  readonly readUnits: number;
  readonly maxReadUnits: number;
  readonly writeUnits: number;
  readonly maxWriteUnits: number;
}

/** What every table has: encryption under the stack's key, expiry by `ttl`, backups and protection as the stack says. */
function tableDefaults(context: PlatformContext): Partial<TableArgs> {
  return {
    ttl: { attributeName: "ttl", enabled: true },
    pointInTimeRecovery: { enabled: context.pointInTimeRecovery },
    serverSideEncryption: { enabled: true, kmsKeyArn: context.key.arn },
    deletionProtectionEnabled: context.deletionProtection,
  };
}

/** Scores by event id. Provisioned units suit an even load and cost a seventh then; a write that finds none left waits. */
export function resultsTable(
  name: string,
  tableName: string,
  context: PlatformContext,
  capacity: TableCapacity,
  parent: pulumi.Resource,
): Table {
  const args: TableArgs = {
    name: tableName,
    hashKey: "transaction_id",
    attributes: [{ name: "transaction_id", type: "S" }],
    ...tableDefaults(context),
  };
  const opts = { parent, protect: context.deletionProtection };
  if (capacity.mode === "onDemand") return new Table(`${name}-table`, { ...args, billingMode: "PAY_PER_REQUEST" }, opts);
  const table = new Table(
    `${name}-table`,
    {
      ...args,
      billingMode: "PROVISIONED",
      readCapacity: capacity.readUnits,
      writeCapacity: capacity.writeUnits,
    },
    // Auto scaling changes the units of the live table; a deployment must not set them back.
    { ...opts, ignoreChanges: ["readCapacity", "writeCapacity"] },
  );
  scale(`${name}-reads`, table, "Read", capacity.readUnits, capacity.maxReadUnits, parent);
  scale(`${name}-writes`, table, "Write", capacity.writeUnits, capacity.maxWriteUnits, parent);
  return table;
}

function scale(name: string, table: Table, kind: "Read" | "Write", min: number, max: number, parent: pulumi.Resource): void {
  const target = new ScalingTarget(
    `${name}-target`,
    {
      serviceNamespace: "dynamodb",
      resourceId: pulumi.interpolate`table/${table.name}`,
      scalableDimension: `dynamodb:table:${kind}CapacityUnits`,
      minCapacity: min,
      maxCapacity: max,
    },
    { parent },
  );
  new ScalingPolicy(
    `${name}-scaling`,
    {
      policyType: "TargetTrackingScaling",
      serviceNamespace: target.serviceNamespace,
      resourceId: target.resourceId,
      scalableDimension: target.scalableDimension,
      targetTrackingScalingPolicyConfiguration: {
        targetValue: 70,
        predefinedMetricSpecification: { predefinedMetricType: `DynamoDB${kind}CapacityUtilization` },
      },
    },
    { parent },
  );
}

/** Velocity and travel state by user token; on demand, since a burst of new users is the very thing it watches for. */
export function stateTable(name: string, context: PlatformContext, parent: pulumi.Resource): Table {
  return new Table(
    `${name}-table`,
    {
      billingMode: "PAY_PER_REQUEST",
      hashKey: "user_id",
      attributes: [{ name: "user_id", type: "S" }],
      ...tableDefaults(context),
    },
    { parent, protect: context.deletionProtection },
  );
}

/**
 * Answers by the id of the input and time, of every profile: the cache and the idempotency keys of the REST API. Always with backups. The key is
 * called `leadId` for good, because another name would be another table.
 */
export function scoresTable(name: string, context: PlatformContext, parent: pulumi.Resource): Table {
  return new Table(
    `${name}-table`,
    {
      billingMode: "PAY_PER_REQUEST",
      hashKey: "leadId",
      rangeKey: "timestamp",
      attributes: [
        { name: "leadId", type: "S" },
        { name: "timestamp", type: "N" },
      ],
      ...tableDefaults(context),
      pointInTimeRecovery: { enabled: true },
    },
    { parent, protect: context.deletionProtection },
  );
}

/** DynamoDB actions (`["GetItem"]`) on one table. */
export function tableStatement(sid: string, table: Table, actions: readonly string[]): Statement {
  return { sid, actions: actions.map((action) => `dynamodb:${action}`), resources: [table.arn] };
}
