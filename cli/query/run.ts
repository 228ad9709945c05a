/** Sends a query, waits for its end, and fetches all its rows. */
import { setTimeout as pause } from "node:timers/promises";
import {
  GetNamedQueryCommand,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  paginateListNamedQueries,
  type QueryExecution,
  type Row as ResultRow,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import { UsageError } from "../options";
import type { QueryTarget } from "./target";

export interface SavedQuery {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly scannedBytes: number;
  readonly milliseconds: number;
  readonly outputLocation: string;
}

/** By name. */
export async function savedQueries({ athena, workgroup }: QueryTarget): Promise<SavedQuery[]> {
  const saved: SavedQuery[] = [];
  for await (const page of paginateListNamedQueries({ client: athena }, { WorkGroup: workgroup })) {
    for (const NamedQueryId of page.NamedQueryIds ?? []) {
      const { NamedQuery } = await athena.send(new GetNamedQueryCommand({ NamedQueryId }));
      saved.push({
        name: NamedQuery?.Name ?? "",
        description: NamedQuery?.Description ?? "",
        sql: NamedQuery?.QueryString ?? "",
      });
    }
  }
  return saved.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws UsageError with the names that there are */
export async function savedQuery(target: QueryTarget, name: string): Promise<SavedQuery> {
  const all = await savedQueries(target);
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`--saved: there is no query ${name}; there is ${all.map((one) => one.name).join(", ") || "none"}.`);
}

/**
 * @param signal stops the query, which would be billed otherwise
 * @throws Error with Athena's reason for a query that failed or was cancelled
 */
export async function runQuery(target: QueryTarget, sql: string, signal?: AbortSignal): Promise<QueryAnswer> {
  const { athena, workgroup: WorkGroup, database: Database } = target;
  const started = await athena.send(
    new StartQueryExecutionCommand({ QueryString: sql, WorkGroup, QueryExecutionContext: { Database } }),
  );
  const QueryExecutionId = started.QueryExecutionId ?? "";
  const stop = () => void athena.send(new StopQueryExecutionCommand({ QueryExecutionId })).catch(() => undefined); // its end is reported anyway
  signal?.addEventListener("abort", stop);
  const execution = await ended(target, QueryExecutionId).finally(() => signal?.removeEventListener("abort", stop));
  const { State, StateChangeReason } = execution.Status ?? {};
  if (State !== "SUCCEEDED")
    throw new Error(`The query ${String(State).toLowerCase()}: ${StateChangeReason ?? "no reason given"}`);
  const rows: ResultRow[] = [];
  let columns: QueryAnswer["columns"] = [];
  for await (const page of paginateGetQueryResults({ client: athena }, { QueryExecutionId })) {
    rows.push(...(page.ResultSet?.Rows ?? []));
    columns = (page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = "", Type = "" }) => ({
      name: Name,
      type: Type,
    }));
  }
  return {
    columns,
    // The first one is the header.
    rows: rows.slice(1).map(({ Data = [] }) => Data.map(({ VarCharValue = null }) => VarCharValue)),
    scannedBytes: execution.Statistics?.DataScannedInBytes ?? 0,
    milliseconds: execution.Statistics?.TotalExecutionTimeInMillis ?? 0,
    outputLocation: execution.ResultConfiguration?.OutputLocation ?? "",
  };
}

async function ended({ athena, pollMs }: QueryTarget, QueryExecutionId: string): Promise<QueryExecution> {
  for (;;) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const state = QueryExecution?.Status?.State;
    if (QueryExecution !== undefined && state !== "QUEUED" && state !== "RUNNING") return QueryExecution;
    await pause(pollMs);
  }
}
