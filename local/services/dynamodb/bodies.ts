/** Local bodies of DynamoDB tables and their scaling. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { physicalName } from "../../engine/names";
import { optionalText, recordInput, recordsInput, stableHex, textInput } from "../resource-inputs";
import { DynamoError } from "./engine";
import type { DynamoDbService } from "./service";

type Inputs = Readonly<Record<string, unknown>>;

/** DynamoDB API reference, CreateTable. */
const tableName: NameRule = {
  field: "name",
  maxLength: 255,
  characters: { pattern: /^[A-Za-z0-9_.-]{3,}$/, words: "at least three letters, digits, hyphens, underscores or dots" },
};
/** Validation of aws_appautoscaling_policy in the provider. */
const policyName: NameRule = { field: "name", maxLength: 255 };

export function dynamoDbBodies(service: DynamoDbService): ResourceBody[] {
  const apply = (resource: GraphResource): Promise<void> => applyTable(service, resource);
  const scale = (resource: GraphResource): Promise<void> => bringWithinLimits(service, resource);
  return [
    {
      type: "aws:dynamodb/table:Table",
      honoured: [
        "name",
        "billingMode",
        "hashKey",
        "rangeKey",
        "attributes",
        "globalSecondaryIndexes",
        "localSecondaryIndexes",
        "readCapacity",
        "writeCapacity",
        "ttl",
        "pointInTimeRecovery",
        "deletionProtectionEnabled",
        "serverSideEncryption",
        "tags",
      ],
      cloudOnly: {
        tableClass: "only changes the price of storage",
      },
      replaceOn: ["name", "hashKey", "rangeKey", "localSecondaryIndexes"],
      autoName: tableName,
      outputs: ({ name, inputs, region, accountId }) => {
        const table = physicalName(tableName, name, inputs);
        return { id: table, state: { name: table, arn: `arn:aws:dynamodb:${region}:${accountId}:table/${table}` } };
      },
      create: apply,
      update: apply,
      delete: async ({ state }) => {
        const TableName = String(state.name);
        if ((await describe(service, TableName)) !== undefined) await service.call("DeleteTable", { TableName });
      },
    },
    {
      type: "aws:appautoscaling/target:Target",
      honoured: ["minCapacity", "maxCapacity", "resourceId", "scalableDimension"],
      cloudOnly: { serviceNamespace: SCALING, roleArn: SCALING, tags: SCALING },
      replaceOn: ["resourceId", "scalableDimension", "serviceNamespace"],
      outputs: ({ inputs, region, accountId, name }) => ({
        id: String(inputs.resourceId),
        state: {
          arn: `arn:aws:application-autoscaling:${region}:${accountId}:scalable-target/${stableHex(name, 12)}`,
          roleArn: "",
        },
      }),
      create: scale,
      update: scale,
      // The table keeps the units that it has.
      delete: () => undefined,
    },
    {
      type: "aws:appautoscaling/policy:Policy",
      honoured: [],
      cloudOnly: Object.fromEntries(
        [
          "name",
          "policyType",
          "resourceId",
          "scalableDimension",
          "serviceNamespace",
          "targetTrackingScalingPolicyConfiguration",
        ].map((field) => [field, SCALING]),
      ),
      replaceOn: ["name", "resourceId", "scalableDimension", "serviceNamespace"],
      autoName: policyName,
      outputs: ({ inputs, name, region, accountId }) => {
        const policy = physicalName(policyName, name, inputs);
        const arn = `arn:aws:autoscaling:${region}:${accountId}:scalingPolicy:${stableHex(name, 12)}:policyName/${policy}`;
        return { id: policy, state: { name: policy, arn, alarmArns: [] } };
      },
    },
  ];
}

const SCALING = "tables keep their units within the target's limits; AWS follows the load between them, in minutes";

