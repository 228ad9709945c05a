/** Results as Athena returns and stores them. https://docs.aws.amazon.com/athena/latest/APIReference/API_ResultSet.html */
import type { LakeResult } from "@risk/local-warehouse";
import type { Execution } from "./executions";

/** `QueryExecution` of the API. */
export function describeExecution(execution: Execution, nowMs: number): object {
  const { id, sql, workgroup, database, outputLocation, state, reason, submittedMs, completedMs, scannedBytes } = execution;
  const milliseconds = (completedMs ?? nowMs) - submittedMs;
  return {
    QueryExecutionId: id,
    Query: sql,
    StatementType: "DML",
    WorkGroup: workgroup,
    ResultConfiguration: { OutputLocation: outputLocation },
    QueryExecutionContext: { ...(database === undefined ? {} : { Database: database }), Catalog: "awsdatacatalog" },
    Status: {
      State: state,
      ...(reason === undefined ? {} : { StateChangeReason: reason }),
      SubmissionDateTime: new Date(submittedMs),
      ...(completedMs === undefined ? {} : { CompletionDateTime: new Date(completedMs) }),
    },
    Statistics: {
      DataScannedInBytes: scannedBytes,
      EngineExecutionTimeInMillis: milliseconds,
      TotalExecutionTimeInMillis: milliseconds,
    },
    EngineVersion: { SelectedEngineVersion: "Athena engine version 3", EffectiveEngineVersion: "Athena engine version 3" },
  };
}

export const rowOf = (values: readonly (string | null)[]): object => ({
  Data: values.map((value) => (value === null ? {} : { VarCharValue: value })),
});

export const metadataOf = ({ columns }: LakeResult): object => ({
  ColumnInfo: columns.map(({ name, type }) => ({
    CatalogName: "hive",
    SchemaName: "",
    TableName: "",
    Name: name,
    Label: name,
    Type: type,
    Nullable: "UNKNOWN",
    CaseSensitive: type === "varchar",
  })),
});

/** Every value in quotes, nothing for null. */
export function csvOf({ columns, rows }: LakeResult): string {
  const line = (values: readonly (string | null)[]) =>
    values.map((value) => (value === null ? "" : `"${value.replaceAll('"', '""')}"`)).join(",");
  return `${[columns.map(({ name }) => name), ...rows].map(line).join("\n")}\n`;
}
