/**
 * The warehouse as the loader's transactions see it. Statements are read from their text, so that a change of the SQL changes what
 * happens, or is refused here. tests/simulation/warehouse.test.ts compares it with PostgreSQL.
 */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { LoadTarget } from "../product";
import { parseField, type Row, SqlError, type Value } from "./warehouse-values";

export interface WarehousePorts {
  /** The object's bytes. */
  readonly read: (bucket: string, key: string) => Uint8Array | undefined;
  readonly now: () => number;
  readonly targets: readonly LoadTarget[];
}

const STATEMENT = {
  lock: /^LOCK TABLE risk\.load_lock$/,
  staged: /^CREATE TEMP TABLE staged \(LIKE risk\.(\w+)_staging\)$/,
  copy: /^COPY staged FROM '(.+?)' IAM_ROLE '.+' MANIFEST FORMAT AS JSON 'auto' (ZSTD|GZIP) /,
  fresh:
    /^CREATE TEMP TABLE fresh DISTKEY \(\w+\) AS SELECT (.+) FROM \(SELECT .+, ROW_NUMBER\(\) OVER \(PARTITION BY (.+) ORDER BY (\w+) DESC, (\w+)( DESC)?\) AS place FROM staged\) AS numbered WHERE place = 1$/,
  all: /^CREATE TEMP TABLE fresh DISTKEY \(\w+\) AS SELECT .+ FROM \(SELECT .+ FROM staged\) AS numbered$/,
  known: /^DELETE FROM fresh USING risk\.(\w+) WHERE (.+) AND \((\w+)\.(\w+) >= fresh\.\w+(?: OR \w+\.(\w+) = fresh\.\w+)?\)$/,
  loads:
    /^INSERT INTO risk\.loads \(.+\) SELECT '(.+?)', '(\w+)', (\d+), s\.lines, f\.lines - u\.lines, u\.lines, s\.lines - f\.lines, s\.newest_at, GETDATE\(\) FROM \(SELECT COUNT\(\*\) AS lines, MAX\((\w+)\) AS newest_at FROM staged\) AS s CROSS JOIN \(SELECT COUNT\(\*\) AS lines FROM fresh\) AS f CROSS JOIN \(SELECT COUNT\(\*\) AS lines FROM fresh JOIN risk\.\w+ AS known ON (.+)\) AS u$/,
  merge: /^MERGE INTO risk\.(\w+) USING fresh ON (.+?) WHEN MATCHED THEN UPDATE SET .+ WHEN NOT MATCHED THEN INSERT /,
  loaded: /^CREATE TEMP TABLE loaded /,
  objects: /^INSERT INTO loaded \(object_key, etag, size_bytes\) VALUES (.+)$/s,
  ledger:
    /^INSERT INTO risk\.load_ledger \(.+\) SELECT .+, '(?:loaded)', .+ WHERE l\.load_id = '(.+?)'( AND NOT EXISTS \(.+\))?$/,
  result: /^SELECT "rows", inserted, updated, duplicates, newest_at FROM risk\.loads WHERE load_id = '(.+)'$/,
  known_objects: /^SELECT object_key, etag FROM risk\.load_ledger WHERE status = 'loaded' AND object_key IN \((.+)\)$/s,
} as const;

const OBJECT = /\('((?:[^']|'')+)', '((?:[^']|'')+)', (\d+)\)/g;
const LITERAL = /'((?:[^']|'')+)'/g;

export class Warehouse {
  readonly tables = new Map<string, Row[]>();
  readonly loads: Row[] = [];
  readonly ledger: Row[] = [];

  constructor(readonly ports: WarehousePorts) {}

  rows(table: string): Row[] {
    const present = this.tables.get(table) ?? [];
    this.tables.set(table, present);
    return present;
  }

  begin(): Transaction {
    return new Transaction(this);
  }
}

/** Changes take effect when it is committed. */
export class Transaction {
  readonly #changes: (() => void)[] = [];
  #target: LoadTarget | undefined;
  #staged: Row[] = [];
  #fresh: Row[] = [];
  #load: Row | undefined;
  readonly #objects: Row[] = [];

  constructor(private readonly warehouse: Warehouse) {}

  static isLock(sql: string): boolean {
    return STATEMENT.lock.test(sql);
  }

  commit(): void {
    for (const change of this.#changes) change();
  }

  /** @returns the rows of a query. @throws SqlError */
  execute(sql: string): readonly Row[] {
    for (const [name, pattern] of Object.entries(STATEMENT)) {
      const match = pattern.exec(sql);
      if (match !== null) return this.#run(name as keyof typeof STATEMENT, match.slice(1));
    }
    throw new SqlError(`The simulated warehouse doesn't know the statement; add it to simulation/services/warehouse.ts: ${sql}`);
  }

  #run(name: keyof typeof STATEMENT, parts: readonly (string | undefined)[]): readonly Row[] {
    const [first = "", second = "", third = ""] = parts;
    switch (name) {
      case "staged":
        this.#target = this.warehouse.ports.targets.find(({ table }) => table === first);
        return [];
      case "copy":
        this.#staged = this.#copy(first, second);
        return [];
      case "fresh":
        this.#fresh = distinct(this.#staged, second.split(", "), third, parts[3] ?? "", parts[4] !== undefined);
        return [];
      case "all":
        this.#fresh = [...this.#staged];
        return [];
      case "known": {
        const [version = "", content] = [parts[3], parts[4]];
        const says = (row: Row, fresh: Row): boolean =>
          isAtLeast(row[version], fresh[version]) || (content !== undefined && row[content] === fresh[content]);
        const rows = this.warehouse.rows(first);
        this.#fresh = this.#fresh.filter((line) => !rows.some((row) => isSame(row, line, keysOf(second)) && says(row, line)));
        return [];
      }
      case "loads":
        this.#load = this.#summary(first, second, Number(third), parts[3] ?? "", keysOf(parts[4] ?? ""));
        return [];
      case "merge":
        this.#merge(first, keysOf(second));
        return [];
      case "objects":
        for (const [, key = "", etag = "", size] of first.matchAll(OBJECT))
          this.#objects.push({ object_key: unquoted(key), etag: unquoted(etag), size_bytes: Number(size) });
        return [];
      case "ledger":
        this.#enter(first, second !== "");
        return [];
      case "result":
        return this.#load === undefined ? [] : [this.#load];
      case "known_objects": {
        const keys = new Set([...first.matchAll(LITERAL)].map(([, key = ""]) => unquoted(key)));
        return this.warehouse.ledger.filter(({ object_key }) => keys.has(String(object_key)));
      }
      default:
        return [];
    }
  }