/** Brings a table's units within the target's limits at once, where Application Auto Scaling takes a minute or two. */
async function bringWithinLimits(service: DynamoDbService, { type, name, inputs }: GraphResource): Promise<void> {
  const [, TableName] = /^table\/([^/]+)$/.exec(String(inputs.resourceId)) ?? [];
  const [, kind] = /^dynamodb:table:(Read|Write)CapacityUnits$/.exec(String(inputs.scalableDimension)) ?? [];
  if (TableName === undefined || kind === undefined)
    throw new Error(
      `${type} (${name}): expected a DynamoDB table's read or write units, got ${String(inputs.scalableDimension)} of ${String(inputs.resourceId)}.`,
    );
  const table = await describe(service, TableName);
  const { ReadCapacityUnits, WriteCapacityUnits } = (table?.ProvisionedThroughput ?? {}) as Record<string, number>;
  const units: Record<string, number> = {
    ReadCapacityUnits: ReadCapacityUnits ?? 0,
    WriteCapacityUnits: WriteCapacityUnits ?? 0,
  };
  const field = `${kind}CapacityUnits`;
  const current = units[field] ?? 0;
  const wanted = Math.min(Math.max(current, Number(inputs.minCapacity)), Number(inputs.maxCapacity));
  if (current === 0 || wanted === current) return;
  await service.call("UpdateTable", { TableName, ProvisionedThroughput: { ...units, [field]: wanted } });
}

async function applyTable(service: DynamoDbService, resource: GraphResource): Promise<void> {
  const TableName = String(resource.state.name);
  const wanted = tableRequest(resource, TableName);
  const existing = await describe(service, TableName);
  if (existing === undefined) await service.call("CreateTable", wanted);
  else if (JSON.stringify(existing.KeySchema) !== JSON.stringify(wanted.KeySchema)) {
    throw new Error(
      `${resource.type} (${resource.name}): the kept table ${TableName} has the keys ${JSON.stringify(existing.KeySchema)}, the program wants ${JSON.stringify(wanted.KeySchema)}. Delete the data folder or use another name.`,
    );
  } else await changeCapacity(service, resource, existing, wanted);
  const { inputs } = resource;
  await service.readUnits(TableName);
  service.setKey(TableName, optionalText(recordInput(inputs, "serverSideEncryption"), "kmsKeyArn"));
  await service.call("UpdateTable", { TableName, DeletionProtectionEnabled: inputs.deletionProtectionEnabled === true });
  const ttl = recordInput(inputs, "ttl");
  const attribute = optionalText(ttl, "attributeName");
  const { TimeToLiveDescription } = await service.call("DescribeTimeToLive", { TableName });
  const present = optionalText(TimeToLiveDescription as Inputs, "AttributeName");
  if (attribute !== undefined || present !== undefined)
    await service.call("UpdateTimeToLive", {
      TableName,
      TimeToLiveSpecification: {
        AttributeName: attribute ?? present,
        Enabled: attribute !== undefined && ttl.enabled !== false,
      },
    });
  const recovery = recordInput(inputs, "pointInTimeRecovery").enabled === true;
  await service.call("UpdateContinuousBackups", {
    TableName,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: recovery },
  });
  const tags = recordInput(inputs, "tags");
  const ResourceArn = service.arnOf(TableName);
  const { Tags: kept } = await service.call("ListTagsOfResource", { ResourceArn });
  const TagKeys = (kept as { Key: string }[]).map(({ Key }) => Key).filter((key) => !(key in tags));
  if (TagKeys.length > 0) await service.call("UntagResource", { ResourceArn, TagKeys });
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) }));
  if (Tags.length > 0) await service.call("TagResource", { ResourceArn, Tags });
}

interface Capacity {
  readonly ReadCapacityUnits: number;
  readonly WriteCapacityUnits: number;
}

interface Index {
  readonly IndexName: string;
  readonly KeySchema: unknown;
  readonly Projection: { readonly ProjectionType: string; readonly NonKeyAttributes?: readonly string[] };
  readonly ProvisionedThroughput?: Capacity;
}

