/** Runs Redshift statements as one session of the Data API does: its own connection, one transaction, rolled back as a whole. */
import type { Client, FieldDef } from "pg";
import { runCopy } from "./copy";
import { translate } from "./dialect";
import type { ObjectAccess } from "./objects";
import { runUnload } from "./unload";

export interface SessionResult {
  /** Rows of a query, or rows that a statement changed; -1 where there is neither. */
  readonly rowCount: number;
  readonly hasResultSet: boolean;
  readonly columns: readonly ResultColumn[];
  /** PostgreSQL's text form of every field. */
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface ResultColumn {
  readonly name: string;
  readonly typeName: string;
  readonly kind: "long" | "double" | "boolean" | "string";
  readonly length: number;
}

export interface SessionStatement {
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Redshift's types by PostgreSQL's object ids: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const TYPES: Readonly<Record<number, readonly [typeName: string, kind: ResultColumn["kind"]]>> = {
  16: ["bool", "boolean"],
  20: ["int8", "long"],
  21: ["int2", "long"],
  23: ["int4", "long"],
  700: ["float4", "double"],
  701: ["float8", "double"],
  1042: ["bpchar", "string"],
  1043: ["varchar", "string"],
  1082: ["date", "string"],
  1083: ["time", "string"],
  1114: ["timestamp", "string"],
  1184: ["timestamptz", "string"],
  1700: ["numeric", "string"],
  25: ["varchar", "string"],
  3802: ["super", "string"],
};

/**
 * Settings of a Data API session. Redshift reads a backslash in a string as an escape, and has no `risk` on its search path. It
 * joins equal keys by hash or merge; PostgreSQL, which has no statistics of rows that were just loaded, would use nested loops.
 */
const SESSION = `SET search_path = "$user", public, redshift; SET standard_conforming_strings = off; SET escape_string_warning = off; SET timezone = 'UTC'; SET client_min_messages = warning; SET enable_nestloop = off`;

export interface SessionOptions {
  readonly client: Client;
  readonly objects: ObjectAccess;
  /** Called before each statement. */
  readonly onStatement?: (index: number) => void;
}

/**
 * Runs the statements in one transaction on a connection that is not used again.
 * @param onResult called after each statement
 * @throws Error of the statement that failed, after everything was rolled back
 */
export async function runTransaction(
  statements: readonly SessionStatement[],
  options: SessionOptions,
  onResult: (index: number, result: SessionResult) => void,
): Promise<void> {
  const { client } = options;
  await client.query(SESSION);
  // Snapshot isolation, the default of a Redshift Serverless database. LOCK takes no snapshot, so what comes after it sees the last commit.
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  try {
    for (const [index, statement] of statements.entries()) {
      options.onStatement?.(index);
      onResult(index, await runStatement(statement, options));
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined); // a broken connection has rolled back already
    throw error;
  }
}

async function runStatement(statement: SessionStatement, { client, objects }: SessionOptions): Promise<SessionResult> {
  const translation = translate(statement.sql);
  if (translation.kind === "copy") {
    return { rowCount: await runCopy(client, translation.copy, objects), hasResultSet: false, columns: [], rows: [] };
  }
  if (translation.kind === "unload") {
    return { rowCount: await runUnload(client, translation.unload, objects), hasResultSet: false, columns: [], rows: [] };
  }
  const values = translation.parameters.map((name) => {
    const value = statement.parameters?.[name];
    if (value === undefined)
      throw new Error(`The parameter :${name} has no value. Add {"name": "${name}", "value": …} to Parameters.`);
    return value;
  });
  const unused = Object.keys(statement.parameters ?? {}).find((name) => !translation.parameters.includes(name));
  if (unused !== undefined)
    throw new Error(`The parameter ${unused} is not used in the statement. Remove it, or write :${unused}.`);
  const result = await client.query<(string | null)[]>({
    text: translation.sql,
    values,
    rowMode: "array",
    types: { getTypeParser: () => (text: string | Buffer) => text.toString() },
  });
  const hasResultSet = result.fields.length > 0;
  return {
    rowCount: hasResultSet ? result.rows.length : (result.rowCount ?? -1),
    hasResultSet,
    columns: result.fields.map(columnOf),
    rows: result.rows,
  };
}

function columnOf(field: FieldDef): ResultColumn {
  const [typeName, kind] = TYPES[field.dataTypeID] ?? ["varchar", "string"];
  const length = field.dataTypeModifier > 4 ? field.dataTypeModifier - 4 : Math.max(0, field.dataTypeSize);
  return { name: field.name, typeName, kind, length };
}
