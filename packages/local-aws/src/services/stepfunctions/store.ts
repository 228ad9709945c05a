/** Executions and their histories on SQLite. */
import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
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

const schema =
  "CREATE TABLE IF NOT EXISTS states_events (execution TEXT NOT NULL, id INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution, id))";

export class ExecutionStore {
  private readonly executions: Documents<Execution>;

  constructor(private readonly db: DatabaseSync) {
    this.executions = new Documents(db, "states_executions");
    db.exec(schema);
  }

  add(execution: Execution): void {
    this.executions.put(execution.arn, execution);
  }

  end(arn: string, ending: Ending, stoppedMs: number): Execution {
    const ended = { ...this.get(arn), ...ending, stoppedMs };
    this.executions.put(arn, ended);
    return ended;
  }

  find(arn: string): Execution | undefined {
    return this.executions.get(arn);
  }

  /** @throws AwsError ExecutionDoesNotExist. */
  get(arn: string): Execution {
    const found = this.find(arn);
    if (found === undefined) throw new AwsError("ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
    return found;
  }

  /** Newest first. */
  ofMachine(machineArn: string): Execution[] {
    const prefix = `${machineArn.replace(":stateMachine:", ":execution:")}:`;
    return this.executions.all(prefix).reverse();
  }

  deleteOfMachine(machineArn: string): void {
    for (const { arn } of this.ofMachine(machineArn)) {
      this.db.prepare("DELETE FROM states_events WHERE execution = ?").run(arn);
      this.executions.delete(arn);
    }
  }

  running(): Execution[] {
    return this.executions.all().filter(({ status }) => status === "RUNNING");
  }

  addEvent(arn: string, event: HistoryEvent): void {
    this.db.prepare("INSERT INTO states_events VALUES (?, ?, ?)").run(arn, event.id, JSON.stringify(event));
  }

  lastEventId(arn: string): number {
    return Number(this.db.prepare("SELECT MAX(id) AS id FROM states_events WHERE execution = ?").get(arn)?.id ?? 0);
  }

  /** Up to `limit` events from an offset. */
  events(arn: string, offset: number, limit: number): HistoryEvent[] {
    return this.db
      .prepare("SELECT document FROM states_events WHERE execution = ? ORDER BY id LIMIT ? OFFSET ?")
      .all(arn, limit, offset)
      .map((row) => JSON.parse(String(row.document)) as HistoryEvent);
  }
}
