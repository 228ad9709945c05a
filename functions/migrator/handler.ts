/**
 * Applies the numbered migrations that the warehouse doesn't have yet, each in one transaction with its row in
 * `risk.schema_migrations`: a migration is applied completely or not at all. A second migrator at the same time waits for the lock, then
 * finds the row and skips the migration.
 */
import { createHash } from "node:crypto";
import { literal, MAX_STATEMENTS, type SqlClient, StatementFailed } from "../loader/sql-client";
import type { Log } from "../shared/log";
import { splitStatements } from "./split";

export interface Migration {
  /** `0001_tables`: four digits, an underscore, one or more words. Determines the order. */
  readonly name: string;
  readonly sql: string;
}

export interface MigrationSummary {
  /** Names, in order. */
  readonly applied: readonly string[];
  readonly alreadyApplied: readonly string[];
}

export interface MigratorPorts {
  readonly migrations: readonly Migration[];
  readonly sql: SqlClient;
  readonly log: Log;
  readonly newId: () => string;
}

/** The list of migrations contradicts itself or the warehouse. Nothing was changed. */
export class MigrationConflict extends Error {
  readonly code = "MIGRATION_CONFLICT";
  constructor(problems: readonly string[]) {
    super(`The warehouse was not migrated: ${problems.join("; ")}.`);
    this.name = "MigrationConflict";
  }
}

/** Statements added around a migration's own: LOCK, guard, row. */
const OWN_STATEMENTS = 3;

const BOOTSTRAP = [
  "CREATE SCHEMA IF NOT EXISTS risk",
  "CREATE TABLE IF NOT EXISTS risk.schema_migrations (name VARCHAR(256) NOT NULL, checksum CHAR(64) NOT NULL, applied_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (name)) DISTSTYLE ALL",
];

/**
 * @param deadline epoch milliseconds
 * @throws MigrationConflict for an applied migration whose text has changed, or a list out of order; StatementFailed with the
 *   statement and the reason when a migration fails (it is rolled back; those before it stay)
 */
export type Migrator = (deadline: number) => Promise<MigrationSummary>;

export function createMigrator(ports: MigratorPorts): Migrator {
  const { migrations, sql, log, newId } = ports;

  async function appliedChecksums(deadline: number): Promise<Map<string, string>> {
    const rows = await sql.query("SELECT name, checksum FROM risk.schema_migrations", {
      name: "migrations",
      token: newId(),
      deadline,
    });
    return new Map(rows.map((row) => [row.name ?? "", row.checksum ?? ""]));
  }

  /** IF NOT EXISTS checks before it creates, so one of two first migrators may fail: by then the table exists. */
  async function bootstrap(deadline: number): Promise<void> {
    const once = () => sql.transaction(BOOTSTRAP, { name: "migrations-bootstrap", token: newId(), deadline });
    await once().catch((error: unknown) => {
      if (!(error instanceof StatementFailed)) throw error;
      return once();
    });
  }

  async function apply(migration: Migration, deadline: number): Promise<boolean> {
    try {
      await sql.transaction(migrationStatements(migration), { name: `migrate-${migration.name}`, token: newId(), deadline });
      return true;
    } catch (error) {
      if (!(error instanceof StatementFailed)) throw error;
      const now = await appliedChecksums(deadline);
      if (now.get(migration.name) !== checksumOf(migration)) throw error;
      return false; // another migrator was faster
    }
  }

  return async (deadline) => {
    assertOrdered(migrations);
    await bootstrap(deadline);
    const known = await appliedChecksums(deadline);
    assertUnchanged(migrations, known);
    const applied: string[] = [];
    const alreadyApplied: string[] = [];
    for (const migration of migrations) {
      const isNew = !known.has(migration.name) && (await apply(migration, deadline));
      (isNew ? applied : alreadyApplied).push(migration.name);
      if (isNew) log.info("migration_applied", { name: migration.name });
    }
    return { applied, alreadyApplied };
  };
}

export function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql.replaceAll("\r\n", "\n")).digest("hex");
}

function migrationStatements(migration: Migration): string[] {
  const name = literal(migration.name);
  const own = splitStatements(migration.sql);
  if (own.length === 0 || own.length > MAX_STATEMENTS - OWN_STATEMENTS) {
    throw new MigrationConflict([
      `${migration.name} has ${own.length} statements, one transaction takes 1 to ${MAX_STATEMENTS - OWN_STATEMENTS}; split the file`,
    ]);
  }
  return [
    "LOCK TABLE risk.schema_migrations",
    // Fails with a division by zero if the row exists: the only way to stop a batch of statements half-way.
    `SELECT 1 / (1 - COUNT(*)) AS is_new FROM risk.schema_migrations WHERE name = ${name}`,
    ...own,
    `INSERT INTO risk.schema_migrations (name, checksum, applied_at) VALUES (${name}, ${literal(checksumOf(migration))}, GETDATE())`,
  ];
}

function assertOrdered(migrations: readonly Migration[]): void {
  const problems = migrations.flatMap(({ name }, index) => {
    const expected = String(index + 1).padStart(4, "0");
    return new RegExp(`^${expected}_[a-z0-9_]+$`).test(name)
      ? []
      : [`migration ${index + 1} is called ${name}, expected ${expected}_<words>; number migrations from 0001 without gaps`];
  });
  if (problems.length > 0) throw new MigrationConflict(problems);
}

function assertUnchanged(migrations: readonly Migration[], known: ReadonlyMap<string, string>): void {
  const changed = migrations.filter(
    (migration) => known.has(migration.name) && known.get(migration.name) !== checksumOf(migration),
  );
  const names = new Set(migrations.map(({ name }) => name));
  const problems = [
    ...changed.map(
      ({ name }) => `${name} was changed after it had been applied; restore its text and put the change into a new migration`,
    ),
    ...[...known.keys()]
      .filter((name) => !names.has(name))
      .map(
        (name) =>
          `the warehouse has ${name}, which this version does not know; deploy the version that brought it, or a newer one`,
      ),
  ];
  if (problems.length > 0) throw new MigrationConflict(problems);
}
