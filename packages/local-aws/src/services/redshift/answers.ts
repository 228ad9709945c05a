/** Responses of the Data API about a statement. */
import { AwsError } from "../../contracts";
import type { Part, Statement } from "./statements";

export function describe(statement: Statement): object {
  const single = statement.isBatch ? undefined : statement.parts[0];
  const hasResultSet = statement.status === "FINISHED" && statement.parts.some((part) => part.result?.hasResultSet);
  return {
    Id: statement.id,
    Status: statement.status,
    CreatedAt: seconds(statement.createdAt),
    UpdatedAt: seconds(statement.updatedAt),
    // Nanoseconds.
    Duration: Math.round((statement.updatedAt - statement.createdAt) * 1e6),
    Database: statement.database,
    WorkgroupName: statement.workgroupName,
    HasResultSet: hasResultSet,
    ResultRows: single?.result?.rowCount ?? -1,
    ...(single === undefined ? {} : { QueryString: single.sql }),
    ...(statement.error === undefined ? {} : { Error: statement.error }),
    ...(statement.isBatch
      ? { SubStatements: statement.parts.map((part, index) => describePart(statement.id, part, index)) }
      : {}),
  };
}

function describePart(id: string, part: Part, index: number): object {
  return {
    Id: `${id}:${index + 1}`,
    Status: part.status,
    HasResultSet: part.result?.hasResultSet ?? false,
    QueryString: part.sql,
    ResultRows: part.result?.rowCount ?? -1,
    ...(part.error === undefined ? {} : { Error: part.error }),
  };
}

/** `id:2` is the second statement of a batch. */
export function partOf(statement: Statement, id: string): Part {
  const index = id.includes(":") ? Number(id.split(":")[1]) - 1 : 0;
  const part = statement.parts[index];
  if (part === undefined || (statement.isBatch && !id.includes(":") && statement.parts.length > 1)) {
    throw new AwsError(
      "ValidationException",
      `${id} names no statement with a result. A batch has results by its sub-statements: ${statement.id}:1 to :${statement.parts.length}.`,
    );
  }
  return part;
}

export function fieldOf(field: string | null, kind: string | undefined): unknown {
  if (field === null) return { isNull: true };
  if (kind === "long") return { longValue: Number(field) };
  if (kind === "double") return { doubleValue: Number(field) };
  if (kind === "boolean") return { booleanValue: field === "t" };
  return { stringValue: field };
}

export function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}
