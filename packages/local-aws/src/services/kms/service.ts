import type { LocalContext } from "../../contracts";

/**
 * The keys of the program as others name them. Who may use a key is checked wherever a service would use it, by the key's policy and the
 * caller's; nothing on one machine is encrypted with one, so KMS's own API has no answer here.
 */
export class KmsService {
  constructor(private readonly context: Pick<LocalContext, "region" | "accountId" | "db">) {
    context.db.exec("CREATE TABLE IF NOT EXISTS kms_aliases (name TEXT PRIMARY KEY, key_id TEXT NOT NULL)");
  }

  /** `name` with its `alias/` prefix. */
  putAlias(name: string, keyId: string): void {
    this.context.db.prepare("INSERT OR REPLACE INTO kms_aliases VALUES (?, ?)").run(name, keyId);
  }

  deleteAlias(name: string): void {
    this.context.db.prepare("DELETE FROM kms_aliases WHERE name = ?").run(name);
  }

  aliases(): string[] {
    const rows = this.context.db.prepare("SELECT name FROM kms_aliases ORDER BY name").all();
    return rows.map(({ name }) => String(name));
  }

  /** ARN of a key given by id, ARN or alias. Unknown ids give the ARN that they would have. */
  arnOf(keyId: string): string {
    const tail = keyId.startsWith("arn:") ? keyId.split(":").slice(5).join(":") : keyId;
    const row = this.context.db.prepare("SELECT key_id FROM kms_aliases WHERE name = ?").get(tail);
    const id = row === undefined ? tail.replace(/^key\//, "") : String(row.key_id).replace(/^.*:key\//, "");
    return `arn:aws:kms:${this.context.region}:${this.context.accountId}:key/${id}`;
  }
}