/** Billing mode and capacity units of the table and of its indexes; other changes of indexes are refused. */
async function changeCapacity(
  service: DynamoDbService,
  resource: GraphResource,
  existing: Inputs,
  wanted: Inputs,
): Promise<void> {
  const [before, after] = [indexesOf(existing), indexesOf(wanted)];
  const shape = (indexes: readonly Index[]) =>
    JSON.stringify(
      indexes
        .map(({ IndexName, KeySchema, Projection }) => [
          IndexName,
          KeySchema,
          Projection.ProjectionType,
          [...(Projection.NonKeyAttributes ?? [])].sort(),
        ])
        .sort(),
    );
  if (shape(before) !== shape(after))
    throw new Error(
      `${resource.type} (${resource.name}): globalSecondaryIndexes: the local runtime adds, changes and removes no index of a table that exists. Delete the data folder, or destroy the table first.`,
    );
  const mode = optionalText(recordInput(existing, "BillingModeSummary"), "BillingMode") ?? "PROVISIONED";
  const changesMode = mode !== wanted.BillingMode;
  // Units that the program ignores changes of are what scaling made of them.
  const scaled = ["readCapacity", "writeCapacity"].some((field) => resource.ignoreChanges.includes(field));
  const own = scaled && !changesMode ? undefined : throughputChange(existing, wanted, changesMode);
  const updates = after.flatMap((index) => {
    const change = throughputChange(before.find(({ IndexName }) => IndexName === index.IndexName) ?? {}, index, changesMode);
    return change === undefined ? [] : [{ Update: { IndexName: index.IndexName, ProvisionedThroughput: change } }];
  });
  if (!changesMode && own === undefined && updates.length === 0) return;
  await service.call("UpdateTable", {
    TableName: wanted.TableName,
    ...(changesMode ? { BillingMode: wanted.BillingMode } : {}),
    ...(own === undefined ? {} : { ProvisionedThroughput: own }),
    ...(updates.length === 0 ? {} : { GlobalSecondaryIndexUpdates: updates }),
  });
}

const indexesOf = (table: Inputs): readonly Index[] =>
  // What the engine answers, and what `tableRequest` makes.
  Array.isArray(table.GlobalSecondaryIndexes) ? (table.GlobalSecondaryIndexes as readonly Index[]) : [];

/** Capacity that has to be set; none on demand, and none that is there already: DynamoDB refuses an update to the same. */
function throughputChange(before: object, after: object, always: boolean): Capacity | undefined {
  const [now, wanted] = [before, after].map(
    (holder) => (holder as { readonly ProvisionedThroughput?: Capacity }).ProvisionedThroughput,
  );
  if (wanted === undefined) return undefined;
  const same = now?.ReadCapacityUnits === wanted.ReadCapacityUnits && now.WriteCapacityUnits === wanted.WriteCapacityUnits;
  return same && !always ? undefined : wanted;
}

async function describe(service: DynamoDbService, TableName: string): Promise<Record<string, unknown> | undefined> {
  try {
    return (await service.call("DescribeTable", { TableName })).Table as Record<string, unknown>;
  } catch (error) {
    if (error instanceof DynamoError && error.code === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

function tableRequest(resource: GraphResource, TableName: string): Record<string, unknown> {
  const { inputs } = resource;
  const provisioned = inputs.billingMode !== "PAY_PER_REQUEST";
  const keySchema = keys(textInput(resource, "hashKey"), optionalText(inputs, "rangeKey"));
  const indexes = (field: string): Record<string, unknown>[] =>
    recordsInput(inputs, field).map((index) => ({
      IndexName: index.name,
      KeySchema: keys(optionalText(index, "hashKey") ?? textInput(resource, "hashKey"), optionalText(index, "rangeKey")),
      Projection: {
        ProjectionType: index.projectionType,
        ...(Array.isArray(index.nonKeyAttributes) ? { NonKeyAttributes: index.nonKeyAttributes } : {}),
      },
      ...(field.startsWith("global") && provisioned ? { ProvisionedThroughput: throughput(index) } : {}),
    }));
  const [global, local] = [indexes("globalSecondaryIndexes"), indexes("localSecondaryIndexes")];
  return {
    TableName,
    AttributeDefinitions: recordsInput(inputs, "attributes").map(({ name, type }) => ({
      AttributeName: name,
      AttributeType: type,
    })),
    KeySchema: keySchema,
    BillingMode: provisioned ? "PROVISIONED" : "PAY_PER_REQUEST",
    ...(provisioned ? { ProvisionedThroughput: throughput(inputs) } : {}),
    ...(global.length > 0 ? { GlobalSecondaryIndexes: global } : {}),
    ...(local.length > 0 ? { LocalSecondaryIndexes: local } : {}),
  };
}

function keys(hash: string, range: string | undefined): object[] {
  const schema = [{ AttributeName: hash, KeyType: "HASH" }];
  return range === undefined ? schema : [...schema, { AttributeName: range, KeyType: "RANGE" }];
}

function throughput(inputs: Inputs): object {
  return { ReadCapacityUnits: Number(inputs.readCapacity ?? 1), WriteCapacityUnits: Number(inputs.writeCapacity ?? 1) };
}
