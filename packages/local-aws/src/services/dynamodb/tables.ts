/** Making, changing and deleting tables. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { AwsError } from "../../contracts";
import { type DynamoEngine, DynamoError } from "./engine";
import type { Meter } from "./meter";
import type { TableSettings } from "./settings";

type Input = Readonly<Record<string, unknown>>;

/** The part of DescribeTable's response that the runtime reads. */
export interface Description {
  readonly TableName: string;
  readonly TableStatus: string;
  readonly KeySchema: unknown;
  readonly BillingModeSummary?: { readonly BillingMode?: string };
  readonly ProvisionedThroughput?: Capacity;
}

export interface Capacity {
  readonly ReadCapacityUnits: number;
  readonly WriteCapacityUnits: number;
}

export class Tables {
  constructor(
    private readonly engine: DynamoEngine,
    private readonly settings: TableSettings,
    private readonly meter: Meter,
  ) {}

  async create(input: Input): Promise<Record<string, unknown>> {
    const { TableDescription } = await this.engine.run("CreateTable", input);
    const name = String(input.TableName);
    await this.readUnits(name);
    this.settings.register(name);
    return { TableDescription };
  }

  async update(input: Input): Promise<Record<string, unknown>> {
    const output = await this.engine.run("UpdateTable", input);
    await this.readUnits(String(input.TableName));
    return output;
  }

  async delete(input: Input): Promise<Record<string, unknown>> {
    const name = String(input.TableName);
    if (this.settings.isProtected(name))
      throw new AwsError(
        "ValidationException",
        `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection of ${name} first.`,
      );
    const output = await this.engine.run("DeleteTable", input);
    await this.until(name, (table) => table === undefined, "was not deleted");
    this.settings.remove(name);
    this.meter.setUnits(name, null);
    return output;
  }

  async describe(input: Input): Promise<Description> {
    const { Table } = (await this.engine.run("DescribeTable", input)) as { readonly Table: Description };
    return { ...Table, ...{ DeletionProtectionEnabled: this.settings.isProtected(Table.TableName) } };
  }

  async find(TableName: string): Promise<Description | undefined> {
    try {
      return await this.describe({ TableName });
    } catch (error) {
      if (error instanceof DynamoError && error.code === "ResourceNotFoundException") return undefined;
      throw error;
    }
  }

  /** Gives the meter a table's units: after every change, and at a start over kept tables. */
  async readUnits(name: string): Promise<void> {
    const table = await this.until(name, (found) => found?.TableStatus === "ACTIVE", "did not become active");
    // A table on demand has none.
    const { ReadCapacityUnits: Read = 0, WriteCapacityUnits: Write = 0 } = table?.ProvisionedThroughput ?? {};
    this.meter.setUnits(name, Write > 0 ? { Read, Write } : null);
  }

  /** dynalite opens and closes a table in the next turns of the event loop; callers need not wait for it as on AWS. */
  private async until(
    name: string,
    settled: (table: Description | undefined) => boolean,
    otherwise: string,
  ): Promise<Description | undefined> {
    for (let attempt = 0; attempt < 1000; attempt += 1) {
      const table = await this.find(name);
      if (settled(table)) return table;
      await nextTurn();
    }
    throw new AwsError("InternalServerError", `The table ${name} ${otherwise}.`, 500);
  }
}
