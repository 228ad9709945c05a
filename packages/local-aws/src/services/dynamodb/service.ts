/** DynamoDB on the endpoint: dynalite's items and tables, and what it lacks (expiry, deletion protection, units). */
import { recordOf } from "@risk/program-graph";
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
import type { MetricSink } from "../sqs";
import { DynamoEngine, DynamoError, ENGINE_ACTIONS, type EngineAction } from "./engine";
import { deleteExpired } from "./expiry";
import { Meter, type Metering, type Usage } from "./meter";
import { MeteredEngine } from "./metered";
import { TableSettings } from "./settings";
import { Tables } from "./tables";

type Input = Record<string, unknown>;

export interface DynamoDbOptions {
  readonly gate: Pick<ServiceGate, "callerPermissions">;
  /** Default off. */
  readonly metering?: Metering;
  readonly metrics?: MetricSink;
  readonly onFirstRefusal?: (usage: Usage) => void;
}

export class DynamoDbService implements AwsService {
  readonly name = "dynamodb";
  readonly meter: Meter;
  readonly settings: TableSettings;
  private readonly engine: DynamoEngine;
  private readonly metered: MeteredEngine;
  readonly tables: Tables;

  constructor(
    private readonly context: LocalContext,
    private readonly options: DynamoDbOptions,
  ) {
    this.engine = new DynamoEngine(context.db, context);
    this.settings = new TableSettings(context.db);
    this.meter = new Meter(options.metering ?? "off", {
      now: () => context.clock.now(),
      metric: (name, value, dimensions) => options.metrics?.("AWS/DynamoDB", name, dimensions, value, "Count"),
      onFirstRefusal: (usage) => options.onFirstRefusal?.(usage),
    });
    this.metered = new MeteredEngine(this.engine, this.meter);
    this.tables = new Tables(this.engine, this.settings, this.meter);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const input = jsonBody(request);
    const action = `dynamodb:${request.action}`;
    if (request.action === "ListTables") return [{ action, resource: "*" }];
    const tables =
      request.action === "BatchGetItem" ? Object.keys(recordOf(input.RequestItems)) : [String(input.TableName ?? "")];
    return tables.flatMap((table) => {
      const arn = this.arnOf(table);
      const resource = typeof input.IndexName === "string" ? `${arn}/index/${input.IndexName}` : arn;
      return [{ action, resource }, ...this.options.gate.callerPermissions(action, arn, this.settings.keyOf(table))];
    });
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

  /** Any supported action with the API's own JSON. Throws {@link DynamoError} or {@link AwsError}. */
  async call(action: string, input: Input): Promise<Input> {
    if (action === "ListTables") return this.listTables(input);
    const known = ENGINE_ACTIONS.find((name) => name === action);
    if (!known) throw unsupportedAction("dynamodb", action, [...ENGINE_ACTIONS, "ListTables"].sort());
    switch (known) {
      case "CreateTable":
        return this.tables.create(input);
      case "UpdateTable":
        return this.tables.update(input);
      case "DeleteTable":
        return this.tables.delete(input);
      case "DescribeTable":
        return { Table: await this.tables.describe(input) };
      default:
        return this.items(known, input);
    }
  }

  /** Deletes expired items as TTL does; returns how many. AWS does so within days, this at every call. */
  async sweepExpired(): Promise<number> {
    let deleted = 0;
    for (const { table, attribute } of this.settings.tablesWithTtl())
      deleted += await deleteExpired(this.engine, table, attribute, this.context.clock.now());
    return deleted;
  }

  private arnOf(table: string): string {
    return `arn:aws:dynamodb:${this.context.region}:${this.context.accountId}:table/${table}`;
  }

  /** Item actions; dynalite lacks the item that failed a condition. */
  private async items(action: EngineAction, input: Input): Promise<Input> {
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
      return await this.metered.run(action, rest);
    } catch (error) {
      if (onFailure !== "ALL_OLD" || !(error instanceof DynamoError) || error.code !== "ConditionalCheckFailedException")
        throw error;
      const table = String(rest.TableName);
      const key = rest.Key ?? (await this.engine.keyOf(table, recordOf(rest.Item)));
      const Item = await this.engine.item(table, recordOf(key));
      throw new DynamoError(error.status, { ...error.body, ...(Item === undefined ? {} : { Item }) });
    }
  }

  private listTables(input: Input): Input {
    const limit = typeof input.Limit === "number" ? input.Limit : 100;
    const names = this.settings.names().filter((name) => name > String(input.ExclusiveStartTableName ?? ""));
    const page = names.slice(0, limit);
    return names.length > limit ? { TableNames: page, LastEvaluatedTableName: page.at(-1) } : { TableNames: page };
  }
}

function reply(status: number, body: Readonly<Record<string, unknown>>, code?: string): AwsResponse {
  const headers: Record<string, string> = { "content-type": "application/x-amz-json-1.0" };
  if (code !== undefined) headers["x-amzn-errortype"] = code;
  return { status, headers, body: JSON.stringify(body) };
}
