/** Local bodies of DynamoDB tables and their scaling. */
import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { fieldsOf, named, put, stableHex, tagInputs, withoutEffect } from "../resource-parts";
import type { DynamoDbService } from "./service";
import type { Capacity, Description } from "./tables";

/** DynamoDB API reference, CreateTable. */
const tableName: NameRule = {
  field: "name",
  maxLength: 255,
  characters: { pattern: /^[A-Za-z0-9_.-]{3,}$/, words: "at least three letters, digits, hyphens, underscores or dots" },
};
/** Validation of aws_appautoscaling_policy in the provider. */
const policyName: NameRule = { field: "name", maxLength: 255 };

export function dynamoDbBodies(service: DynamoDbService): ResourceBody[] {
  return [
    {
      type: "aws:dynamodb/table:Table",
      honoured: [
        "name",
        "billingMode",
        "hashKey",
        "rangeKey",
        "attributes",
        "readCapacity",
        "writeCapacity",
        "ttl",
        "deletionProtectionEnabled",
        "serverSideEncryption",
      ],
      cloudOnly: {
        pointInTimeRecovery: "one machine keeps no backups",
        tableClass: "only changes the price of storage",
        tags: tagInputs.tags,
      },
      replaceOn: ["name", "hashKey", "rangeKey"],
      ...named(tableName, (name, { region, accountId }) => ({
        id: name,
        state: { name, arn: `arn:aws:dynamodb:${region}:${accountId}:table/${name}` },
      })),
      ...put((resource) => applyTable(service, resource)),
      delete: async ({ state }) => {
        const TableName = String(state.name);
        if ((await service.tables.find(TableName)) !== undefined) await service.tables.delete(TableName);
      },
    },
    {
      type: "aws:appautoscaling/target:Target",
      honoured: ["minCapacity", "maxCapacity", "resourceId", "scalableDimension"],
      cloudOnly: withoutEffect(SCALING, ["serviceNamespace", "roleArn", "tags"]),
      replaceOn: ["resourceId", "scalableDimension", "serviceNamespace"],
      outputs: ({ inputs, region, accountId, name }) => ({
        id: String(inputs.resourceId),
        state: {
          arn: `arn:aws:application-autoscaling:${region}:${accountId}:scalable-target/${stableHex(name, 12)}`,
          roleArn: "",
        },
      }),
      ...put((resource) => bringWithinLimits(service, resource)),
      // The table keeps the units that it has.
      delete: () => undefined,
    },
    {
      type: "aws:appautoscaling/policy:Policy",
      honoured: [],
      cloudOnly: withoutEffect(SCALING, [
        "name",
        "policyType",
        "resourceId",
        "scalableDimension",
        "serviceNamespace",
        "targetTrackingScalingPolicyConfiguration",
      ]),
      replaceOn: ["name", "resourceId", "scalableDimension", "serviceNamespace"],
      ...named(policyName, (policy, { name, region, accountId }) => {
        const arn = `arn:aws:autoscaling:${region}:${accountId}:scalingPolicy:${stableHex(name, 12)}:policyName/${policy}`;
        return { id: policy, state: { name: policy, arn, alarmArns: [] } };
      }),
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
  const present = (await service.tables.find(TableName))?.ProvisionedThroughput;
  const { ReadCapacityUnits = 0, WriteCapacityUnits = 0 } = present ?? {};
  const current = kind === "Read" ? ReadCapacityUnits : WriteCapacityUnits;
  const wanted = Math.min(Math.max(current, Number(inputs.minCapacity)), Number(inputs.maxCapacity));
  if (current === 0 || wanted === current) return;
  const ProvisionedThroughput = { ReadCapacityUnits, WriteCapacityUnits, [`${kind}CapacityUnits`]: wanted };
  await service.tables.update({ TableName, ProvisionedThroughput });
}

async function applyTable(service: DynamoDbService, resource: GraphResource): Promise<void> {
  const TableName = String(resource.state.name);
  const wanted = tableRequest(resource, TableName);
  const existing = await service.tables.find(TableName);
  if (existing === undefined) await service.tables.create(wanted);
  else if (JSON.stringify(existing.KeySchema) !== JSON.stringify(wanted.KeySchema)) {
    throw new Error(
      `${resource.type} (${resource.name}): the kept table ${TableName} has the keys ${JSON.stringify(existing.KeySchema)}, the program wants ${JSON.stringify(wanted.KeySchema)}. Delete the data folder or use another name.`,
    );
  } else await changeCapacity(service, resource, existing, wanted);
  await service.tables.readUnits(TableName);
  const fields = fieldsOf(resource);
  const ttl = fields.in("ttl");
  service.tables.settings.put(TableName, {
    protected: fields.flag("deletionProtectionEnabled") ?? false,
    ttlAttribute: ttl.flag("enabled") === false ? undefined : ttl.text("attributeName"),
    keyId: fields.in("serverSideEncryption").text("kmsKeyArn"),
  });
}

/** Billing mode and capacity units; DynamoDB refuses an update to what is there already. */
async function changeCapacity(
  service: DynamoDbService,
  { ignoreChanges }: GraphResource,
  { BillingModeSummary, ProvisionedThroughput: now }: Description,
  { TableName, BillingMode, ProvisionedThroughput }: TableRequest,
): Promise<void> {
  if ((BillingModeSummary?.BillingMode ?? "PROVISIONED") !== BillingMode) {
    await service.tables.update({ TableName, BillingMode, ...(ProvisionedThroughput ? { ProvisionedThroughput } : {}) });
    return;
  }
  // Where the program ignores changes of the units, scaling has set them.
  const scaled = ["readCapacity", "writeCapacity"].some((field) => ignoreChanges.includes(field));
  const same =
    now?.ReadCapacityUnits === ProvisionedThroughput?.ReadCapacityUnits &&
    now?.WriteCapacityUnits === ProvisionedThroughput?.WriteCapacityUnits;
  if (ProvisionedThroughput !== undefined && !scaled && !same) await service.tables.update({ TableName, ProvisionedThroughput });
}

interface TableRequest extends Record<string, unknown> {
  readonly TableName: string;
  readonly BillingMode: string;
  readonly ProvisionedThroughput?: Capacity;
}

function tableRequest(resource: GraphResource, TableName: string): TableRequest {
  const fields = fieldsOf(resource);
  const range = fields.text("rangeKey");
  return {
    TableName,
    AttributeDefinitions: fields.items("attributes").map((attribute) => ({
      AttributeName: attribute.need("name"),
      AttributeType: attribute.need("type"),
    })),
    KeySchema: [
      { AttributeName: fields.need("hashKey"), KeyType: "HASH" },
      ...(range === undefined ? [] : [{ AttributeName: range, KeyType: "RANGE" }]),
    ],
    ...(fields.text("billingMode") === "PAY_PER_REQUEST"
      ? { BillingMode: "PAY_PER_REQUEST" }
      : {
          BillingMode: "PROVISIONED",
          ProvisionedThroughput: {
            ReadCapacityUnits: fields.number("readCapacity") ?? 1,
            WriteCapacityUnits: fields.number("writeCapacity") ?? 1,
          },
        }),
  };
}
