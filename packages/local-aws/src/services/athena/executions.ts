/** Executions of queries: accepted at once, run in the background, kept for a while. */
import { randomUUID } from "node:crypto";
import type { LakeResult } from "@risk/local-warehouse";
import { AwsError } from "../../contracts";

export type ExecutionState = "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

export interface Execution {
  readonly id: string;
  readonly token: string;
  readonly sql: string;
  readonly workgroup: string;
  readonly database: string | undefined;
  readonly outputLocation: string;
  readonly submittedMs: number;
  readonly abort: AbortController;
  state: ExecutionState;
  reason: string | undefined;
  completedMs: number | undefined;
  scannedBytes: number;
  result: LakeResult | undefined;
}

/** A query that reads more than its workgroup allows. Athena cancels it, with this reason. */
export class ScanLimitError extends Error {
  constructor() {
    super("Bytes scanned limit was exceeded");
  }
}

/** AWS keeps the history for 45 days. */
const KEPT = 500;

export class Executions {
  private readonly all = new Map<string, Execution>();
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly now: () => number) {}

  /** @param run the query; its error is the reason that the execution failed */
  start(
    request: Pick<Execution, "token" | "sql" | "workgroup" | "database"> & { readonly outputOf: (id: string) => string },
    run: (execution: Execution) => Promise<LakeResult>,
  ): Execution {
    const same = [...this.all.values()].find(({ token }) => token === request.token);
    if (same !== undefined) {
      if (same.sql === request.sql && same.workgroup === request.workgroup) return same;
      throw new AwsError("InvalidRequestException", "Idempotent parameters do not match: the token was used for another query.");
    }
    const { outputOf, ...rest } = request;
    const id = randomUUID();
    const execution: Execution = {
      ...rest,
      id,
      outputLocation: outputOf(id),
      submittedMs: this.now(),
      abort: new AbortController(),
      state: "QUEUED",
      reason: undefined,
      completedMs: undefined,
      scannedBytes: 0,
      result: undefined,
    };
    this.all.set(id, execution);
    for (const old of [...this.all.keys()].slice(0, Math.max(0, this.all.size - KEPT))) this.all.delete(old);
    const done = this.run(execution, run).finally(() => this.running.delete(done));
    this.running.add(done);
    return execution;
  }

  find(id: string): Execution | undefined {
    return this.all.get(id);
  }

  /** @throws AwsError InvalidRequestException */
  get(id: string): Execution {
    const found = this.all.get(id);
    if (found === undefined) throw new AwsError("InvalidRequestException", `QueryExecution ${id} was not found`);
    return found;
  }

  /** A query that has ended stays as it is. */
  stop(execution: Execution): void {
    if (execution.state !== "QUEUED" && execution.state !== "RUNNING") return;
    this.end(execution, "CANCELLED", "Query cancelled by user");
    execution.abort.abort();
  }

  ranIn(workgroup: string): boolean {
    return [...this.all.values()].some((execution) => execution.workgroup === workgroup);
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
  }

  private async run(execution: Execution, run: (execution: Execution) => Promise<LakeResult>): Promise<void> {
    await Promise.resolve(); // the request is answered first
    if (execution.abort.signal.aborted) return;
    execution.state = "RUNNING";
    try {
      const result = await run(execution);
      if (execution.abort.signal.aborted) return;
      execution.result = result;
      this.end(execution, "SUCCEEDED", undefined);
    } catch (error) {
      if (execution.abort.signal.aborted) return;
      this.end(execution, error instanceof ScanLimitError ? "CANCELLED" : "FAILED", reasonOf(error));
    }
  }

  private end(execution: Execution, state: ExecutionState, reason: string | undefined): void {
    execution.state = state;
    execution.reason = reason;
    execution.completedMs = this.now();
  }
}

/** Athena's names of the errors that people look for, by PostgreSQL's code. */
const NAMES: Readonly<Record<string, string>> = {
  "42P01": "TABLE_NOT_FOUND",
  "42703": "COLUMN_NOT_FOUND",
  "42601": "SYNTAX_ERROR",
  "42883": "FUNCTION_NOT_FOUND",
  "42804": "TYPE_MISMATCH",
  "22P02": "HIVE_BAD_DATA",
  "22012": "DIVISION_BY_ZERO",
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? NAMES[error.code] : undefined;
  return code === undefined ? error.message : `${code}: ${error.message}`;
}
