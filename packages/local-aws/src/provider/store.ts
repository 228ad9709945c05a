/** The resources that the provider has created, so that a later process can give each its body again. */
import type { DatabaseSync } from "node:sqlite";
import { deserialize, serialize } from "node:v8";
import type { GraphResource } from "../contracts";
import type { Vault } from "../services/vault";

export class ResourceStore {
  private readonly resources = new Map<string, GraphResource>();

  constructor(
    private readonly db: DatabaseSync,
    private readonly vault: Vault,
  ) {
    db.exec(
      "CREATE TABLE IF NOT EXISTS provider_resources (key TEXT PRIMARY KEY, position INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT",
    );
    for (const row of db.prepare("SELECT key, sealed FROM provider_resources ORDER BY position").all()) {
      const key = String(row.key);
      // Only `put` below writes it. Inputs may hold secrets, so they are sealed.
      const text = this.vault.open(row.sealed as Uint8Array, key);
      this.resources.set(key, ownBytes(deserialize(Buffer.from(text, "base64"))) as GraphResource);
    }
  }

  /** In the order of their creation. */
  all(): Iterable<GraphResource> {
    return this.resources.values();
  }

  /** While a resource is being replaced, the old one and the new one have one URN. */
  get(urn: string, id: string): GraphResource | undefined {
    return this.resources.get(keyOf(urn, id));
  }

  /** Logical and instance names in use under a URN. */
  namesOf(urn: string): readonly string[] {
    return [...this.resources.values()].filter((resource) => resource.urn === urn).map(({ name }) => name);
  }

  put(resource: GraphResource): void {
    const key = keyOf(resource.urn, resource.id);
    this.resources.set(key, resource);
    const sealed = this.vault.seal(serialize(resource).toString("base64"), key);
    this.db
      .prepare(
        `INSERT INTO provider_resources (key, position, sealed)
         VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM provider_resources), ?)
         ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed`,
      )
      .run(key, sealed);
  }

  remove(urn: string, id: string): void {
    const key = keyOf(urn, id);
    this.resources.delete(key);
    this.db.prepare("DELETE FROM provider_resources WHERE key = ?").run(key);
  }
}

const keyOf = (urn: string, id: string): string => `${urn} ${id}`;

/** Copies files into buffers of their own: in a deserialised value they start anywhere in one block, and models need four-byte alignment. */
function ownBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const copy = Buffer.alloc(value.length);
    copy.set(value);
    return copy;
  }
  if (Array.isArray(value)) return value.map(ownBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, ownBytes(item)]));
}
