/** The Redshift Data API: statements are accepted at once and run later, whatever becomes of the caller. */
import type {
  BatchExecuteStatementCommandInput,
  ExecuteStatementCommandInput,
  GetStatementResultCommandInput,
} from "@aws-sdk/client-redshift-data";
import type { Faults } from "../kernel/faults";
import type { Random } from "../kernel/random";
import type { Scheduler } from "../kernel/scheduler";
import { serviceError } from "../kernel/service-errors";
import { Transaction, type Warehouse } from "./warehouse";
import { type Row, SqlError } from "./warehouse-values";

interface Statement {
  readonly id: string;
  readonly sqls: readonly string[];
  readonly isBatch: boolean;
  status: "STARTED" | "FINISHED" | "FAILED" | "ABORTED";
  error: string | undefined;
  failedAt: number | undefined;
  rows: readonly Row[];
}

const STATEMENT_FAULTS = new Set(["error", "lost"] as const);

export class DataApi {
  readonly #statements = new Map<string, Statement>();
  readonly #byToken = new Map<string, string>();
  /** Ends when the load that holds the lock does. */
  #lock: Promise<void> = Promise.resolve();

  constructor(
    private readonly warehouse: Warehouse,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly faults: Faults,
    /** Longest time of a transaction that waits for nobody. */
    private readonly longestMs: number,
  ) {}

  handle(action: string, input: object): object {
    switch (action) {
      case "ExecuteStatement": {
        const { Sql: sql = "", ClientToken: token } = input as ExecuteStatementCommandInput;
        return { Id: this.#submit([sql], false, token) };
      }
      case "BatchExecuteStatement": {
        const { Sqls: sqls = [], ClientToken: token } = input as BatchExecuteStatementCommandInput;
        return { Id: this.#submit(sqls, true, token) };
      }
      case "DescribeStatement":
        return this.#describe(this.#statement(input));
      case "GetStatementResult":
        return results(this.#statement(input).rows);
      case "CancelStatement": {
        const statement = this.#statement(input);
        if (statement.status === "STARTED") statement.status = "ABORTED";
        return { Status: true };
      }
      default:
        throw new Error(`The simulated Data API doesn't know ${action}; add it to simulation/services/data-api.ts.`);
    }
  }

  /** Calls with one token are one statement. */
  #submit(sqls: readonly string[], isBatch: boolean, token: string | undefined): string {
    const known = token === undefined ? undefined : this.#byToken.get(token);
    if (known !== undefined) return known;
    const id = `statement-${this.#statements.size + 1}`;
    const statement: Statement = { id, sqls, isBatch, status: "STARTED", error: undefined, failedAt: undefined, rows: [] };
    this.#statements.set(id, statement);
    if (token !== undefined) this.#byToken.set(token, id);
    void this.#run(statement);
    return id;
  }

  async #run(statement: Statement): Promise<void> {
    const transaction = this.warehouse.begin();
    let release: () => void = () => {};
    for (const [index, sql] of statement.sqls.entries()) {
      if (Transaction.isLock(sql)) release = await this.#locked();
      await this.scheduler.sleep(this.random.between(1, this.longestMs / statement.sqls.length));
      if (statement.status === "ABORTED") break;
      try {
        if (this.faults.draw("redshift", this.scheduler.now(), STATEMENT_FAULTS) !== undefined)
          throw new SqlError(this.random.chance(0.8) ? "connection was reset" : "internal error");
        statement.rows = transaction.execute(sql);
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        Object.assign(statement, { status: "FAILED", error: error.message, failedAt: index });
        break;
      }
    }
    if (statement.status === "STARTED") {
      transaction.commit();
      statement.status = "FINISHED";
    }
    release();
  }

  async #locked(): Promise<() => void> {
    const before = this.#lock;
    let release: () => void = () => {};
    this.#lock = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  #statement(input: object): Statement {
    const { Id: id = "" } = input as GetStatementResultCommandInput;
    const statement = this.#statements.get(id.replace(/:\d+$/, ""));
    if (statement === undefined) throw serviceError("ResourceNotFoundException", 400, `No statement ${id}.`);
    return statement;
  }

  #describe({ id, sqls, isBatch, status, error, failedAt }: Statement): object {
    const SubStatements = sqls.map((_, index) => ({
      Id: `${id}:${index + 1}`,
      Status: status === "FAILED" ? statusAt(index, failedAt) : status,
      Error: index === failedAt ? error : undefined,
    }));
    return { Status: status, Error: error, ...(isBatch ? { SubStatements } : {}) };
  }
}

function statusAt(index: number, failedAt = 0): string {
  if (index === failedAt) return "FAILED";
  return index < failedAt ? "FINISHED" : "ABORTED";
}

function results(rows: readonly Row[]): object {
  const columns = Object.keys(rows[0] ?? {});
  const field = (value: Row[string] | undefined): object => {
    if (value === null || value === undefined) return { isNull: true };
    return typeof value === "number" ? { longValue: value } : { stringValue: String(value) };
  };
  return {
    ColumnMetadata: columns.map((name) => ({ name })),
    Records: rows.map((row) => columns.map((name) => field(row[name]))),
  };
}
