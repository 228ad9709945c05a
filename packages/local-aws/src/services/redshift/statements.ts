/** Statements of the Data API: accepted at once, run in the background, kept for a day. */
import { randomUUID } from "node:crypto";
import type { Session, SessionResult, SessionStatement, TransactionHandle, Warehouse } from "@risk/local-warehouse";
import { AwsError } from "../../contracts";

export type Status = "SUBMITTED" | "PICKED" | "STARTED" | "FINISHED" | "FAILED" | "ABORTED";

export interface Part {
  readonly sql: string;
  status: Status;
  error: string | undefined;
  result: SessionResult | undefined;
}

export interface Statement {
  readonly id: string;
  readonly token: string | undefined;
  /** Only this caller, who submitted it, may read it. */
  readonly owner: string;
  readonly isBatch: boolean;
  readonly workgroupName: string;
  readonly database: string;
  readonly parameters: Readonly<Record<string, string>> | undefined;
  readonly createdAt: number;
  readonly parts: readonly Part[];
  status: Status;
  error: string | undefined;
  updatedAt: number;
  handle: TransactionHandle | undefined;
}

type Submission = Pick<Statement, "token" | "owner" | "isBatch" | "workgroupName" | "database" | "parameters"> & {
  readonly sqls: readonly string[];
  readonly session: Session;
};

/** https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html: results and descriptions live for 24 hours, tokens for 8. */
const KEPT_MS = 24 * 3_600_000;
const TOKEN_MS = 8 * 3_600_000;
const MAX_ACTIVE = 500;
/** Larger results are refused: 500 MB on AWS, counted here in characters. */
const MAX_RESULT_CHARACTERS = 100_000_000;

export class StatementStore {
  private readonly statements = new Map<string, Statement>();
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly warehouse: Pick<Warehouse, "begin">,
    private readonly now: () => number,
  ) {}

  submit(submission: Submission): Statement {
    const now = this.now();
    for (const [id, old] of this.statements) if (now - old.createdAt > KEPT_MS) this.statements.delete(id);
    const same = [...this.statements.values()].find(
      (one) =>
        submission.token !== undefined &&
        one.token === submission.token &&
        one.owner === submission.owner &&
        now - one.createdAt < TOKEN_MS,
    );
    if (same !== undefined) return same;
    if ([...this.statements.values()].filter(isActive).length >= MAX_ACTIVE) {
      throw new AwsError(
        "ActiveStatementsExceededException",
        `${MAX_ACTIVE} statements are active, which is the limit. Wait for one to end.`,
      );
    }
    const { sqls, session, ...rest } = submission;
    const statement: Statement = {
      ...rest,
      id: randomUUID(),
      createdAt: now,
      updatedAt: now,
      status: "SUBMITTED",
      error: undefined,
      handle: undefined,
      parts: sqls.map((sql) => ({
        sql,
        status: "SUBMITTED",
        error: undefined,
        result: undefined,
      })),
    };
    this.statements.set(statement.id, statement);
    const run = this.run(statement, session).finally(() => this.running.delete(run));
    this.running.add(run);
    return statement;
  }

  /** @throws AwsError ResourceNotFoundException */
  get(id: string, owner: string): Statement {
    const statement = this.statements.get(id.split(":")[0] ?? "");
    if (statement === undefined || statement.owner !== owner) {
      throw new AwsError(
        "ResourceNotFoundException",
        `Query does not exist: ${id}. Statements are kept for 24 hours and belong to who sent them.`,
      );
    }
    return statement;
  }

  async cancel(statement: Statement): Promise<boolean> {
    if (!isActive(statement)) return false;
    statement.status = "ABORTED";
    statement.updatedAt = this.now();
    await statement.handle?.cancel();
    return true;
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
  }

  private async run(statement: Statement, session: Session): Promise<void> {
    const statements: SessionStatement[] = statement.parts.map(({ sql }) => ({
      sql,
      ...(statement.parameters === undefined ? {} : { parameters: statement.parameters }),
    }));
    let current = 0;
    let size = 0;
    await Promise.resolve(); // the submission is answered first
    if (statement.status === "ABORTED") return;
    statement.status = "PICKED";
    try {
      statement.handle = this.warehouse.begin(session, statements, {
        onStatement: (index) => {
          current = index;
          (statement.parts[index] as Part).status = "STARTED";
          if (statement.status === "PICKED") statement.status = "STARTED";
        },
        onResult: (index, result) => {
          const part = statement.parts[index] as Part;
          size += sizeOf(result);
          if (size > MAX_RESULT_CHARACTERS) throw new Error("The result is larger than 100 MB. Select less, or aggregate.");
          part.result = result;
          part.status = "FINISHED";
        },
      });
      await statement.handle.done;
      statement.status = "FINISHED";
    } catch (error) {
      const reason = `ERROR: ${error instanceof Error ? error.message : String(error)}`;
      const wasCancelled = this.statusOf(statement) === "ABORTED";
      const part = statement.parts[current] as Part;
      part.error = reason;
      part.status = wasCancelled ? "ABORTED" : "FAILED";
      for (const later of statement.parts.slice(current + 1)) later.status = "ABORTED";
      if (!wasCancelled) statement.status = "FAILED";
      statement.error = statement.isBatch ? `Query #${current + 1} failed with ${reason}` : reason;
    }
    statement.updatedAt = this.now();
  }

  /** Read again: another request may have changed it meanwhile. */
  private statusOf(statement: Statement): Status {
    return statement.status;
  }
}

const isActive = ({ status }: Statement): boolean => !["FINISHED", "FAILED", "ABORTED"].includes(status);

/** Characters of all fields. */
const sizeOf = ({ rows }: SessionResult): number =>
  rows.reduce((sum, row) => sum + row.reduce((length, field) => length + (field?.length ?? 0), 0), 0);
