/** DynamoDB's tables: conditional writes, strongly consistent reads, and keys that a batch leaves unprocessed. */
import type {
  BatchGetItemCommandInput,
  BatchGetItemCommandOutput,
  DeleteItemCommandInput,
  GetItemCommandInput,
  PutItemCommandInput,
  QueryCommandInput,
  UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { Random } from "../kernel/random";
import { serviceError, throttledError } from "../kernel/service-errors";
import { type Condition, holds, type Item } from "./expressions";

/** Makes the SDK's own error, which callers know by its class. */
export type Refusal = (item: Item | undefined) => Error;

interface Conditional {
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Item | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

export class DynamoDb {
  readonly tables = new Map<string, Map<string, Item>>();

  constructor(
    private readonly keys: Readonly<Record<string, readonly string[]>>,
    private readonly random: Random,
    /** Whether the tables are short of units now. */
    private readonly isShort: () => boolean,
    private readonly refuse: Refusal,
  ) {}

  items(table: string): readonly Item[] {
    return [...this.#table(table).values()];
  }

  /** One call. Inputs have the SDK's types, by the command's name. */
  handle(action: string, input: object): object {
    switch (action) {
      case "PutItem":
        return this.#put(input as PutItemCommandInput);
      case "UpdateItem":
        return this.#update(input as UpdateItemCommandInput);
      case "DeleteItem":
        return this.#delete(input as DeleteItemCommandInput);
      case "GetItem":
        return this.#get(input as GetItemCommandInput);
      case "BatchGetItem":
        return this.#batchGet(input as BatchGetItemCommandInput);
      case "Query":
        return this.#query(input as QueryCommandInput);
      default:
        throw new Error(`The simulated DynamoDB doesn't know ${action}; add it to simulation/services/dynamodb.ts.`);
    }
  }

  #put({ TableName = "", Item = {}, ...condition }: PutItemCommandInput): object {
    const table = this.#table(TableName);
    const key = this.#keyOf(TableName, Item);
    this.#check(condition, table.get(key));
    table.set(key, Item);
    return {};
  }

  #update({ TableName = "", Key = {}, UpdateExpression = "", ...condition }: UpdateItemCommandInput): object {
    const table = this.#table(TableName);
    const key = this.#keyOf(TableName, Key);
    const before = table.get(key);
    this.#check(condition, before);
    const item: Item = { ...(before ?? Key) };
    for (const assignment of UpdateExpression.replace(/^SET /, "").split(", ")) {
      const [, name = "", value = ""] = /^(\S+) = (:\w+)$/.exec(assignment) ?? [];
      const given = condition.ExpressionAttributeValues?.[value];
      if (given === undefined) throw serviceError("ValidationException", 400, `Not modelled: ${UpdateExpression}`);
      item[condition.ExpressionAttributeNames?.[name] ?? name] = given;
    }
    table.set(key, item);
    return {};
  }

  #delete({ TableName = "", Key = {}, ...condition }: DeleteItemCommandInput): object {
    const table = this.#table(TableName);
    const key = this.#keyOf(TableName, Key);
    this.#check(condition, table.get(key));
    table.delete(key);
    return {};
  }

  #get({ TableName = "", Key = {} }: GetItemCommandInput): object {
    const item = this.#table(TableName).get(this.#keyOf(TableName, Key));
    return item === undefined ? {} : { Item: item };
  }

  /** Without units for any key, the whole call is refused; with units for some, the others are left unprocessed. */
  #batchGet({ RequestItems = {} }: BatchGetItemCommandInput): Partial<BatchGetItemCommandOutput> {
    const Responses: Record<string, Item[]> = {};
    const UnprocessedKeys: NonNullable<BatchGetItemCommandOutput["UnprocessedKeys"]> = {};
    for (const [table, { Keys = [] }] of Object.entries(RequestItems)) {
      const units = this.isShort() ? this.random.between(0, Keys.length) : Keys.length;
      if (units === 0 && Keys.length > 0) throw throttledError("dynamodb");
      const items = Keys.slice(0, units).map((key) => this.#table(table).get(this.#keyOf(table, key)));
      // Items come in no particular order.
      Responses[table] = items.filter((item) => item !== undefined).reverse();
      if (units < Keys.length) UnprocessedKeys[table] = { Keys: Keys.slice(units) };
    }
    return { Responses, UnprocessedKeys };
  }

  /** The newest item of a hash key; the platform asks for nothing else. */
  #query({ TableName = "", ExpressionAttributeValues = {} }: QueryCommandInput): object {
    const [hashKey = "", rangeKey = ""] = this.keys[TableName] ?? [];
    const wanted = Object.values(ExpressionAttributeValues)[0]?.S;
    const found = this.items(TableName).filter((item) => item[hashKey]?.S === wanted);
    return { Items: found.sort((a, b) => Number(b[rangeKey]?.N) - Number(a[rangeKey]?.N)).slice(0, 1) };
  }

  #check(conditional: Conditional, item: Item | undefined): void {
    const {
      ConditionExpression: expression,
      ExpressionAttributeNames: names = {},
      ExpressionAttributeValues: values = {},
    } = conditional;
    if (expression === undefined) return;
    const condition: Condition = { expression, names, values };
    if (holds(condition, item)) return;
    throw this.refuse(conditional.ReturnValuesOnConditionCheckFailure === "ALL_OLD" ? item : undefined);
  }

  #table(name: string): Map<string, Item> {
    const present = this.tables.get(name);
    if (present !== undefined) return present;
    if (this.keys[name] === undefined) throw serviceError("ResourceNotFoundException", 400, `No table ${name}.`);
    const made = new Map<string, Item>();
    this.tables.set(name, made);
    return made;
  }

  #keyOf(table: string, item: Item): string {
    return JSON.stringify((this.keys[table] ?? []).map((name) => item[name]?.S ?? item[name]?.N ?? null));
  }
}
