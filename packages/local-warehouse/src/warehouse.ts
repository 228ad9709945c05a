/**
 * The warehouse on one machine: a real PostgreSQL that speaks Redshift's dialect through the Data API, and takes psql and BI tools on its own
 * port. `start` is idempotent over kept data.
 */
import type { Client } from "pg";
import { quoted } from "./dialect/lexer";
import { HELPERS } from "./helpers";
import { TRINO_HELPERS } from "./lake/helpers";
import { type LakePartition, type LakeQuery, type LakeResult, runLakeQuery } from "./lake/lake";
import type { ObjectAccess } from "./objects";
import { ADMIN_USER, PostgresServer } from "./postgres";
import { runTransaction, type SessionResult, type SessionStatement } from "./session";

export interface WarehouseOptions extends ObjectAccess {
  /** Where the server's files are; kept between starts. */
  readonly folder: string;
  /** Keep data between starts; false for data that is thrown away. */
  readonly durable: boolean;
  /** Name of the first database; the namespace's `dbName`. */
  readonly databaseName?: string;
  /** Wanted port of PostgreSQL; a free one without it. */
  readonly port?: number;
  /** Called when the server ended by itself, and when it runs again. */
  readonly onTrouble?: (line: string) => void;
}

/** Who a Data API session is in the database. */
export type DatabaseUser =
  | { readonly kind: "admin" }
  /** An IAM role: `IAMR:name`, with the database roles of its tag `RedshiftDbRoles`. */
  | { readonly kind: "iam"; readonly roleName: string; readonly databaseRoles: readonly string[] };

export interface Session {
  readonly database: string;
  readonly user: DatabaseUser;
}

export interface TransactionHandle {
  /** Ends when it is committed; fails with the first statement's error after everything was rolled back. */
  readonly done: Promise<void>;
  cancel(): Promise<void>;
}

/** Beside the namespaces' databases, and out of their sessions' reach: queries over files keep nothing in it. */
const LAKE = { database: "lake", user: "lake_reader" } as const;

/** The user that a session logs in as: never one with more rights, to which `RESET ROLE` would lead back. */
const nameOf = (user: DatabaseUser): string => (user.kind === "admin" ? ADMIN_USER : `IAMR:${user.roleName}`);

export class Warehouse {
  private readonly server: PostgresServer;
  private readonly databases = new Set<string>();
  private readonly associatedRoles = new Set<string>();
  private readonly objects: ObjectAccess;
  private lake: Promise<void> | undefined;
  readonly databaseName: string;

