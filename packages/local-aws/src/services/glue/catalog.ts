/** The Glue Data Catalog: databases, and the tables that Athena reads. https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html */
import { AwsError, type GraphResource } from "../../contracts";
import { Fields } from "../../engine/fields";

export interface CatalogColumn {
  readonly name: string;
  /** Hive's name of the type. */
  readonly type: string;
  readonly comment: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface CatalogTable {
  readonly database: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly tableType: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly partitionKeys: readonly CatalogColumn[];
  readonly columns: readonly CatalogColumn[];
  /** `s3://bucket/prefix/` */
  readonly location: string;
  readonly inputFormat: string | undefined;
  readonly outputFormat: string | undefined;
  readonly compressed: boolean;
  readonly serde: { readonly library: string; readonly parameters: Readonly<Record<string, string>> };
}

/** Glue API reference, Column: Comment. */
const MAX_COMMENT = 255;

export class GlueCatalog {
  private readonly databases = new Map<string, string | undefined>();
  private readonly tables = new Map<string, CatalogTable>();

  putDatabase(name: string, description: string | undefined): void {
    this.databases.set(name, description);
  }

  /** Its tables go with it. */
  deleteDatabase(name: string): void {
    this.databases.delete(name);
    for (const [key, { database }] of this.tables) if (database === name) this.tables.delete(key);
  }

  /** @throws AwsError EntityNotFoundException without its database */
  putTable(table: CatalogTable): void {
    this.database(table.database);
    this.tables.set(keyOf(table.database, table.name), table);
  }

  deleteTable(database: string, name: string): void {
    this.tables.delete(keyOf(database, name));
  }

  /** @throws AwsError EntityNotFoundException */
  database(name: string): { readonly name: string; readonly description: string | undefined } {
    if (!this.databases.has(name)) throw new AwsError("EntityNotFoundException", `Database ${name} not found.`);
    return { name, description: this.databases.get(name) };
  }

  findTable(database: string, name: string): CatalogTable | undefined {
    return this.tables.get(keyOf(database, name));
  }

  /** @throws AwsError EntityNotFoundException */
  table(database: string, name: string): CatalogTable {
    const found = this.findTable(database, name);
    if (found === undefined) throw new AwsError("EntityNotFoundException", `Table ${name} not found in database ${database}.`);
    return found;
  }

  tablesOf(database: string): CatalogTable[] {
    return [...this.tables.values()].filter((table) => table.database === database);
  }
}

const keyOf = (database: string, name: string): string => `${database}.${name}`;

/** @throws Error naming the field of the resource that the service would refuse */
export function catalogTableOf({ type, inputs, state }: GraphResource): CatalogTable {
  const name = String(state.name);
  const fields = new Fields(inputs, `${type} (${name})`);
  const storage = fields.in("storageDescriptor");
  const serde = storage.in("serDeInfo");
  return {
    database: fields.need("databaseName"),
    name,
    description: fields.text("description"),
    tableType: fields.text("tableType"),
    parameters: texts(fields.record("parameters")),
    partitionKeys: fields.items("partitionKeys").map((column) => columnOf(column, name)),
    columns: storage.items("columns").map((column) => columnOf(column, name)),
    location: storage.need("location"),
    inputFormat: storage.text("inputFormat"),
    outputFormat: storage.text("outputFormat"),
    compressed: storage.flag("compressed") ?? false,
    serde: { library: serde.need("serializationLibrary"), parameters: texts(serde.record("parameters")) },
  };
}

function columnOf(fields: Fields, table: string): CatalogColumn {
  const name = fields.need("name");
  const comment = fields.text("comment");
  if (comment !== undefined && comment.length > MAX_COMMENT)
    throw new Error(`${table}.${name}: the comment has ${comment.length} characters, the limit is ${MAX_COMMENT}. Shorten it.`);
  return { name, type: fields.text("type") ?? "string", comment, parameters: texts(fields.record("parameters")) };
}

const texts = (record: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));

/** `Table` of the API. */
export const describeTable = (table: CatalogTable, catalogId: string): object => ({
  Name: table.name,
  DatabaseName: table.database,
  CatalogId: catalogId,
  ...(table.description === undefined ? {} : { Description: table.description }),
  ...(table.tableType === undefined ? {} : { TableType: table.tableType }),
  Parameters: table.parameters,
  PartitionKeys: table.partitionKeys.map(describeColumn),
  StorageDescriptor: {
    Columns: table.columns.map(describeColumn),
    Location: table.location,
    InputFormat: table.inputFormat,
    OutputFormat: table.outputFormat,
    Compressed: table.compressed,
    SerdeInfo: { SerializationLibrary: table.serde.library, Parameters: table.serde.parameters },
  },
});

const describeColumn = ({ name, type, comment, parameters }: CatalogColumn): object => ({
  Name: name,
  Type: type,
  ...(comment === undefined ? {} : { Comment: comment }),
  ...(Object.keys(parameters).length === 0 ? {} : { Parameters: parameters }),
});
