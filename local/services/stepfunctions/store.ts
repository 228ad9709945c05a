/** Executions and their histories on SQLite. */
import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { numberOf, optionalNumber, optionalText, type Row, textOf } from "../messaging/database";
import type { HistoryEvent } from "./history";

export type ExecutionStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";

export interface Execution {
  readonly arn: string;
  readonly machineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  /** JSON. */
  readonly input: string;
  /** JSON; only of a succeeded one. */
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly stoppedMs: number | undefined;
  /** What it runs, even after the machine was changed. */
  readonly definition: string;
  readonly roleArn: string;
}

/** How an execution ended. */
export type Ending = Pick<Execution, "output" | "error" | "cause"> & { readonly status: Exclude<ExecutionStatus, "RUNNING"> };

const schema = `
CREATE TABLE IF NOT EXISTS sfn_executions (arn TEXT PRIMARY KEY, machine TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, input TEXT NOT NULL,
  output TEXT, error TEXT, cause TEXT, started INTEGER NOT NULL, stopped INTEGER, definition TEXT NOT NULL, role TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sfn_executions_by_machine ON sfn_executions (machine, started);
CREATE TABLE IF NOT EXISTS sfn_events (execution TEXT NOT NULL, id INTEGER NOT NULL, previous INTEGER NOT NULL, type TEXT NOT NULL, ts INTEGER NOT NULL,
  details TEXT, PRIMARY KEY (execution, id));`;

export class ExecutionStore {
  constructor(private readonly db: DatabaseSync) {
    db.exec(schema);
  }

  add(execution: Execution): void {
    this.db
      .prepare("INSERT INTO sfn_executions VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL, ?, NULL, ?, ?)")
      .run(
        execution.arn,
        execution.machineArn,
        execution.name,
        execution.status,
        execution.input,
        execution.startedMs,
        execution.definition,
        execution.roleArn,
      );
  }

  end(arn: string, { status, output, error, cause }: Ending, stoppedMs: number): void {
    this.db
      .prepare("UPDATE sfn_executions SET status = ?, output = ?, error = ?, cause = ?, stopped = ? WHERE arn = ?")
      .run(status, output ?? null, error ?? null, cause ?? null, stoppedMs, arn);
  }

  find(arn: string): Execution | undefined {
    const row = this.db.prepare("SELECT * FROM sfn_executions WHERE arn = ?").get(arn);
    return row === undefined ? undefined : executionOf(row);
  }

  /** @throws AwsError ExecutionDoesNotExist. */
  get(arn: string): Execution {
    const found = this.find(arn);
    if (found === undefined) throw new AwsError("ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
    return found;
  }

  /** Newest first. */
  ofMachine(machineArn: string, status: string | undefined): Execution[] {
    return this.db
      .prepare("SELECT * FROM sfn_executions WHERE machine = ? AND (? IS NULL OR status = ?) ORDER BY started DESC, rowid DESC")
      .all(machineArn, status ?? null, status ?? null)
      .map(executionOf);
  }

  deleteOfMachine(machineArn: string): void {
    const own = "SELECT arn FROM sfn_executions WHERE machine = ?";
    this.db.prepare(`DELETE FROM sfn_events WHERE execution IN (${own})`).run(machineArn);
    this.db.prepare("DELETE FROM sfn_executions WHERE machine = ?").run(machineArn);
  }

  running(): Execution[] {
    return this.db
      .prepare("SELECT * FROM sfn_executions WHERE status = 'RUNNING' ORDER BY started, rowid")
      .all()
      .map(executionOf);
  }

  addEvent(arn: string, event: HistoryEvent): void {
    this.db
      .prepare("INSERT INTO sfn_events VALUES (?, ?, ?, ?, ?, ?)")
      .run(
        arn,
        event.id,
        event.previousEventId,
        event.type,
        event.timestamp,
        event.details === undefined ? null : JSON.stringify(event.details),
      );
  }

  lastEventId(arn: string): number {
    const row = this.db.prepare("SELECT COALESCE(MAX(id), 0) AS id FROM sfn_events WHERE execution = ?").get(arn);
    return row === undefined ? 0 : numberOf(row, "id");
  }

  /** Up to `limit` events from an offset. */
  events(
    arn: string,
    options: { readonly newestFirst: boolean; readonly offset: number; readonly limit: number },
  ): HistoryEvent[] {
    const order = options.newestFirst ? "DESC" : "ASC";
    return this.db
      .prepare(`SELECT * FROM sfn_events WHERE execution = ? ORDER BY id ${order} LIMIT ? OFFSET ?`)
      .all(arn, options.limit, options.offset)
      .map(eventOf);
  }
}

function executionOf(row: Row): Execution {
  return {
    arn: textOf(row, "arn"),
    machineArn: textOf(row, "machine"),
    name: textOf(row, "name"),
    // Only this store writes the column.
    status: textOf(row, "status") as ExecutionStatus,
    input: textOf(row, "input"),
    output: optionalText(row, "output"),
    error: optionalText(row, "error"),
    cause: optionalText(row, "cause"),
    startedMs: numberOf(row, "started"),
    stoppedMs: optionalNumber(row, "stopped"),
    definition: textOf(row, "definition"),
    roleArn: textOf(row, "role"),
  };
}

function eventOf(row: Row): HistoryEvent {
  const details = optionalText(row, "details");
  return {
    id: numberOf(row, "id"),
    previousEventId: numberOf(row, "previous"),
    type: textOf(row, "type"),
    timestamp: numberOf(row, "ts"),
    details: details === undefined ? undefined : (JSON.parse(details) as HistoryEvent["details"]),
  };
}
