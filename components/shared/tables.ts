import { Policy as ScalingPolicy, Target as ScalingTarget } from "@pulumi/aws/appautoscaling";
import { Table, type TableArgs } from "@pulumi/aws/dynamodb";
import * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "./context";
import type { Statement } from "./iam";

/** Provisioned units of a table, or none: on demand it accepts any load and costs by the request. */
export type TableCapacity = ProvisionedUnits | { readonly mode: "onDemand" };

/** The table starts with the first units, and grows up to the second while more than 70 % are used. */
export interface ProvisionedUnits {
  readonly mode: "provisioned";
  readonly readUnits: number;
  readonly maxReadUnits: number;
  readonly writeUnits: number;
  readonly maxWriteUnits: number;
}

/** What every table has: encryption with the stack's key, expiry by `ttl`, and the stack's backups and protection. */
function tableDefaults(context: PlatformContext): Partial<TableArgs> {
  return {
    ttl: { attributeName: "ttl", enabled: true },
    pointInTimeRecovery: { enabled: context.pointInTimeRecovery },
    serverSideEncryption: { enabled: true, kmsKeyArn: context.key.arn },
    deletionProtectionEnabled: context.deletionProtection,
  };
}

/** Scores by event id. For an even load, provisioned units cost a seventh; a write without free units waits. */
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
    // Auto scaling changes the live table's units; a deployment must not reset them.
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

/** Velocity and travel state by user token; on demand, because a burst of new users is exactly what it watches for. */
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
 * Answers of every profile by the id of the input and time: the cache and the idempotency keys of the REST API. Always with backups.
 * The key keeps its name `leadId`, because renaming it would create a new table.
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
