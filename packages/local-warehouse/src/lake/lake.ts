/**
 * Queries over files as Athena runs them. A query has a session of its own, with a temporary table for each table that it names and a partition
 * for each that has objects. PostgreSQL's planner says which partitions the query reads; only these are loaded, and then the query runs.
 */
import type { Client } from "pg";
import { quoted } from "../dialect/lexer";
import { readTrino, writePostgres } from "./trino";
import { isStruct, postgresType } from "./types";
import { nestedText, scalarType } from "./values";

export interface LakeColumn {
  readonly name: string;
  /** Hive's name of the type. */
  readonly type: string;
}

export interface LakePartition {
  /** Of the table's partition columns, in their order. */
  readonly values: readonly string[];
}

export interface LakeTable<Partition extends LakePartition = LakePartition> {
  readonly name: string;
  readonly columns: readonly LakeColumn[];
  /** Partition columns, which are text. */
  readonly keys: readonly string[];
  readonly partitions: readonly Partition[];
}

/** A partition that a query reads. */
export interface Scan<Partition extends LakePartition = LakePartition> {
  readonly table: LakeTable<Partition>;
  readonly partition: Partition;
}

export interface LakeQuery<Partition extends LakePartition = LakePartition> {
  readonly sql: string;
  /** Those that the query names (`tablesOf`). */
  readonly tables: readonly LakeTable<Partition>[];
  readonly nowMs: number;
  /**
   * Called once with all partitions that the query reads, before any is loaded: an error thrown here ends the query.
   * @returns JSON lines of each
   */
  read(scans: readonly Scan<Partition>[]): AsyncIterable<{ readonly scan: Scan<Partition>; readonly lines: readonly string[] }>;
}

export interface LakeResult {
  readonly columns: readonly LakeColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** The tables that a query names. @throws DialectError */
export const tablesOf = (sql: string) => readTrino(sql).tables;

const SESSION =
  "SET search_path = trino, pg_catalog, pg_temp; SET timezone = 'UTC'; SET client_min_messages = warning; SET extra_float_digits = 1";

/** Lines a statement. */
const CHUNK = 2000;

export async function runLakeQuery<Partition extends LakePartition>(
  client: Client,
  query: LakeQuery<Partition>,
): Promise<LakeResult> {
  const structs = new Set(
    query.tables.flatMap(({ columns }) => columns.filter(({ type }) => isStruct(type)).map(({ name }) => name)),
  );
  const sql = writePostgres(readTrino(query.sql), { structs, nowMs: query.nowMs });
  await client.query(SESSION);
  const leaves = new Map<string, Scan<Partition>>();
  for (const [index, table] of query.tables.entries()) await createTable(client, table, `${index}`, leaves);
  const scans = await partitionsRead(client, sql, leaves);
  const names = new Map([...leaves].map(([name, scan]) => [scan, name]));
  for await (const { scan, lines } of query.read(scans)) await load(client, names.get(scan) ?? "", scan, lines);
  return select(client, sql);
}

async function createTable<Partition extends LakePartition>(
  client: Client,
  table: LakeTable<Partition>,
  id: string,
  leaves: Map<string, Scan<Partition>>,
): Promise<void> {
  const types = table.columns.map(({ name, type }) => ({ name, type: postgresType(type, `${table.name}.${name}`) }));
  for (const { type } of types) for (const definition of type.definitions) await client.query(definition);
  const columns = [
    ...types.map(({ name, type }) => `${quoted(name)} ${type.name}`),
    ...table.keys.map((key) => `${quoted(key)} text`),
  ];
  await client.query(`CREATE TEMP TABLE ${quoted(table.name)} (${columns.join(", ")})${partitionedBy(table.keys[0])}`);
  const made = new Map<string, string>();
  for (const partition of table.partitions) {
    let parent = table.name;
    for (const [level, value] of partition.values.entries()) {
      const path = JSON.stringify(partition.values.slice(0, level + 1));
      const known = made.get(path);
      // Short: a name that PostgreSQL cuts would not be found in the plan.
      const name = known ?? `${id}/${made.size}`;
      if (known === undefined)
        await client.query(
          `CREATE TEMP TABLE ${quoted(name)} PARTITION OF ${quoted(parent)} FOR VALUES IN (${literal(value)})${partitionedBy(table.keys[level + 1])}`,
        );
      made.set(path, name);
      parent = name;
    }
    leaves.set(parent, { table, partition });
  }
}

const partitionedBy = (key: string | undefined): string => (key === undefined ? "" : ` PARTITION BY LIST (${quoted(key)})`);

async function partitionsRead<Partition extends LakePartition>(
  client: Client,
  sql: string,
  leaves: ReadonlyMap<string, Scan<Partition>>,
): Promise<Scan<Partition>[]> {
  const { rows } = await client.query<{ "QUERY PLAN": unknown }>(`EXPLAIN (FORMAT JSON, COSTS OFF) ${sql}`);
  const read = new Set(relationsIn(rows[0]?.["QUERY PLAN"]));
  return [...leaves].filter(([name]) => read.has(name)).map(([, scan]) => scan);
}

function relationsIn(plan: unknown): string[] {
  if (typeof plan !== "object" || plan === null) return [];
  return Object.entries(plan).flatMap(([key, value]) => (key === "Relation Name" ? [String(value)] : relationsIn(value)));
}

/** A line's members are the columns of the same names; missing ones are null. */
async function load(client: Client, leaf: string, { table, partition }: Scan, lines: readonly string[]): Promise<void> {
  const columns = table.columns.map(({ name }) => quoted(name)).join(", ");
  const keys = table.keys.map(quoted);
  const values = partition.values.map(literal);
  const into = [columns, ...keys].filter((part) => part !== "").join(", ");
  const from = [columns, ...values].filter((part) => part !== "").join(", ");
  for (let start = 0; start < lines.length; start += CHUNK) {
    await client.query(
      `INSERT INTO ${quoted(leaf)} (${into}) SELECT ${from} FROM unnest($1::text[]) AS line, json_populate_record(NULL::${quoted(leaf)}, line::json)`,
      [lines.slice(start, start + CHUNK)],
    );
  }
}

async function select(client: Client, sql: string): Promise<LakeResult> {
  const { fields } = await client.query(`SELECT * FROM (${sql}) AS shape LIMIT 0`);
  const names = fields.map((_, index) => quoted(`c${index}`));
  const nested = fields.map((field) => scalarType(field) === undefined);
  const list = names.map((name, index) => (nested[index] ? `to_json(${name})::text` : name)).join(", ");
  const text = nested.includes(true) ? `SELECT ${list} FROM (${sql}) AS result (${names.join(", ")})` : sql;
  const { rows } = await client.query<(string | null)[]>({
    text,
    rowMode: "array",
    types: { getTypeParser: () => (value: string | Buffer) => value.toString() },
  });
  const formats = fields.map((field) => scalarType(field)?.[1] ?? ((value: string) => nestedText(JSON.parse(value))));
  return {
    columns: fields.map((field) => ({ name: field.name, type: scalarType(field)?.[0] ?? "json" })),
    rows: rows.map((row) => row.map((value, index) => (value === null ? null : (formats[index]?.(value) ?? value)))),
  };
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
