import type { LocalContext } from "../../contracts";
import { Documents } from "../documents";

/**
 * The keys of the program as others name them. Who may use a key is checked wherever a service would use it, by the key's policy and the
 * caller's; nothing on one machine is encrypted with one, so KMS's own API isn't served here.
 */
export class KmsService {
  private readonly keys: Documents<{ readonly name: string; readonly keyId: string }>;

  constructor(private readonly context: Pick<LocalContext, "region" | "accountId" | "db">) {
    this.keys = new Documents(context.db, "kms_alias_documents");
  }

  /** `name` with its `alias/` prefix. */
  putAlias(name: string, keyId: string): void {
    this.keys.put(name, { name, keyId });
  }

  deleteAlias(name: string): void {
    this.keys.delete(name);
  }

  aliases(): string[] {
    return this.keys.sorted().map(({ name }) => name);
  }

  /** ARN of a key given by id, ARN or alias. Unknown ids give the ARN that they would have. */
  arnOf(keyId: string): string {
    const tail = keyId.startsWith("arn:") ? keyId.split(":").slice(5).join(":") : keyId;
    const id = this.keys.get(tail)?.keyId.replace(/^.*:key\//, "") ?? tail.replace(/^key\//, "");
    return `arn:aws:kms:${this.context.region}:${this.context.accountId}:key/${id}`;
  }
}
