/**
 * SQL through the Redshift Data API. The API accepts a statement at once (`SUBMITTED`) and runs it later: nothing here counts as done
 * before `DescribeStatement` says `FINISHED`.
 */

/** Milliseconds, and a pause: injected so that tests can use a clock of their own. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** The five calls of the Redshift Data API that this platform makes. */
export interface DataApi {
  execute(request: { readonly sql: string; readonly name: string; readonly token: string }): Promise<string>;
  batch(request: { readonly sqls: readonly string[]; readonly name: string; readonly token: string }): Promise<string>;
  describe(id: string): Promise<StatementState>;
  /** One page of rows; every field as text, null for NULL. */
  result(id: string, nextToken: string | undefined): Promise<ResultPage>;
  cancel(id: string): Promise<void>;
}

export interface StatementState {
  readonly status: "SUBMITTED" | "PICKED" | "STARTED" | "FINISHED" | "FAILED" | "ABORTED";
  readonly error: string | undefined;
  readonly subStatements: readonly { readonly id: string; readonly status: string; readonly error: string | undefined }[];
}

export interface ResultPage {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly nextToken: string | undefined;
}

export type Row = Readonly<Record<string, string | null>>;

export interface SqlClient {
  /**
   * Runs the statements in one transaction, in order, and waits until it is committed.
   * @param token identifies this attempt: calls with the same token within eight hours are one attempt and run once
   * @returns the rows of the last statement if it is a query, otherwise none
   * @throws StatementFailed when the transaction was rolled back; StatementTimeout when the deadline came first
   */
  transaction(statements: readonly string[], options: RunOptions): Promise<readonly Row[]>;
  /** Runs one query and returns its rows. */
  query(sql: string, options: RunOptions): Promise<readonly Row[]>;
}

export interface RunOptions {
  /** Shown in the console's list of statements. */
  readonly name: string;
  readonly token: string;
  /** Epoch milliseconds after which nothing is waited for. */
  readonly deadline: number;
}

/** The warehouse rejected a statement: the transaction was rolled back and has no effect. */
export class StatementFailed extends Error {
  readonly code = "STATEMENT_FAILED";
  constructor(
    readonly statementName: string,
    /** Index of the failed statement in the transaction, from 0; undefined when the API does not say. */
    readonly index: number | undefined,
    readonly sql: string,
    readonly reason: string,
  ) {
    const position = index === undefined ? "" : ` at statement ${index + 1}`;
    super(`${statementName} failed${position}: ${reason}. Nothing of it was kept. Statement: ${excerpt(sql)}`);
    this.name = "StatementFailed";
  }
}

/** The deadline came before the result. The transaction may still commit: whoever continues must be able to cope with its effects. */
export class StatementTimeout extends Error {
  readonly code = "STATEMENT_TIMEOUT";
  constructor(statementName: string, status: string) {
    super(
      `${statementName} was still ${status} when the function ran out of time. Give the function a longer timeout or load less at once; the ledger keeps a second attempt from loading twice.`,
    );
    this.name = "StatementTimeout";
  }
}

/** Limits of the Data API: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html */
export const MAX_STATEMENTS = 40;
export const MAX_STATEMENT_BYTES = 100_000;

const FIRST_POLL_MS = 40;
const SLOWEST_POLL_MS = 1_500;
const SUBMIT_ATTEMPTS = 6;
const FIRST_RETRY_MS = 250;
const WHOLE_ATTEMPTS = 4;

/** Refusals of a submission that pass: too many statements at once, throttling, or a serverless workgroup that is still waking up. */
const PASSING_CODES = new Set([
  "ActiveStatementsExceededException",
  "ActiveSessionsExceededException",
  "DatabaseConnectionException",
  "InternalServerException",
  "ThrottlingException",
  "TimeoutError",
]);

/** Reasons of FAILED that pass: the workgroup resumes, a connection broke, or another transaction won (1023, snapshot isolation). */
const PASSING_REASONS =
  /resum(e|ing)|is being (created|modified)|could not (open|establish) (a )?connection|connection (was )?(refused|reset|timed out)|serializable isolation violation|could not serialize|\b1023\b|deadlock/i;