  constructor(options: WarehouseOptions) {
    this.databaseName = options.databaseName ?? "risk";
    this.objects = {
      readObject: options.readObject,
      writeObject: options.writeObject,
      listObjects: options.listObjects,
      authorizeRole: (roleArn, permission) => {
        if (!this.associatedRoles.has(roleArn)) {
          throw new Error(
            `The role ${roleArn} of COPY or UNLOAD is not associated with the namespace. Add it to the namespace's iamRoles.`,
          );
        }
        return options.authorizeRole(roleArn, permission);
      },
    };
    this.server = new PostgresServer({
      folder: options.folder,
      durable: options.durable,
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.onTrouble === undefined ? {} : { onTrouble: options.onTrouble }),
    });
  }

  async start(): Promise<void> {
    await this.server.start();
    await this.ensureDatabase(this.databaseName);
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** Kills the server, which is started again. @returns false if it isn't running */
  kill(): boolean {
    return this.server.kill();
  }

  /** For psql and BI tools. */
  get url(): string {
    return this.urlOf(this.databaseName);
  }

  get port(): number {
    return this.server.port;
  }

  urlOf(database: string): string {
    return `postgres://${ADMIN_USER}:${this.server.password}@127.0.0.1:${this.server.port}/${database}`;
  }

  /** Roles that COPY and UNLOAD may name: the namespace's `iamRoles`. */
  associateRoles(roleArns: readonly string[]): void {
    for (const arn of roleArns) this.associatedRoles.add(arn);
  }

  dissociateRoles(roleArns: readonly string[]): void {
    for (const arn of roleArns) this.associatedRoles.delete(arn);
  }

  /** Drops a database with all sessions on it. */
  async dropDatabase(name: string): Promise<void> {
    this.databases.delete(name);
    await this.as("postgres", (client) => client.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`));
  }

  /** Drops the users and roles, which go with their namespace. */
  async dropRoles(): Promise<void> {
    await this.as("postgres", async (client) => {
      const { rows } = await client.query<{ role: string }>(
        "SELECT rolname AS role FROM pg_roles WHERE rolname <> $1 AND rolname NOT LIKE 'pg\\_%'",
        [ADMIN_USER],
      );
      for (const { role } of rows) await client.query(`DROP OWNED BY ${quoted(role)}; DROP ROLE ${quoted(role)}`);
    });
  }

  hasDatabase(name: string): boolean {
    return this.databases.has(name);
  }

  /** Creates the database where it is missing, with Redshift's functions and a search path for psql. */
  async ensureDatabase(name: string): Promise<void> {
    if (this.databases.has(name)) return;
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) {
      throw new Error(
        `The database name ${JSON.stringify(name)} is not of the form [a-z_][a-z0-9_]*. Change the namespace's dbName.`,
      );
    }
    await this.as("postgres", async (client) => {
      const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE "${name}" TEMPLATE template0`);
    });
    await this.as(name, async (client) => {
      await client.query(HELPERS);
      await client.query(`ALTER DATABASE "${name}" SET search_path = "$user", public, risk, redshift`);
    });
    this.databases.add(name);
  }

  /** Rows of one query in PostgreSQL's own SQL, for tests and the terminal. */
  async query(sql: string, values: readonly unknown[] = [], database = this.databaseName): Promise<Record<string, unknown>[]> {
    return this.as(database, async (client) => (await client.query<Record<string, unknown>>(sql, [...values])).rows);
  }

  /** Starts a transaction of Redshift statements. */
  begin(
    session: Session,
    statements: readonly SessionStatement[],
    listener: {
      readonly onStatement?: (index: number) => void;
      readonly onResult: (index: number, result: SessionResult) => void;
    },
  ): TransactionHandle {
    const client = this.server.client(session.database, nameOf(session.user));
    const done = (async () => {
      await this.ensureUser(session);
      await client.connect();
      try {
        await runTransaction(
          statements,
          {
            client,
            objects: this.objects,
            ...(listener.onStatement === undefined ? {} : { onStatement: listener.onStatement }),
          },
          listener.onResult,
        );
      } finally {
        await client.end();
      }
    })();
    return {
      done,
      cancel: () => this.cancel(client),
    };
  }

  /** Runs a query over files in a session of its own. @param signal cancels it */
  async queryLake<Partition extends LakePartition>(query: LakeQuery<Partition>, signal?: AbortSignal): Promise<LakeResult> {
    this.lake ??= this.createLake();
    await this.lake;
    const password = this.server.passwordOf(LAKE.user);
    await this.as("postgres", (client) => ensureRole(client, LAKE.user, password));
    const client = this.server.client(LAKE.database, LAKE.user);
    await client.connect();
    const cancel = () => void this.cancel(client).catch(() => undefined); // a query that has ended needs no end
    signal?.addEventListener("abort", cancel);
    try {
      return await runLakeQuery(client, query);
    } finally {
      signal?.removeEventListener("abort", cancel);
      await client.end();
    }
  }

  private async createLake(): Promise<void> {
    const name = quoted(LAKE.database);
    await this.as("postgres", async (client) => {
      const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [LAKE.database]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    });
    await this.as(LAKE.database, (client) => client.query(TRINO_HELPERS));
  }

  private async cancel(client: Client): Promise<void> {
    const pid = "processID" in client && typeof client.processID === "number" ? client.processID : undefined;
    if (pid !== undefined) await this.query("SELECT pg_cancel_backend($1)", [pid], "postgres");
  }

  /** The database user of an IAM role is made at its first session, as Redshift does, and has exactly the roles of its tag. */
  private async ensureUser({ user, database }: Session): Promise<void> {
    if (user.kind === "admin") return;
    const name = nameOf(user);
    const sqlName = quoted(name);
    await this.as(database, async (client) => {
      await ensureRole(client, name, this.server.passwordOf(name));
      const { rows: granted } = await client.query<{ role: string }>(
        "SELECT g.rolname AS role FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = $1",
        [name],
      );
      const { rows: known } = await client.query<{ role: string }>(
        "SELECT rolname AS role FROM pg_roles WHERE rolname = ANY ($1)",
        [[...user.databaseRoles]],
      );
      for (const { role } of granted)
        if (!user.databaseRoles.includes(role)) await client.query(`REVOKE ${quoted(role)} FROM ${sqlName}`);
      // Roles that the database does not have are ignored, as the service does.
      for (const { role } of known)
        if (!granted.some((one) => one.role === role)) await client.query(`GRANT ${quoted(role)} TO ${sqlName}`);
    });
  }

  private async as<T>(database: string, work: (client: ReturnType<PostgresServer["client"]>) => Promise<T>): Promise<T> {
    const client = this.server.client(database);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

/** Makes a user with a session, which holds a lock from then on: two first sessions must not both create it. */
async function ensureRole(client: Client, name: string, password: string): Promise<void> {
  await client.query("SELECT pg_advisory_lock(hashtext($1))", [name]);
  const { rowCount } = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${quoted(name)} LOGIN PASSWORD '${password}'`);
}
