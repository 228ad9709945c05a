/** What DynamoDB keeps about a table besides its items: TTL, recovery, deletion protection, tags. */
import type { DatabaseSync } from "node:sqlite";

export class TableSettings {
  constructor(private readonly db: DatabaseSync) {
    db.exec(`
      CREATE TABLE IF NOT EXISTS dynamodb_tables (name TEXT PRIMARY KEY, ttl_attribute TEXT, ttl_enabled INTEGER NOT NULL DEFAULT 0,
        recovery INTEGER NOT NULL DEFAULT 0, protected INTEGER NOT NULL DEFAULT 0);
      CREATE TABLE IF NOT EXISTS dynamodb_keys (table_name TEXT PRIMARY KEY, key_id TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS dynamodb_tags (table_name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (table_name, key));
    `);
  }

  register(name: string): void {
    this.db.prepare("INSERT OR IGNORE INTO dynamodb_tables (name) VALUES (?)").run(name);
  }

  remove(name: string): void {
    this.db.prepare("DELETE FROM dynamodb_tables WHERE name = ?").run(name);
    this.db.prepare("DELETE FROM dynamodb_tags WHERE table_name = ?").run(name);
    this.db.prepare("DELETE FROM dynamodb_keys WHERE table_name = ?").run(name);
  }

  has(name: string): boolean {
    return this.row(name) !== undefined;
  }

  names(): string[] {
    return this.db
      .prepare("SELECT name FROM dynamodb_tables ORDER BY name")
      .all()
      .map((row) => String(row.name));
  }

  setTtl(name: string, attribute: string, enabled: boolean): void {
    this.db
      .prepare("UPDATE dynamodb_tables SET ttl_attribute = ?, ttl_enabled = ? WHERE name = ?")
      .run(attribute, enabled ? 1 : 0, name);
  }

  describeTtl(name: string): Record<string, unknown> {
    const row = this.row(name);
    return row?.ttl_enabled === 1
      ? { TimeToLiveStatus: "ENABLED", AttributeName: row.ttl_attribute }
      : { TimeToLiveStatus: "DISABLED" };
  }

  tablesWithTtl(): { readonly table: string; readonly attribute: string }[] {
    const rows = this.db.prepare("SELECT name, ttl_attribute FROM dynamodb_tables WHERE ttl_enabled = 1").all();
    return rows.map((row) => ({ table: String(row.name), attribute: String(row.ttl_attribute) }));
  }

  setRecovery(name: string, enabled: boolean): void {
    this.db.prepare("UPDATE dynamodb_tables SET recovery = ? WHERE name = ?").run(enabled ? 1 : 0, name);
  }

  describeBackups(name: string): Record<string, unknown> {
    const status = this.row(name)?.recovery === 1 ? "ENABLED" : "DISABLED";
    return { ContinuousBackupsStatus: "ENABLED", PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: status } };
  }

  setProtected(name: string, enabled: boolean): void {
    this.db.prepare("UPDATE dynamodb_tables SET protected = ? WHERE name = ?").run(enabled ? 1 : 0, name);
  }

  isProtected(name: string): boolean {
    return this.row(name)?.protected === 1;
  }

  /** The customer-managed key that encrypts the table; undefined for AWS's own. */
  setKey(name: string, keyId: string | undefined): void {
    if (keyId === undefined) this.db.prepare("DELETE FROM dynamodb_keys WHERE table_name = ?").run(name);
    else this.db.prepare("INSERT OR REPLACE INTO dynamodb_keys VALUES (?, ?)").run(name, keyId);
  }

  keyOf(name: string): string | undefined {
    const row = this.db.prepare("SELECT key_id FROM dynamodb_keys WHERE table_name = ?").get(name);
    return row === undefined ? undefined : String(row.key_id);
  }

  putTags(name: string, tags: readonly { Key: string; Value: string }[]): void {
    const put = this.db.prepare("INSERT OR REPLACE INTO dynamodb_tags VALUES (?, ?, ?)");
    for (const tag of tags) put.run(name, tag.Key, tag.Value);
  }

  removeTags(name: string, keys: readonly string[]): void {
    const remove = this.db.prepare("DELETE FROM dynamodb_tags WHERE table_name = ? AND key = ?");
    for (const key of keys) remove.run(name, key);
  }

  tags(name: string): { Key: string; Value: string }[] {
    const rows = this.db.prepare("SELECT key, value FROM dynamodb_tags WHERE table_name = ? ORDER BY key").all(name);
    return rows.map((row) => ({ Key: String(row.key), Value: String(row.value) }));
  }

  private row(name: string): Record<string, unknown> | undefined {
    return this.db.prepare("SELECT * FROM dynamodb_tables WHERE name = ?").get(name);
  }
}