export function createSqlClient(api: DataApi, clock: Clock): SqlClient {
  const backoff = (attempt: number) => clock.sleep(FIRST_RETRY_MS * 2 ** attempt);

  async function submitted(send: () => Promise<string>, deadline: number): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        const passing = error instanceof Error && PASSING_CODES.has(error.name);
        if (!passing || attempt + 1 >= SUBMIT_ATTEMPTS || clock.now() >= deadline) throw error;
        await backoff(attempt);
      }
    }
  }

  async function settled(id: string, options: RunOptions): Promise<StatementState> {
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(SLOWEST_POLL_MS, pause * 1.5)) {
      const state = await api.describe(id);
      if (state.status === "FINISHED" || state.status === "FAILED" || state.status === "ABORTED") return state;
      if (clock.now() + pause > options.deadline) {
        await api.cancel(id).catch(() => undefined); // best effort: the ledger makes a late commit harmless
        throw new StatementTimeout(options.name, state.status);
      }
      await clock.sleep(pause);
    }
  }

  async function rowsOf(id: string): Promise<Row[]> {
    const rows: Row[] = [];
    let nextToken: string | undefined;
    do {
      const page = await api.result(id, nextToken);
      for (const fields of page.rows) {
        rows.push(Object.fromEntries(page.columns.map((column, index) => [column, fields[index] ?? null])));
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return rows;
  }

  /** Runs until FINISHED. After a temporary failure the statement is submitted as a new attempt, since the failed one was rolled back completely. */
  async function finished(
    sqls: readonly string[],
    options: RunOptions,
    send: (token: string) => Promise<string>,
  ): Promise<{ readonly id: string; readonly state: StatementState }> {
    for (let attempt = 0; ; attempt++) {
      const token = attempt === 0 ? options.token : `${options.token}-${attempt}`;
      const id = await submitted(() => send(token), options.deadline);
      const state = await settled(id, options);
      if (state.status === "FINISHED") return { id, state };
      const failedAt = state.subStatements.findIndex((statement) => statement.status === "FAILED");
      const index = failedAt >= 0 ? failedAt : sqls.length === 1 ? 0 : undefined;
      const reason = state.subStatements[failedAt]?.error ?? state.error ?? `the statement was ${state.status.toLowerCase()}`;
      const again = PASSING_REASONS.test(reason) && attempt + 1 < WHOLE_ATTEMPTS && clock.now() < options.deadline;
      if (!again) throw new StatementFailed(options.name, index, sqls[index ?? 0] ?? "", reason);
      await backoff(attempt);
    }
  }

  return {
    async transaction(statements, options) {
      assertWithinLimits(statements, options.name);
      const { id, state } = await finished(statements, options, (token) =>
        api.batch({ sqls: statements, name: options.name, token }),
      );
      const last = statements[statements.length - 1] ?? "";
      return /^\s*select\b/i.test(last) ? rowsOf(state.subStatements.at(-1)?.id ?? id) : [];
    },
    async query(sql, options) {
      assertWithinLimits([sql], options.name);
      const { id } = await finished([sql], options, (token) => api.execute({ sql, name: options.name, token }));
      return rowsOf(id);
    },
  };
}

/**
 * A string as a Redshift literal. Redshift still reads a backslash inside quotes as an escape, as PostgreSQL 8 did.
 * @throws RangeError for NUL, which a literal can't hold
 */
export function literal(text: string): string {
  if (text.includes("\0"))
    throw new RangeError(`The text ${JSON.stringify(text)} contains NUL, which SQL text can't. Rename the object.`);
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

function assertWithinLimits(statements: readonly string[], name: string): void {
  if (statements.length === 0 || statements.length > MAX_STATEMENTS) {
    throw new RangeError(`${name}: a transaction takes 1 to ${MAX_STATEMENTS} statements, got ${statements.length}. Split it.`);
  }
  const long = statements.findIndex((sql) => Buffer.byteLength(sql) > MAX_STATEMENT_BYTES);
  if (long >= 0) {
    throw new RangeError(
      `${name}: statement ${long + 1} has ${Buffer.byteLength(statements[long] ?? "")} bytes, the Data API takes ${MAX_STATEMENT_BYTES}. Split it.`,
    );
  }
}

function excerpt(sql: string): string {
  const line = sql.replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 197)}…` : line;
}
