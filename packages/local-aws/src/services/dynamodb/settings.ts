/** What DynamoDB keeps about a table besides its items: expiry, deletion protection, the key that encrypts it. */
import type { DatabaseSync } from "node:sqlite";

export interface Settings {
  readonly protected: boolean;
  /** Attribute with the second at which an item expires; undefined: none does. */
  readonly ttlAttribute: string | undefined;
  /** The customer-managed key that encrypts the table; undefined for AWS's own. */
  readonly keyId: string | undefined;
}

export class TableSettings {
  constructor(private readonly db: DatabaseSync) {
    db.exec(`
      CREATE TABLE IF NOT EXISTS dynamodb_tables (name TEXT PRIMARY KEY, ttl_attribute TEXT, protected INTEGER NOT NULL DEFAULT 0);
      CREATE TABLE IF NOT EXISTS dynamodb_keys (table_name TEXT PRIMARY KEY, key_id TEXT NOT NULL);
    `);
  }

  register(name: string): void {
    this.db.prepare("INSERT OR IGNORE INTO dynamodb_tables (name) VALUES (?)").run(name);
  }

  remove(name: string): void {
    this.db.prepare("DELETE FROM dynamodb_tables WHERE name = ?").run(name);
    this.db.prepare("DELETE FROM dynamodb_keys WHERE table_name = ?").run(name);
  }

  configure(name: string, settings: Settings): void {
    this.db
      .prepare("UPDATE dynamodb_tables SET ttl_attribute = ?, protected = ? WHERE name = ?")
      .run(settings.ttlAttribute ?? null, settings.protected ? 1 : 0, name);
    if (settings.keyId === undefined) this.db.prepare("DELETE FROM dynamodb_keys WHERE table_name = ?").run(name);
    else this.db.prepare("INSERT OR REPLACE INTO dynamodb_keys VALUES (?, ?)").run(name, settings.keyId);
  }

  names(): string[] {
    const rows = this.db.prepare("SELECT name FROM dynamodb_tables ORDER BY name").all();
    return rows.map((row) => String(row.name));
  }

  tablesWithTtl(): { readonly table: string; readonly attribute: string }[] {
    const rows = this.db.prepare("SELECT name, ttl_attribute FROM dynamodb_tables WHERE ttl_attribute IS NOT NULL").all();
    return rows.map((row) => ({ table: String(row.name), attribute: String(row.ttl_attribute) }));
  }

  isProtected(name: string): boolean {
    return this.db.prepare("SELECT protected FROM dynamodb_tables WHERE name = ?").get(name)?.protected === 1;
  }

  keyOf(name: string): string | undefined {
    const row = this.db.prepare("SELECT key_id FROM dynamodb_keys WHERE table_name = ?").get(name);
    return row === undefined ? undefined : String(row.key_id);
  }
}
