/** Records of one kind as JSON in one table, by key. */
import type { DatabaseSync } from "node:sqlite";

export class Documents<T extends object> {
  constructor(
    private readonly db: DatabaseSync,
    private readonly table: string,
  ) {
    db.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (sequence INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, document TEXT NOT NULL)`,
    );
  }

  get(key: string): T | undefined {
    const row = this.db.prepare(`SELECT document FROM ${this.table} WHERE key = ?`).get(key);
    return row === undefined ? undefined : (JSON.parse(String(row.document)) as T);
  }

  put(key: string, document: T): void {
    this.db
      .prepare(
        `INSERT INTO ${this.table} (key, document) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document`,
      )
      .run(key, JSON.stringify(document));
  }

  delete(key: string): void {
    this.db.prepare(`DELETE FROM ${this.table} WHERE key = ?`).run(key);
  }

  /** The records whose key begins with the prefix: in the order in which they were made, or of their keys. */
  entries(prefix = "", order: "sequence" | "key" = "sequence"): [key: string, document: T][] {
    return this.db
      .prepare(`SELECT key, document FROM ${this.table} WHERE substr(key, 1, ?) = ? ORDER BY ${order}`)
      .all(prefix.length, prefix)
      .map((row) => [String(row.key), JSON.parse(String(row.document)) as T]);
  }

  /** In the order in which they were made. */
  all(prefix?: string): T[] {
    return this.entries(prefix).map(([, document]) => document);
  }

  /** In the order of their keys. */
  sorted(prefix?: string): T[] {
    return this.entries(prefix, "key").map(([, document]) => document);
  }
}
