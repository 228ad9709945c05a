/**
 * The transaction of one load: everything between LOCK and the ledger commits together or not at all. MERGE by key makes a repeated
 * load harmless; the ledger makes it rare.
 */
import type { Compression } from "../shared/ndjson";
import type { CreatedObject } from "./notification";
import { literal, MAX_STATEMENT_BYTES } from "./sql-client";
import type { LoadTarget } from "./targets";

export interface Load {
  readonly loadId: string;
  readonly target: LoadTarget;
  readonly compression: Compression;
  readonly objects: readonly CreatedObject[];
  /** `s3://bucket/key` of the manifest. */
  readonly manifestUrl: string;
  /** Role that the warehouse assumes to read the objects. */
  readonly copyRoleArn: string;
}

/** Index of COPY in the transaction: a failure before it is not the fault of an object. */
export const FIRST_STATEMENT_OF_OBJECTS = 2;

/** The statements in order. The last one returns `rows, inserted, updated, duplicates, newest_at` of the load. */
export function loadStatements(load: Load): string[] {
  const { target } = load;
  const table = `risk.${target.table}`;
  const columns = Object.entries(target.columns).map(([field, { column = field }]) => [field, column] as const);
  const fields = columns.map(([field]) => field).join(", ");
  const id = literal(load.loadId);
  const keys = target.key.join(", ");
  const sameKey = (row: string) => target.key.map((column) => `${row}.${column} = fresh.${column}`).join(" AND ");
  const known = [
    `${target.table}.${target.version} >= fresh.${target.version}`,
    ...(target.content === undefined ? [] : [`${target.table}.${target.content} = fresh.${target.content}`]),
  ].join(" OR ");
  const updates = columns
    .filter(([field]) => !target.key.includes(field))
    .map(([field, column]) => `${column} = fresh.${field}`)
    .join(", ");
  return [
    "LOCK TABLE risk.load_lock",
    `CREATE TEMP TABLE staged (LIKE ${table}_staging)`,
    // MAXERROR stays 0 and nothing is truncated: an object is loaded completely or reported. ACCEPTINVCHARS replaces single invalid
    // UTF-8 characters, which would otherwise hold up all other lines of the object.
    `COPY staged FROM ${literal(load.manifestUrl)} IAM_ROLE ${literal(load.copyRoleArn)} MANIFEST FORMAT AS JSON 'auto' ${load.compression} TIMEFORMAT AS 'auto' ACCEPTINVCHARS COMPUPDATE OFF STATUPDATE OFF`,
    // One line per key: at-least-once delivery may have put an event into several objects.
    `CREATE TEMP TABLE fresh DISTKEY (${target.key[0]}) AS SELECT ${fields} FROM (SELECT ${fields}, ROW_NUMBER() OVER (PARTITION BY ${keys} ORDER BY ${target.version} DESC, ${target.tieBreak}) AS place FROM staged) AS numbered WHERE place = 1`,
    // The lines that remain say something new: MERGE only inserts unknown rows and updates those that were scored again later.
    `DELETE FROM fresh USING ${table} WHERE ${sameKey(target.table)} AND (${known})`,
    `INSERT INTO risk.loads (load_id, target, objects, "rows", inserted, updated, duplicates, newest_at, loaded_at) SELECT ${id}, ${literal(target.table)}, ${load.objects.length}, s.lines, f.lines - u.lines, u.lines, s.lines - f.lines, s.newest_at, GETDATE() FROM (SELECT COUNT(*) AS lines, MAX(${target.newest}) AS newest_at FROM staged) AS s CROSS JOIN (SELECT COUNT(*) AS lines FROM fresh) AS f CROSS JOIN (SELECT COUNT(*) AS lines FROM fresh JOIN ${table} AS known ON ${sameKey("known")}) AS u`,
    `MERGE INTO ${table} USING fresh ON ${sameKey(target.table)} WHEN MATCHED THEN UPDATE SET ${updates}, load_id = ${id}, loaded_at = GETDATE() WHEN NOT MATCHED THEN INSERT (${columns.map(([, column]) => column).join(", ")}, load_id, loaded_at) VALUES (${columns.map(([field]) => `fresh.${field}`).join(", ")}, ${id}, GETDATE())`,
    "CREATE TEMP TABLE loaded (object_key VARCHAR(1100), etag VARCHAR(128), size_bytes BIGINT)",
    ...packed("INSERT INTO loaded (object_key, etag, size_bytes) VALUES ", load.objects.map(ledgerValues), ""),
    `INSERT INTO risk.load_ledger (object_key, etag, size_bytes, load_id, "rows", status, loaded_at) SELECT o.object_key, o.etag, o.size_bytes, ${id}, l."rows", 'loaded', l.loaded_at FROM loaded AS o CROSS JOIN risk.loads AS l WHERE l.load_id = ${id} AND NOT EXISTS (SELECT 1 FROM risk.load_ledger AS known WHERE known.object_key = o.object_key AND known.etag = o.etag)`,
    `SELECT "rows", inserted, updated, duplicates, newest_at FROM risk.loads WHERE load_id = ${id}`,
  ];
}

/** Queries that together return which of the objects are in the ledger, as `object_key, etag`. */
export function ledgerQueries(objects: readonly CreatedObject[]): string[] {
  const keys = [...new Set(objects.map((object) => object.key))].map(literal);
  return packed("SELECT object_key, etag FROM risk.load_ledger WHERE status = 'loaded' AND object_key IN (", keys, ")");
}

/** https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html; `mandatory` makes a load fail when an object is missing. */
export function manifestOf(objects: readonly CreatedObject[]): string {
  return JSON.stringify({
    entries: objects.map((object) => ({
      url: `s3://${object.bucket}/${object.key}`,
      mandatory: true,
      meta: { content_length: object.sizeBytes },
    })),
  });
}

function ledgerValues(object: CreatedObject): string {
  return `(${literal(object.key)}, ${literal(object.etag)}, ${object.sizeBytes})`;
}

/** Joins items into as few statements as the Data API's size limit allows. */
function packed(head: string, items: readonly string[], tail: string): string[] {
  const statements: string[] = [];
  const room = MAX_STATEMENT_BYTES - Buffer.byteLength(head) - Buffer.byteLength(tail);
  let batch: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(item) + 2;
    if (batch.length > 0 && bytes + size > room) {
      statements.push(head + batch.join(", ") + tail);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) statements.push(head + batch.join(", ") + tail);
  return statements;
}
