/** DynamoDB on the endpoint: dynalite's items and tables, and what it lacks (TTL, tags, backups settings, protection). */
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type LocalContext,
  type Permission,
} from "../../contracts";
import { unsupportedAction } from "../../gateway/endpoint";
import { jsonBody } from "../../gateway/protocols";
import type { ServiceGate } from "../service-gate";
import { DynamoEngine, DynamoError, ENGINE_ACTIONS, type EngineAction } from "./engine";
import { deleteExpired } from "./expiry";
import { Meter, type Metering, type Usage } from "./meter";
import { MeteredEngine } from "./metered";
import { TableSettings } from "./settings";

type Input = Record<string, unknown>;
const OWN_ACTIONS = [
  "DescribeContinuousBackups",
  "DescribeTimeToLive",
  "ListTables",
  "ListTagsOfResource",
  "TagResource",
  "UntagResource",
  "UpdateContinuousBackups",
  "UpdateTimeToLive",
] as const;
type OwnAction = (typeof OWN_ACTIONS)[number];

export interface DynamoDbOptions {
  /** Keeps tables under the data folder. */
  readonly persistent: boolean;
  readonly gate: Pick<ServiceGate, "callerPermissions">;
  /** Default off. */
  readonly metering?: Metering;
  readonly metrics?: (
    namespace: string,
    name: string,
    dimensions: Readonly<Record<string, string>>,
    value: number,
    unit: string,
  ) => void;
  readonly onFirstRefusal?: (usage: Usage) => void;
}

export class DynamoDbService implements AwsService {
  readonly name = "dynamodb";
  readonly meter: Meter;
  private readonly engine: DynamoEngine;
  private readonly metered: MeteredEngine;
  private readonly settings: TableSettings;
  private readonly own: Readonly<Record<OwnAction, (input: Input) => Input>> = {
    UpdateTimeToLive: (input) => this.updateTtl(input),
    DescribeTimeToLive: (input) => ({ TimeToLiveDescription: this.settings.describeTtl(this.knownTable(input)) }),
    DescribeContinuousBackups: (input) => ({
      ContinuousBackupsDescription: this.settings.describeBackups(this.knownTable(input)),
    }),
    UpdateContinuousBackups: (input) => this.updateBackups(input),
    ListTables: (input) => this.listTables(input),
    TagResource: (input) => this.tag(input),
    UntagResource: (input) => this.untag(input),
    ListTagsOfResource: (input) => ({ Tags: this.settings.tags(this.resourceTable(input)) }),
  };

  constructor(
    private readonly context: LocalContext,
    private readonly options: DynamoDbOptions,
  ) {
    const path = options.persistent ? join(context.dataDir, "dynamodb") : undefined;
    this.engine = new DynamoEngine({ path, region: context.region, accountId: context.accountId });
    this.settings = new TableSettings(context.db);
    this.meter = new Meter(options.metering ?? "off", {
      now: () => context.clock.now(),
      metric: (name, value, dimensions) => options.metrics?.("AWS/DynamoDB", name, dimensions, value, "Count"),
      onFirstRefusal: (usage) => options.onFirstRefusal?.(usage),
    });
    this.metered = new MeteredEngine(this.engine, this.meter);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const input = jsonBody(request);
    const action = `dynamodb:${request.action}`;
    if (request.action === "ListTables") return [{ action, resource: "*" }];
    if (typeof input.ResourceArn === "string") return [{ action, resource: input.ResourceArn }];
    if (request.action.startsWith("Batch"))
      return Object.keys(objectOf(input.RequestItems)).flatMap((table) => [
        { action, resource: this.arnOf(table) },
        ...this.keyUse(request.action, table),
      ]);
    const table = typeof input.TableName === "string" ? input.TableName : "";
    const arn = this.arnOf(table);
    const resource = typeof input.IndexName === "string" ? `${arn}/index/${input.IndexName}` : arn;
    return [{ action, resource }, ...this.keyUse(request.action, table)];
  }

  /** The customer-managed key of a table; undefined for AWS's own. */
  setKey(table: string, keyId: string | undefined): void {
    this.settings.setKey(table, keyId);
  }

  private keyUse(action: string, table: string): readonly Permission[] {
    const keyId = this.settings.keyOf(tableName(table));
    return this.options.gate.callerPermissions(`dynamodb:${action}`, this.arnOf(table), keyId);
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    try {
      return reply(200, await this.call(request.action, jsonBody(request)));
    } catch (error) {
      // DynamoDB's errors may carry members besides the message (the item that failed a condition).
      if (error instanceof DynamoError) return reply(error.status, error.body, error.code);
      throw error;
    }
  }

