/**
 * dynalite's storage on SQLite, in place of its own on LevelDB: that one never closes its iterators, which pin memory and disk, and
 * a full disk damages its log for good. Reads and writes answer within the call, so that an action of dynalite, which is a chain of
 * callbacks, runs as one transaction.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { Stream } from "node:stream";
import type { Callback, DynaliteStore, Range, SubStore, Table } from "dynalite/db";

/** Bytes of one item, names included: "Service, account, and table quotas", DynamoDB developer guide. */
const MAX_ITEM_BYTES = 400 * 1024;

/** Rows that a stream reads at once. */
const PAGE_ROWS = 100;

interface Identity {
  readonly region: string;
  readonly accountId: string;
}

export function itemStore(db: DatabaseSync, { region, accountId }: Identity): DynaliteStore {
  db.exec(
    "CREATE TABLE IF NOT EXISTS dynamodb_items (space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (space, key))",
  );
  const spaces = new Map<string, Space>();
  const space = (name: string): Space => {
    const known = spaces.get(name) ?? new Space(name, db);
    spaces.set(name, known);
    return known;
  };
  const remove = (name: string, callback: Callback): void => {
    spaces.delete(name);
    answer(callback, () => db.prepare("DELETE FROM dynamodb_items WHERE space = ?").run(name));
  };
  const indexName = (type: string, table: string, index: string) => `index-${type.toLowerCase()}~${table}~${index}`;
  const tables = new TableSpace("table", db);
  const tableDb = Object.assign(tables, { awsAccountId: accountId, awsRegion: region });
  return {
    // Table states change at once: nothing local needs time, and a wait would only slow every start.
    options: { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0, maxItemSize: MAX_ITEM_BYTES },
    tableDb,
    getItemDb: (table) => space(`item-${table}`),
    deleteItemDb: (table, callback) => remove(`item-${table}`, callback),
    getIndexDb: (type, table, index) => space(indexName(type, table, index)),
    deleteIndexDb: (type, table, index, callback) => remove(indexName(type, table, index), callback),
    getTagDb: (table) => space(`tag-${table}`),
    deleteTagDb: (table, callback) => remove(`tag-${table}`, callback),
    getTable: (name, ...rest) => {
      const [checksStatus, callback] = rest.length === 1 ? [true, rest[0]] : rest;
      // Actions on items check the status and change nothing of the table; the others are about to.
      const table = checksStatus ? tables.known(name) : tables.table(name);
      const missing = table === undefined || (checksStatus && ["CREATING", "DELETING"].includes(table.TableStatus));
      if (missing) callback(notFound(checksStatus ? "" : `: Table: ${name} not found`));
      else callback(null, table);
    },
  };
}

/** An error is dynalite's to pass on: thrown, it would leave the chain of callbacks halfway. */
function answer(callback: Callback, work: () => unknown): void {
  let value: unknown;
  try {
    value = work();
  } catch (error) {
    callback(error);
    return;
  }
  callback(null, value);
}

function notFound(suffix: string): Error {
  const body = {
    __type: "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
    message: `Requested resource not found${suffix}`,
  };
  return Object.assign(new Error(body.message), { name: "NotFoundError", statusCode: 400, body });
}

/** The items of one table or index, or the tables themselves, ordered by key. */
class Space implements SubStore {
  constructor(
    private readonly name: string,
    private readonly db: DatabaseSync,
  ) {}

  /** What holds a lock ends before anything else runs, so there is nothing to wait for. */
  lock(_key: string, work: (release: (callback: Callback) => Callback) => void): void {
    work((callback) => callback);
  }

  read(key: string): unknown {
    const row = this.db.prepare("SELECT value FROM dynamodb_items WHERE space = ? AND key = ?").get(this.name, key);
    return row === undefined ? undefined : JSON.parse(String(row.value));
  }

  get(key: string, callback: Callback): void {
    answer(callback, () => this.read(key));
  }

  put(key: string, value: unknown, callback: Callback): void {
    const sql =
      "INSERT INTO dynamodb_items (space, key, value) VALUES (?, ?, ?) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value";
    answer(callback, () => this.db.prepare(sql).run(this.name, key, JSON.stringify(value)));
  }

  del(key: string, callback: Callback): void {
    const sql = "DELETE FROM dynamodb_items WHERE space = ? AND key = ?";
    answer(callback, () => this.db.prepare(sql).run(this.name, key));
  }

  createValueStream(range: Range): Stream {
    const rows = range.limit !== undefined && range.limit > 0 ? Math.min(range.limit, PAGE_ROWS) : PAGE_ROWS;
    return new RowStream(rows, (after) => this.page(range, after, rows));
  }

  private page(range: Range, after: string | undefined, limit: number): Row[] {
    const { reverse = false } = range;
    const bounds: (readonly [operator: string, key: string | undefined])[] = [
      [">", range.gt],
      [">=", range.gte],
      ["<", range.lt],
      ["<=", range.lte],
      [reverse ? "<" : ">", after],
    ];
    const given = bounds.filter(([, key]) => key !== undefined);
    const where = ["space = ?", ...given.map(([operator]) => `key ${operator} ?`)].join(" AND ");
    const values: SQLInputValue[] = [this.name, ...given.map(([, key]) => key ?? ""), limit];
    return this.db
      .prepare(`SELECT key, value FROM dynamodb_items WHERE ${where} ORDER BY key ${reverse ? "DESC" : "ASC"} LIMIT ?`)
      .all(...values)
      .map(({ key, value }) => ({ key: String(key), value: String(value) }));
  }
}

/** The tables themselves. Every action on an item asks twice for its table, so the ones in use are kept parsed. */
class TableSpace extends Space {
  private readonly parsed = new Map<string, Table>();

  table(name: string): Table | undefined {
    return this.read(name) as Table | undefined;
  }

  known(name: string): Table | undefined {
    const table = this.parsed.get(name) ?? this.table(name);
    if (table !== undefined) this.parsed.set(name, table);
    return table;
  }

  override put(key: string, value: unknown, callback: Callback): void {
    this.parsed.delete(key);
    super.put(key, value, callback);
  }

  override del(key: string, callback: Callback): void {
    this.parsed.delete(key);
    super.del(key, callback);
  }
}

interface Row {
  readonly key: string;
  readonly value: string;
}

/** Emits the values page by page, from the next turn on, until its reader has enough. */
class RowStream extends Stream {
  private destroyed = false;

  constructor(
    private readonly pageRows: number,
    private readonly page: (after: string | undefined) => Row[],
  ) {
    super();
    setImmediate(() => this.emitPage(undefined));
  }

  private emitPage(after: string | undefined): void {
    if (this.destroyed) return;
    let rows: Row[];
    try {
      rows = this.page(after);
    } catch (error) {
      this.emit("error", error);
      return;
    }
    for (const { value } of rows) if (!this.destroyed) this.emit("data", JSON.parse(value));
    if (this.destroyed) return;
    if (rows.length < this.pageRows) this.emit("end");
    else setImmediate(() => this.emitPage(rows.at(-1)?.key));
  }

  destroy(): void {
    this.destroyed = true;
  }
}
