/** Carries out COPY: reads the manifest and its objects with the role's permissions, and fills the table or fails as a whole. */
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import type { Client } from "pg";
import type { CopyStatement } from "./dialect/copy-statement";
import { DialectError, quoted } from "./dialect/lexer";
import type { ObjectAccess } from "./objects";

interface Column {
  readonly name: string;
  readonly type: string;
  /** Bytes that a VARCHAR or CHAR takes; Redshift counts bytes, PostgreSQL characters. */
  readonly maxBytes: number | undefined;
}

/** Redshift refuses larger rows: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html */
const MAX_ROW_BYTES = 4 * 1024 * 1024;
const ROWS_PER_INSERT = 2_000;
const DECOMPRESS = { GZIP: promisify(gunzip), ZSTD: promisify(zstdDecompress) };

/** @returns the number of rows; @throws Error that names object, line, column and reason */
export async function runCopy(client: Client, copy: CopyStatement, objects: ObjectAccess): Promise<number> {
  const columns = await columnsOf(client, copy);
  const names = columns.map(({ name }) => quoted(name)).join(", ");
  let rows = 0;
  for (const { bucket, key, mandatory } of await objectsOf(copy, objects)) {
    const content = await read(objects, copy, bucket, key);
    if (content === undefined) {
      if (mandatory)
        throw new Error(
          `COPY: The specified S3 object s3://${bucket}/${key} does not exist, and the manifest calls it mandatory.`,
        );
      continue;
    }
    const text = await textOf(content, copy, `s3://${bucket}/${key}`);
    const lines = recordsOf(text, `s3://${bucket}/${key}`);
    for (let at = 0; at < lines.length; at += ROWS_PER_INSERT) {
      const batch = lines
        .slice(at, at + ROWS_PER_INSERT)
        .map(({ value, line }) => rowOf(value, columns, copy, `s3://${bucket}/${key}, line ${line}`));
      await insert(client, copy, names, batch, `s3://${bucket}/${key}`);
      rows += batch.length;
    }
  }
  return rows;
}

async function insert(
  client: Client,
  copy: CopyStatement,
  names: string,
  rows: readonly unknown[],
  object: string,
): Promise<void> {
  try {
    await client.query(
      `INSERT INTO ${copy.table} (${names}) SELECT ${names} FROM jsonb_populate_recordset(NULL::${copy.table}, $1::jsonb)`,
      [JSON.stringify(rows)],
    );
  } catch (error) {
    throw new Error(`COPY: Load into table '${copy.table}' failed at ${object}: ${reasonOf(error)}`);
  }
}

