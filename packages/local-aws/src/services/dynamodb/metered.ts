/**
 * Item actions on metered tables: what each costs, in the units of "Capacity unit consumption for read and write operations" (DynamoDB
 * developer guide).
 */
import { itemBytes, READ_UNIT_BYTES, WRITE_UNIT_BYTES } from "../item-size";
import { type DynamoEngine, DynamoError, type EngineAction, type WireItem } from "./engine";
import { type Meter, throttled } from "./meter";

type Input = Record<string, unknown>;

export class MeteredEngine {
  constructor(
    private readonly engine: DynamoEngine,
    private readonly meter: Meter,
  ) {}

  /** Runs one action. @throws DynamoError ProvisionedThroughputExceededException when the table has no units left */
  async run(action: EngineAction, input: Input): Promise<Input> {
    if (action === "BatchGetItem") return this.batch(input);
    if (!this.meter.meters(String(input.TableName))) return this.engine.run(action, input);
    switch (action) {
      case "PutItem":
      case "UpdateItem":
      case "DeleteItem":
        return this.write(action, input);
      case "GetItem":
        return this.get(input);
      case "Query":
      case "Scan":
        return this.query(action, input);
      default:
        return this.engine.run(action, input);
    }
  }

  /**
   * A write costs the larger of the item before and after; one whose condition fails costs the item that is there, a unit at least.
   * The size after an update is known only afterwards.
   */
  private async write(action: EngineAction, input: Input): Promise<Input> {
    const table = String(input.TableName);
    const { Item, Key } = input as { readonly Item?: WireItem; readonly Key?: WireItem };
    const key = Key ?? (await this.engine.keyOf(table, Item ?? {}));
    const before = writeUnits(await this.engine.item(table, key));
    const expected = Math.max(before, writeUnits(Item));
    this.meter.take(table, "Write", expected);
    try {
      const output = await this.engine.run(action, input);
      const after = action === "UpdateItem" ? Math.max(before, writeUnits(await this.engine.item(table, key))) : expected;
      this.meter.spend(table, "Write", after, expected);
      return withCapacity(output, input, table, after);
    } catch (error) {
      const failed = error instanceof DynamoError && error.code === "ConditionalCheckFailedException";
      // Any other refusal is one of the request itself, and costs nothing.
      this.meter.spend(table, "Write", failed ? before : 0, expected);
      throw error;
    }
  }

  private async get(input: Input): Promise<Input> {
    const table = String(input.TableName);
    const output = await this.engine.run("GetItem", input);
    const whole = await this.engine.item(table, input.Key as WireItem);
    const cost = readUnits(whole, input.ConsistentRead === true);
    this.meter.take(table, "Read", cost);
    this.meter.spend(table, "Read", cost);
    return withCapacity(output, input, table, cost);
  }

  /** Every item that is read costs, even if it is filtered out; dynalite adds up the sizes. */
  private async query(action: "Query" | "Scan", input: Input): Promise<Input> {
    const table = String(input.TableName);
    const output = await this.engine.run(action, { ...input, ReturnConsumedCapacity: "TOTAL" });
    const looked = Number((output.ConsumedCapacity as { readonly CapacityUnits?: number } | undefined)?.CapacityUnits ?? 0);
    const cost = Math.max(looked, input.ConsistentRead === true ? 1 : 0.5);
    this.meter.take(table, "Read", cost);
    this.meter.spend(table, "Read", cost);
    return withCapacity(output, input, table, cost);
  }

  /** Keys without units left are returned as unprocessed; when there are units for none, the call is refused ("BatchGetItem", API reference). */
  private async batch(input: Input): Promise<Input> {
    const admitted: Record<string, unknown> = {};
    const left: Record<string, unknown> = {};
    const ConsumedCapacity: object[] = [];
    for (const [table, request] of Object.entries((input.RequestItems ?? {}) as Readonly<Record<string, BatchRead>>)) {
      if (!this.meter.meters(table)) {
        admitted[table] = request;
        continue;
      }
      const { taken, refused, cost } = await this.admit(table, request);
      if (taken.length > 0) admitted[table] = { ...request, Keys: taken };
      if (refused.length > 0) left[table] = { ...request, Keys: refused };
      ConsumedCapacity.push({ TableName: table, CapacityUnits: cost });
    }
    if (Object.keys(left).length > 0 && Object.keys(admitted).length === 0) throw throttled();
    const output = await this.engine.run("BatchGetItem", { ...input, RequestItems: admitted });
    const more = (output.UnprocessedKeys ?? {}) as Input;
    const asked = input.ReturnConsumedCapacity === "TOTAL" || input.ReturnConsumedCapacity === "INDEXES";
    return { ...output, UnprocessedKeys: { ...more, ...left }, ...(asked ? { ConsumedCapacity } : {}) };
  }

  private async admit(
    table: string,
    request: BatchRead,
  ): Promise<{ readonly taken: readonly WireItem[]; readonly refused: readonly WireItem[]; readonly cost: number }> {
    const taken: WireItem[] = [];
    const refused: WireItem[] = [];
    let cost = 0;
    for (const key of request.Keys) {
      const units = readUnits(await this.engine.item(table, key), request.ConsistentRead === true);
      if (this.meter.tryTake(table, "Read", units)) {
        this.meter.spend(table, "Read", units);
        taken.push(key);
        cost += units;
      } else refused.push(key);
    }
    return { taken, refused, cost };
  }
}

interface BatchRead {
  readonly Keys: readonly WireItem[];
  readonly ConsistentRead?: boolean;
}

/** A missing item costs one unit. */
const writeUnits = (item: WireItem | undefined): number =>
  Math.max(1, Math.ceil((item === undefined ? 0 : itemBytes(item)) / WRITE_UNIT_BYTES));

function readUnits(item: WireItem | undefined, consistent: boolean): number {
  const units = Math.max(1, Math.ceil((item === undefined ? 0 : itemBytes(item)) / READ_UNIT_BYTES));
  return consistent ? units : units / 2;
}

function withCapacity(output: Input, input: Input, table: string, cost: number): Input {
  const { ConsumedCapacity: _, ...rest } = output;
  const { ReturnConsumedCapacity: asked } = input;
  if (asked !== "TOTAL" && asked !== "INDEXES") return rest;
  const detail = asked === "INDEXES" ? { Table: { CapacityUnits: cost } } : {};
  return { ...rest, ConsumedCapacity: { TableName: table, CapacityUnits: cost, ...detail } };
}