  /** An object that is compressed in another way fails the load. */
  #copy(url: string, compression: string): Row[] {
    const manifest: unknown = JSON.parse(Buffer.from(this.#object(url)).toString());
    const { entries } = manifest as { readonly entries: readonly { readonly url: string }[] };
    return entries.flatMap(({ url: object }) =>
      unpacked(this.#object(object), compression)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => this.#line(line)),
    );
  }

  #object(url: string): Uint8Array {
    const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
    const body = this.warehouse.ports.read(bucket, key);
    if (body === undefined) throw new SqlError(`The specified key does not exist: ${url}`);
    return body;
  }

  /** JSON 'auto': members are matched with columns by name, others are ignored. */
  #line(text: string): Row {
    if (text.includes("\\u0000")) throw new SqlError("Invalid null byte in a line.");
    const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const row: Row = {};
    for (const [field, { type }] of Object.entries(this.#target?.columns ?? {}))
      row[field] = parseField(field, type, line[field]);
    return row;
  }

  #summary(id: string, target: string, objects: number, newest: string, keys: readonly string[]): Row {
    const rows = this.warehouse.rows(target);
    const updated = this.#fresh.filter((line) => rows.some((row) => isSame(row, line, keys))).length;
    const times = this.#staged.map((line) => line[newest]).filter((time) => time !== null && time !== undefined);
    const load: Row = {
      load_id: id,
      target,
      objects,
      rows: this.#staged.length,
      inserted: this.#fresh.length - updated,
      updated,
      duplicates: this.#staged.length - this.#fresh.length,
      newest_at: times.sort().at(-1) ?? null,
    };
    this.#changes.push(() => this.warehouse.loads.push(load));
    return load;
  }

  #merge(table: string, keys: readonly string[]): void {
    const rows = this.warehouse.rows(table);
    for (const line of this.#fresh) {
      for (const [field, { required }] of Object.entries(this.#target?.columns ?? {})) {
        if (required && line[field] === null) throw new SqlError(`Cannot insert a NULL value into column ${field}`);
      }
      const matched = rows.filter((row) => isSame(row, line, keys));
      this.#changes.push(() => {
        if (matched.length === 0) rows.push({ ...line });
        for (const row of matched) Object.assign(row, line);
      });
    }
  }

  #enter(id: string, onlyNew: boolean): void {
    const { ledger } = this.warehouse;
    const isKnown = (object: Row): boolean =>
      ledger.some((row) => row.object_key === object.object_key && row.etag === object.etag);
    const entered = this.#objects.filter((object) => !onlyNew || !isKnown(object));
    this.#changes.push(() => ledger.push(...entered.map((object) => ({ ...object, load_id: id }))));
  }
}

function unpacked(body: Uint8Array, compression: string): string {
  try {
    return (compression === "ZSTD" ? zstdDecompressSync(body) : gunzipSync(body)).toString();
  } catch {
    throw new SqlError(`The object isn't compressed with ${compression}.`);
  }
}

/** `a.x = fresh.x AND a.y = fresh.y` → x, y. */
const keysOf = (condition: string): readonly string[] =>
  [...condition.matchAll(/fresh\.(\w+)/g)].map(([, column = ""]) => column);
const isSame = (a: Row, b: Row, keys: readonly string[]): boolean => keys.every((key) => a[key] === b[key]);
const unquoted = (text: string): string => text.replaceAll("''", "'").replaceAll("\\\\", "\\");

/** Texts in the order of their bytes, times as parseField writes them. Nothing compares with null. */
function isAtLeast(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined || a === null || b === null) return false;
  return a >= b;
}

/** The first line of each key in the window's order. */
function distinct(lines: readonly Row[], keys: readonly string[], version: string, tie: string, tieDescending: boolean): Row[] {
  const isBefore = (a: Row, b: Row): boolean => {
    if (a[version] !== b[version]) return isAtLeast(a[version], b[version]);
    return tieDescending ? isAtLeast(a[tie], b[tie]) : !isAtLeast(a[tie], b[tie]);
  };
  const first = new Map<string, Row>();
  for (const line of lines) {
    const key = JSON.stringify(keys.map((name) => line[name]));
    const present = first.get(key);
    if (present === undefined || isBefore(line, present)) first.set(key, line);
  }
  return [...first.values()];
}