  /** ARN of a table given by name or ARN. */
  arnOf(table: string): string {
    return `arn:aws:dynamodb:${this.context.region}:${this.context.accountId}:table/${tableName(table)}`;
  }

  /** Any supported action with the API's own JSON. Throws {@link DynamoError} or {@link AwsError}. */
  async call(action: string, input: Input): Promise<Input> {
    const own = OWN_ACTIONS.find((name) => name === action);
    if (own) return this.own[own](input);
    const engine = ENGINE_ACTIONS.find((name) => name === action);
    if (!engine) throw unsupportedAction("dynamodb", action, [...ENGINE_ACTIONS, ...OWN_ACTIONS].sort());
    return this.runEngine(engine, withTableNames(input));
  }

  /** Deletes expired items as TTL does; returns how many. AWS does so within days, this at every call. */
  async sweepExpired(): Promise<number> {
    let deleted = 0;
    for (const { table, attribute } of this.settings.tablesWithTtl())
      deleted += await deleteExpired(this.engine, table, attribute, this.context.clock.now());
    return deleted;
  }

  end(): Promise<void> {
    return this.engine.end();
  }

  private async runEngine(action: EngineAction, input: Input): Promise<Input> {
    if (action === "CreateTable") return this.createTable(input);
    if (action === "DeleteTable") return this.deleteTable(input);
    if (action === "UpdateTable" && "DeletionProtectionEnabled" in input) return this.protect(input);
    const { ReturnValuesOnConditionCheckFailure: onFailure, ...rest } = input;
    if (onFailure !== undefined && onFailure !== "NONE" && onFailure !== "ALL_OLD")
      throw new AwsError("ValidationException", "ReturnValuesOnConditionCheckFailure must be NONE or ALL_OLD.");
    if (onFailure !== undefined && !["PutItem", "UpdateItem", "DeleteItem"].includes(action))
      throw new AwsError(
        "UnsupportedOperation",
        `dynamodb:${action}: ReturnValuesOnConditionCheckFailure is not a member of this action.`,
        501,
      );
    try {
      const output = await this.metered.run(action, rest);
      if (action === "UpdateTable") {
        const table = String(rest.TableName);
        await this.untilActive(table);
        await this.readUnits(table);
      }
      return action === "DescribeTable" ? { Table: this.described(objectOf(output.Table)) } : output;
    } catch (error) {
      if (onFailure === "ALL_OLD" && error instanceof DynamoError && error.code === "ConditionalCheckFailedException")
        throw new DynamoError(error.status, { ...error.body, ...(await this.currentItem(rest)) });
      throw error;
    }
  }

  private described(table: Input): Input {
    return { ...table, DeletionProtectionEnabled: this.settings.isProtected(String(table.TableName)) };
  }

  private async currentItem(input: Input): Promise<Input> {
    const name = String(input.TableName);
    let key = input.Key;
    if (key === undefined) {
      const { Table } = await this.engine.run("DescribeTable", { TableName: name });
      const schema = objectOf(Table).KeySchema as { AttributeName: string }[];
      const item = objectOf(input.Item);
      key = Object.fromEntries(schema.map(({ AttributeName }) => [AttributeName, item[AttributeName]]));
    }
    const { Item } = await this.engine.run("GetItem", { TableName: name, Key: key, ConsistentRead: true });
    return Item === undefined ? {} : { Item };
  }

  private async createTable(input: Input): Promise<Input> {
    const { Tags, DeletionProtectionEnabled, ...rest } = input;
    const output = await this.engine.run("CreateTable", rest);
    const name = String(rest.TableName);
    await this.untilActive(name);
    await this.readUnits(name);
    this.settings.register(name);
    this.settings.setProtected(name, DeletionProtectionEnabled === true);
    if (Array.isArray(Tags)) this.settings.putTags(name, Tags);
    return { TableDescription: this.described(objectOf(output.TableDescription)) };
  }

  /** Tells the meter what a table has, after anything that may have changed it and at the start over kept tables. */
  async readUnits(name: string): Promise<void> {
    await this.untilActive(name);
    const { Table } = await this.engine.run("DescribeTable", { TableName: name });
    const { ReadCapacityUnits, WriteCapacityUnits } = objectOf(objectOf(Table).ProvisionedThroughput);
    // A table on demand has none.
    const units = { Read: Number(ReadCapacityUnits ?? 0), Write: Number(WriteCapacityUnits ?? 0) };
    this.meter.setUnits(name, units.Write > 0 ? units : null);
  }

  /** dynalite opens a table in the next turns of the event loop; callers need not wait for it as on AWS. */
  private async untilActive(name: string): Promise<void> {
    for (let attempt = 0; attempt < 1000; attempt += 1) {
      const { Table } = await this.engine.run("DescribeTable", { TableName: name });
      if (objectOf(Table).TableStatus === "ACTIVE") return;
      await nextTurn();
    }
    throw new AwsError("InternalServerError", `The table ${name} did not become active.`, 500);
  }

