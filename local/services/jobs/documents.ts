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

  /** Oldest first. */
  all(): T[] {
    return this.db
      .prepare(`SELECT document FROM ${this.table} ORDER BY sequence`)
      .all()
      .map((row) => JSON.parse(String(row.document)) as T);
  }
}
