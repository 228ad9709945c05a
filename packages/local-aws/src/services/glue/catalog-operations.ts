/** What clients ask the Data Catalog. Athena registers no partitions of tables that project theirs, so there are none to list. */
import type { LocalContext } from "../../contracts";
import type { Operation } from "../messaging/operations";
import { describeTable, type GlueCatalog } from "./catalog";

/** ARNs that the caller of an action on a database or table must be allowed. */
export function catalogArns(
  { region, accountId }: Pick<LocalContext, "region" | "accountId">,
  database: string,
  table?: string,
): string[] {
  const arn = (resource: string) => `arn:aws:glue:${region}:${accountId}:${resource}`;
  return [arn("catalog"), arn(`database/${database}`), ...(table === undefined ? [] : [arn(`table/${database}/${table}`)])];
}

export function catalogOperations(
  catalog: GlueCatalog,
  context: Pick<LocalContext, "region" | "accountId">,
): Record<string, Operation> {
  const { accountId } = context;
  return {
    GetDatabase: {
      fields: ["CatalogId", "Name"],
      resource: (input) => catalogArns(context, input.needText("Name")),
      run: (input) => {
        const { name, description } = catalog.database(input.needText("Name"));
        return {
          Database: { Name: name, ...(description === undefined ? {} : { Description: description }), CatalogId: accountId },
        };
      },
    },
    GetTable: {
      fields: ["CatalogId", "DatabaseName", "Name"],
      resource: (input) => catalogArns(context, input.needText("DatabaseName"), input.needText("Name")),
      run: (input) => ({
        Table: describeTable(catalog.table(input.needText("DatabaseName"), input.needText("Name")), accountId),
      }),
    },
    GetTables: {
      fields: ["CatalogId", "DatabaseName"],
      resource: (input) => catalogArns(context, input.needText("DatabaseName"), "*"),
      run: (input) => {
        const { name } = catalog.database(input.needText("DatabaseName"));
        return { TableList: catalog.tablesOf(name).map((table) => describeTable(table, accountId)) };
      },
    },
    GetPartitions: {
      fields: ["CatalogId", "DatabaseName", "TableName"],
      resource: (input) => catalogArns(context, input.needText("DatabaseName"), input.needText("TableName")),
      run: (input) => {
        catalog.table(input.needText("DatabaseName"), input.needText("TableName"));
        return { Partitions: [] };
      },
    },
  };
}