  private async deleteTable(input: Input): Promise<Input> {
    const name = String(input.TableName);
    if (this.settings.isProtected(name))
      throw new AwsError(
        "ValidationException",
        `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection of ${name} first.`,
      );
    const output = await this.engine.run("DeleteTable", input);
    await this.untilGone(name);
    this.settings.remove(name);
    this.meter.setUnits(name, null);
    this.metered.forget(name);
    return output;
  }

  private async untilGone(name: string): Promise<void> {
    for (let attempt = 0; attempt < 1000; attempt += 1) {
      try {
        await this.engine.run("DescribeTable", { TableName: name });
      } catch (error) {
        if (error instanceof DynamoError && error.code === "ResourceNotFoundException") return;
        throw error;
      }
      await nextTurn();
    }
    throw new AwsError("InternalServerError", `The table ${name} was not deleted.`, 500);
  }

  private async protect(input: Input): Promise<Input> {
    const { DeletionProtectionEnabled, ...rest } = input;
    const name = this.knownTable(input);
    this.settings.setProtected(name, DeletionProtectionEnabled === true);
    if (Object.keys(rest).length > 1) {
      const output = await this.engine.run("UpdateTable", rest);
      await this.readUnits(name);
      return output;
    }
    const { Table } = await this.engine.run("DescribeTable", { TableName: name });
    return { TableDescription: this.described(objectOf(Table)) };
  }

  private knownTable(input: Input): string {
    const name = tableName(String(input.TableName ?? ""));
    if (!this.settings.has(name))
      throw new AwsError("ResourceNotFoundException", `Requested resource not found: Table: ${name} not found`);
    return name;
  }

  private resourceTable(input: Input): string {
    return this.knownTable({ TableName: input.ResourceArn });
  }

  private updateTtl(input: Input): Input {
    const name = this.knownTable(input);
    const { AttributeName, Enabled } = objectOf(input.TimeToLiveSpecification);
    if (typeof AttributeName !== "string" || typeof Enabled !== "boolean")
      throw new AwsError("ValidationException", "TimeToLiveSpecification needs AttributeName (string) and Enabled (boolean).");
    this.settings.setTtl(name, AttributeName, Enabled);
    return { TimeToLiveSpecification: { AttributeName, Enabled } };
  }

  private updateBackups(input: Input): Input {
    const name = this.knownTable(input);
    const { PointInTimeRecoveryEnabled } = objectOf(input.PointInTimeRecoverySpecification);
    this.settings.setRecovery(name, PointInTimeRecoveryEnabled === true);
    return { ContinuousBackupsDescription: this.settings.describeBackups(name) };
  }

  private listTables(input: Input): Input {
    const limit = typeof input.Limit === "number" ? input.Limit : 100;
    const names = this.settings.names().filter((name) => name > String(input.ExclusiveStartTableName ?? ""));
    const page = names.slice(0, limit);
    return names.length > limit ? { TableNames: page, LastEvaluatedTableName: page.at(-1) } : { TableNames: page };
  }

  private tag(input: Input): Input {
    this.settings.putTags(this.resourceTable(input), Array.isArray(input.Tags) ? input.Tags : []);
    return {};
  }

  private untag(input: Input): Input {
    this.settings.removeTags(this.resourceTable(input), Array.isArray(input.TagKeys) ? input.TagKeys.map(String) : []);
    return {};
  }
}

function reply(status: number, body: Readonly<Record<string, unknown>>, code?: string): AwsResponse {
  const headers: Record<string, string> = { "content-type": "application/x-amz-json-1.0" };
  if (code !== undefined) headers["x-amzn-errortype"] = code;
  return { status, headers, body: JSON.stringify(body) };
}

function objectOf(value: unknown): Input {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Input) : {};
}

function tableName(nameOrArn: string): string {
  return nameOrArn.startsWith("arn:") ? nameOrArn.slice(nameOrArn.indexOf("/") + 1) : nameOrArn;
}

/** dynalite only knows tables by name. */
function withTableNames(input: Input): Input {
  const named = typeof input.TableName === "string" ? { ...input, TableName: tableName(input.TableName) } : input;
  if (typeof named.RequestItems !== "object" || named.RequestItems === null) return named;
  return {
    ...named,
    RequestItems: Object.fromEntries(Object.entries(named.RequestItems).map(([table, item]) => [tableName(table), item])),
  };
}

export function createDynamoDbService(context: LocalContext, options: DynamoDbOptions): DynamoDbService {
  return new DynamoDbService(context, options);
}
