/** The Redshift Data API behind the {@link DataApi} port, with the AWS SDK. */
import {
  BatchExecuteStatementCommand,
  CancelStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  type Field,
  GetStatementResultCommand,
  type RedshiftDataClient,
} from "@aws-sdk/client-redshift-data";
import type { DataApi, StatementState } from "./sql-client";

export interface Target {
  readonly workgroupName: string;
  readonly database: string;
  /** Credentials in Secrets Manager; without it the caller's IAM role is the database user, with the database roles in its tag RedshiftDbRoles. */
  readonly secretArn: string | undefined;
}

export function createDataApi(client: RedshiftDataClient, target: Target): DataApi {
  const where = {
    WorkgroupName: target.workgroupName,
    Database: target.database,
    ...(target.secretArn === undefined ? {} : { SecretArn: target.secretArn }),
  };
  return {
    async execute({ sql, name, token }) {
      const answer = await client.send(
        new ExecuteStatementCommand({ ...where, Sql: sql, StatementName: name, ClientToken: token }),
      );
      return idOf(answer.Id, "ExecuteStatement");
    },
    async batch({ sqls, name, token }) {
      const answer = await client.send(
        new BatchExecuteStatementCommand({ ...where, Sqls: [...sqls], StatementName: name, ClientToken: token }),
      );
      return idOf(answer.Id, "BatchExecuteStatement");
    },
    async describe(id) {
      const answer = await client.send(new DescribeStatementCommand({ Id: id }));
      return {
        status: statusOf(answer.Status),
        error: answer.Error,
        subStatements: (answer.SubStatements ?? []).map((statement) => ({
          id: idOf(statement.Id, "DescribeStatement"),
          status: statement.Status ?? "",
          error: statement.Error,
        })),
      };
    },
    async result(id, nextToken) {
      const answer = await client.send(
        new GetStatementResultCommand({ Id: id, ...(nextToken === undefined ? {} : { NextToken: nextToken }) }),
      );
      return {
        columns: (answer.ColumnMetadata ?? []).map((column) => column.name ?? ""),
        rows: (answer.Records ?? []).map((record) => record.map(textOf)),
        nextToken: answer.NextToken,
      };
    },
    async cancel(id) {
      await client.send(new CancelStatementCommand({ Id: id }));
    },
  };
}

function idOf(id: string | undefined, action: string): string {
  if (id === undefined) throw new Error(`${action} returned no id, so the statement can't be followed. Try again.`);
  return id;
}

const STATES: readonly StatementState["status"][] = ["SUBMITTED", "PICKED", "STARTED", "FINISHED", "FAILED", "ABORTED"];

function statusOf(status: string | undefined): StatementState["status"] {
  const known = STATES.find((state) => state === status);
  if (known === undefined)
    throw new Error(`DescribeStatement returned the status ${String(status)}, expected one of ${STATES.join(", ")}.`);
  return known;
}

function textOf(field: Field): string | null {
  if (field.isNull) return null;
  const value = field.stringValue ?? field.longValue ?? field.doubleValue ?? field.booleanValue;
  return value === undefined ? null : String(value);
}