async function columnsOf(client: Client, copy: CopyStatement): Promise<Column[]> {
  const { rows } = await client.query<{ name: string; type: string; width: string | null }>(
    `SELECT attname AS name, format_type(atttypid, NULL) AS type, CASE WHEN atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND atttypmod > 4 THEN atttypmod - 4 END AS width
     FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [copy.table],
  );
  if (rows.length === 0) throw new Error(`COPY: relation "${copy.table}" does not exist.`);
  const unknown = copy.columns?.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) throw new Error(`COPY: column "${unknown}" of relation "${copy.table}" does not exist.`);
  return rows
    .filter((row) => copy.columns === undefined || copy.columns.includes(row.name))
    .map((row) => ({ name: row.name, type: row.type, maxBytes: row.width === null ? undefined : Number(row.width) }));
}

async function objectsOf(
  copy: CopyStatement,
  objects: ObjectAccess,
): Promise<{ bucket: string; key: string; mandatory: boolean }[]> {
  if (!copy.manifest) return objectsBelow(copy, objects);
  const name = `s3://${copy.bucket}/${copy.key}`;
  const content = await read(objects, copy, copy.bucket, copy.key);
  if (content === undefined) throw new Error(`COPY: The manifest ${name} does not exist.`);
  let entries: unknown;
  try {
    const manifest: unknown = JSON.parse(content.toString("utf8"));
    entries = isRecord(manifest) ? manifest.entries : undefined;
  } catch {
    entries = undefined;
  }
  if (!Array.isArray(entries))
    throw new Error(`COPY: The manifest ${name} is not of the form {"entries": [{"url": "s3://…", "mandatory": true}]}.`);
  return entries.map((entry: unknown) => {
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(isRecord(entry) ? String(entry.url) : "") ?? [];
    if (bucket === undefined || key === undefined)
      throw new Error(`COPY: An entry of the manifest ${name} has no url s3://bucket/key.`);
    return { bucket, key, mandatory: isRecord(entry) && entry.mandatory === true };
  });
}

/** Without a manifest COPY loads every object whose key begins with the one that is named. */
async function objectsBelow(
  { bucket, key: prefix, roleArn }: CopyStatement,
  objects: ObjectAccess,
): Promise<{ bucket: string; key: string; mandatory: boolean }[]> {
  await objects.authorizeRole(roleArn, { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}` });
  const keys = await objects.listObjects({ bucket, prefix });
  if (keys.length === 0) throw new Error(`COPY: The specified S3 prefix '${prefix}' does not exist in the bucket ${bucket}.`);
  return keys.map((key) => ({ bucket, key, mandatory: true }));
}

async function read(objects: ObjectAccess, copy: CopyStatement, bucket: string, key: string): Promise<Buffer | undefined> {
  await objects.authorizeRole(copy.roleArn, { action: "s3:GetObject", resource: `arn:aws:s3:::${bucket}/${key}` });
  return objects.readObject({ bucket, key });
}

interface SourceRecord {
  readonly value: Readonly<Record<string, unknown>>;
  readonly line: number;
}

async function textOf(content: Buffer, copy: CopyStatement, object: string): Promise<string> {
  try {
    const bytes = copy.compression === undefined ? content : await DECOMPRESS[copy.compression](content);
    return new TextDecoder("utf-8", { fatal: !copy.acceptInvalidCharacters }).decode(bytes);
  } catch (error) {
    throw new Error(
      `COPY: ${object} cannot be read as ${copy.compression === undefined ? "" : `${copy.compression} of `}UTF-8: ${reasonOf(error)}`,
    );
  }
}

function recordsOf(text: string, object: string): SourceRecord[] {
  const records: SourceRecord[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    if (Buffer.byteLength(line) > MAX_ROW_BYTES) throw new Error(`COPY: ${object}, line ${index + 1} is longer than 4 MB.`);
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new Error(`COPY: ${object}, line ${index + 1} is no JSON: ${reasonOf(error)}`);
    }
    if (!isRecord(value)) throw new Error(`COPY: ${object}, line ${index + 1} is no JSON object.`);
    records.push({ value, line: index + 1 });
  }
  return records;
}

function rowOf(
  record: Readonly<Record<string, unknown>>,
  columns: readonly Column[],
  copy: CopyStatement,
  place: string,
): Record<string, unknown> {
  return Object.fromEntries(
    columns.map((column) => [
      column.name,
      fieldOf(Object.hasOwn(record, column.name) ? record[column.name] : null, column, copy, place),
    ]),
  );
}

function fieldOf(value: unknown, column: Column, copy: CopyStatement, place: string): unknown {
  if (value === null || value === undefined) return null;
  if (column.type === "jsonb") return cleaned(value, copy, place);
  // Anything but a scalar goes into a text column as JSON, as on Redshift.
  const scalar = typeof value === "object" ? JSON.stringify(value) : value;
  if (typeof scalar !== "string" || column.maxBytes === undefined) return scalar;
  const text = String(cleaned(scalar, copy, place));
  if (Buffer.byteLength(text) <= column.maxBytes) return text;
  throw new Error(
    `COPY: ${place}, column ${column.name}: String length exceeds DDL length (${Buffer.byteLength(text)} bytes, at most ${column.maxBytes}).`,
  );
}

/** Characters that no text column takes: NUL and halves of surrogate pairs. ACCEPTINVCHARS puts a question mark in their place. */
function cleaned(value: unknown, copy: CopyStatement, place: string): unknown {
  if (typeof value === "string") {
    const replaced = value.replace(/\p{Surrogate}|\0/gu, "?");
    if (replaced !== value && !copy.acceptInvalidCharacters) {
      throw new DialectError(`COPY: ${place} holds characters that are no UTF-8 text. Use ACCEPTINVCHARS.`);
    }
    return replaced;
  }
  if (Array.isArray(value)) return value.map((item) => cleaned(item, copy, place));
  if (isRecord(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [cleaned(key, copy, place), cleaned(item, copy, place)]),
    );
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
