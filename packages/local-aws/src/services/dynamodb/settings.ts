/** What DynamoDB keeps about a table besides its items: expiry, deletion protection, the key that encrypts it. */
import type { DatabaseSync } from "node:sqlite";
import { Documents } from "../documents";

interface Settings {
  readonly protected: boolean;
  /** Attribute with the second at which an item expires; undefined: none does. */
  readonly ttlAttribute?: string | undefined;
  /** The customer-managed key that encrypts the table; undefined for AWS's own. */
  readonly keyId?: string | undefined;
}

export class TableSettings {
  private readonly tables: Documents<Settings>;

  constructor(db: DatabaseSync) {
    this.tables = new Documents(db, "dynamodb_table_documents");
  }

  register(name: string): void {
    if (this.tables.get(name) === undefined) this.tables.put(name, { protected: false });
  }

  remove(name: string): void {
    this.tables.delete(name);
  }

  configure(name: string, settings: Settings): void {
    this.tables.put(name, settings);
  }

  names(): string[] {
    return this.tables.entries("", "key").map(([name]) => name);
  }

  tablesWithTtl(): { readonly table: string; readonly attribute: string }[] {
    return this.tables
      .entries()
      .flatMap(([table, { ttlAttribute }]) => (ttlAttribute === undefined ? [] : [{ table, attribute: ttlAttribute }]));
  }

  isProtected(name: string): boolean {
    return this.tables.get(name)?.protected ?? false;
  }

  keyOf(name: string): string | undefined {
    return this.tables.get(name)?.keyId;
  }
}
