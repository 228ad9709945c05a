/** Executions and their histories on SQLite, as JSON beside the columns that are asked for. */
import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { numberOf, type Row, textOf } from "../messaging/database";
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
  readonly output?: string | undefined;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly stoppedMs?: number;
}

/** How an execution ended. */
export type Ending = Pick<Execution, "output" | "error" | "cause"> & { readonly status: Exclude<ExecutionStatus, "RUNNING"> };

const schema = `
CREATE TABLE IF NOT EXISTS states_executions (arn TEXT PRIMARY KEY, machine TEXT NOT NULL, status TEXT NOT NULL, started INTEGER NOT NULL,
  document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS states_executions_by_machine ON states_executions (machine, started);
CREATE TABLE IF NOT EXISTS states_events (execution TEXT NOT NULL, id INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution, id));`;

export class ExecutionStore {
  constructor(private readonly db: DatabaseSync) {
    db.exec(schema);
  }

  add(execution: Execution): void {
    const { arn, machineArn, status, startedMs } = execution;
    this.db
      .prepare("INSERT INTO states_executions VALUES (?, ?, ?, ?, ?)")
      .run(arn, machineArn, status, startedMs, JSON.stringify(execution));
  }

  end(arn: string, ending: Ending, stoppedMs: number): Execution {
    const ended = { ...this.get(arn), ...ending, stoppedMs };
    this.db
      .prepare("UPDATE states_executions SET status = ?, document = ? WHERE arn = ?")
      .run(ended.status, JSON.stringify(ended), arn);
    return ended;
  }

  find(arn: string): Execution | undefined {
    const row = this.db.prepare("SELECT document FROM states_executions WHERE arn = ?").get(arn);
    return row === undefined ? undefined : executionOf(row);
  }

  /** @throws AwsError ExecutionDoesNotExist. */
  get(arn: string): Execution {
    const found = this.find(arn);
    if (found === undefined) throw new AwsError("ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
    return found;
  }

  /** Newest first. */
  ofMachine(machineArn: string): Execution[] {
    return this.db
      .prepare("SELECT document FROM states_executions WHERE machine = ? ORDER BY started DESC, rowid DESC")
      .all(machineArn)
      .map(executionOf);
  }

  deleteOfMachine(machineArn: string): void {
    const own = "SELECT arn FROM states_executions WHERE machine = ?";
    this.db.prepare(`DELETE FROM states_events WHERE execution IN (${own})`).run(machineArn);
    this.db.prepare("DELETE FROM states_executions WHERE machine = ?").run(machineArn);
  }

  running(): Execution[] {
    return this.db
      .prepare("SELECT document FROM states_executions WHERE status = 'RUNNING' ORDER BY started, rowid")
      .all()
      .map(executionOf);
  }

  addEvent(arn: string, event: HistoryEvent): void {
    this.db.prepare("INSERT INTO states_events VALUES (?, ?, ?)").run(arn, event.id, JSON.stringify(event));
  }

  lastEventId(arn: string): number {
    const row = this.db.prepare("SELECT COALESCE(MAX(id), 0) AS id FROM states_events WHERE execution = ?").get(arn);
    return row === undefined ? 0 : numberOf(row, "id");
  }

  /** Up to `limit` events from an offset. */
  events(arn: string, offset: number, limit: number): HistoryEvent[] {
    return this.db
      .prepare("SELECT document FROM states_events WHERE execution = ? ORDER BY id LIMIT ? OFFSET ?")
      .all(arn, limit, offset)
      .map((row) => JSON.parse(textOf(row, "document")) as HistoryEvent);
  }
}

// Only this store writes the table.
const executionOf = (row: Row): Execution => JSON.parse(textOf(row, "document")) as Execution;
