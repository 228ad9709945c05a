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
import { unsupportedAction } from "../../endpoint/endpoint";
import { jsonBody } from "../../endpoint/protocols";
import type { ServiceGate } from "../service-gate";
import type { MetricSink } from "../sqs";
import { DynamoEngine, DynamoError, type EngineAction } from "./engine";
import { deleteExpired } from "./expiry";
import { Meter, type Metering, type Usage } from "./meter";
import { MeteredEngine } from "./metered";
import { Tables } from "./tables";

type Input = Record<string, unknown>;

const ACTIONS: readonly EngineAction[] = ["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"];

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
  private readonly engine: DynamoEngine;
  private readonly metered: MeteredEngine;
  readonly tables: Tables;
  /** By body: what asks for permissions and what carries out a request see the same one. */
  private readonly inputs = new WeakMap<Buffer, Input>();

  constructor(
    private readonly context: LocalContext,
    private readonly options: DynamoDbOptions,
  ) {
    this.engine = new DynamoEngine(context.db, context);
    this.meter = new Meter(options.metering ?? "off", {
      now: () => context.clock.now(),
      metric: (name, value, dimensions) => options.metrics?.("AWS/DynamoDB", name, dimensions, value, "Count"),
      onFirstRefusal: (usage) => options.onFirstRefusal?.(usage),
    });
    this.metered = new MeteredEngine(this.engine, this.meter);
    this.tables = new Tables(context.db, this.engine, this.meter);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const input = this.inputOf(request);
    const action = `dynamodb:${request.action}`;
    const tables =
      request.action === "BatchGetItem" ? Object.keys(recordOf(input.RequestItems)) : [String(input.TableName ?? "")];
    return tables.flatMap((table) => {
      const arn = this.arnOf(table);
      const resource = typeof input.IndexName === "string" ? `${arn}/index/${input.IndexName}` : arn;
      return [{ action, resource }, ...this.options.gate.callerPermissions(action, arn, this.tables.settings.get(table)?.keyId)];
    });
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    try {
      return reply(200, await this.call(request.action, this.inputOf(request)));
    } catch (error) {
      // DynamoDB's errors may carry members besides the message (the item that failed a condition).
      if (error instanceof DynamoError) return reply(error.status, error.body, error.code);
      throw error;
    }
  }

  /**
   * An action on items with the API's own JSON. dynalite lacks the item that failed a condition.
   * @throws DynamoError, AwsError
   */
  async call(name: string, input: Input): Promise<Input> {
    const action = ACTIONS.find((known) => known === name);
    if (!action) throw unsupportedAction("dynamodb", name, ACTIONS);
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

  /** Deletes expired items as TTL does; returns how many. AWS does so within days, this at every call. */
  async sweepExpired(): Promise<number> {
    let deleted = 0;
    for (const [table, { ttlAttribute }] of this.tables.settings.entries())
      if (ttlAttribute !== undefined) deleted += await deleteExpired(this.engine, table, ttlAttribute, this.context.clock.now());
    return deleted;
  }

  private inputOf({ body, ...request }: AwsRequest): Input {
    const input = this.inputs.get(body) ?? jsonBody({ body, ...request });
    this.inputs.set(body, input);
    return input;
  }

  private arnOf(table: string): string {
    return `arn:aws:dynamodb:${this.context.region}:${this.context.accountId}:table/${table}`;
  }
}

function reply(status: number, body: Readonly<Record<string, unknown>>, code?: string): AwsResponse {
  const headers: Record<string, string> = { "content-type": "application/x-amz-json-1.0" };
  if (code !== undefined) headers["x-amzn-errortype"] = code;
  return { status, headers, body: JSON.stringify(body) };
}
