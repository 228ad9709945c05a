/** Making, changing and deleting tables. */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
import { type DynamoEngine, DynamoError } from "./engine";
import type { Meter } from "./meter";

type Input = Readonly<Record<string, unknown>>;

/** What DynamoDB keeps about a table besides its items. */
interface Settings {
  readonly protected: boolean;
  /** Attribute with the second at which an item expires; undefined: none does. */
  readonly ttlAttribute?: string | undefined;
  /** The customer-managed key that encrypts the table; undefined for AWS's own. */
  readonly keyId?: string | undefined;
}

/** The part of DescribeTable's response that the runtime reads. */
export interface Description {
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
  /** By table name. */
  readonly settings: Documents<Settings>;

  constructor(
    db: DatabaseSync,
    private readonly engine: DynamoEngine,
    private readonly meter: Meter,
  ) {
    this.settings = new Documents(db, "dynamodb_table_documents");
  }

  async create(input: Input): Promise<void> {
    await this.engine.run("CreateTable", input);
    await this.readUnits(String(input.TableName));
  }

  async update(input: Input): Promise<void> {
    await this.engine.run("UpdateTable", input);
    await this.readUnits(String(input.TableName));
  }

  async delete(name: string): Promise<void> {
    if (this.settings.get(name)?.protected)
      throw new AwsError(
        "ValidationException",
        `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection of ${name} first.`,
      );
    await this.engine.run("DeleteTable", { TableName: name });
    await this.until(name, (table) => table === undefined, "was not deleted");
    this.settings.delete(name);
    this.meter.setUnits(name, null);
  }

  async find(TableName: string): Promise<Description | undefined> {
    try {
      return (await this.engine.run("DescribeTable", { TableName })).Table as Description;
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
