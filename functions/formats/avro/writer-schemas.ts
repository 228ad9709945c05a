/** The schemas that producers write with, by what a record's header says. */
import type { Clock } from "../../shared/clock";
import { mapBounded } from "../../shared/concurrency";
import { ResolutionFault, SchemaFault } from "./fault";
import { fingerprint } from "./fingerprint";
import { type SchemaId, uuidOf } from "./header";
import { LruMap } from "./lru-map";
import type { Read } from "./read";
import { resolve } from "./resolve";
import { parseSchema } from "./schema";
import type { AvroType } from "./types";

/** A registry that is asked by id. Both reject when it can't be asked: the records then wait. */
export interface SchemaRegistry {
  /** @returns the text of a schema version; null when the registry doesn't have it */
  schema(versionId: string): Promise<string | null>;
  /** @returns ids of the versions of the platform's own schema */
  versions(): Promise<readonly string[]>;
}

export type WriterSchema =
  | { readonly ok: true; readonly read: Read }
  | { readonly ok: false; readonly reason: "unknown_schema" | "incompatible_schema"; readonly detail: string };

export interface WriterSchemas {
  /** Schemas of a batch by {@link schemaKey}; what isn't known yet is fetched. Rejects when the registry can't be asked. */
  of(ids: readonly SchemaId[]): Promise<ReadonlyMap<string, WriterSchema>>;
}

export interface WriterSchemasArgs {
  /** JSON text of the profile's schema, which its producers may use as well. */
  readonly reader: string;
  readonly registry: SchemaRegistry;
  readonly clock: Clock;
}

export const schemaKey = ({ kind, id }: SchemaId): string => `${kind}:${id}`;

/** A platform has a few schemas with a few versions each; one is up to some hundred KB when it is compiled. */
const MAX_SCHEMAS = 256;
const MAX_UNKNOWN = 4_096;
/** Whoever registers a schema after its first records waits this long; a flood of unknown ids costs one call each in this time. */
const UNKNOWN_MS = 60_000;
const LOOKUPS_AT_ONCE = 8;

const UNKNOWN = { ok: false, reason: "unknown_schema" } as const;

const DETAILS = {
  glue: "Expected the id of a schema version of the registry, got another.",
  fingerprint: "Expected the fingerprint of a version of the platform's schema, got another.",
  confluent:
    "Expected a schema that can be looked up, got an id of a Confluent registry; use AWS Glue's registry, or single-object encoding.",
} as const satisfies Record<SchemaId["kind"], string>;

export function createWriterSchemas({ reader, registry, clock }: WriterSchemasArgs): WriterSchemas {
  const readerType = parseSchema(reader);
  const own = schemaKey({ kind: "fingerprint", id: fingerprint(readerType) });
  const ownSchema: WriterSchema = { ok: true, read: resolve(readerType, readerType) };
  const known = new LruMap<string, WriterSchema>(MAX_SCHEMAS);
  const unknownUntil = new LruMap<string, number>(MAX_UNKNOWN);
  let fingerprintsListedAt = Number.NEGATIVE_INFINITY;

  const fetch = async (id: string): Promise<void> => {
    const key = schemaKey({ kind: "glue", id });
    const text = await registry.schema(uuidOf(id));
    if (text === null) {
      unknownUntil.set(key, clock.now() + UNKNOWN_MS);
      return;
    }
    const { schema, print } = compile(text, readerType);
    known.set(key, schema);
    if (print !== null) known.set(schemaKey({ kind: "fingerprint", id: print }), schema);
  };
  const fetchAll = async (ids: readonly string[]): Promise<void> => {
    for (const outcome of await mapBounded(ids, LOOKUPS_AT_ONCE, fetch)) {
      if (outcome.kind === "failed") throw outcome.error;
    }
  };
  /** A fingerprint can't be looked up: all versions are read, which then have their fingerprints. */
  const learnFingerprints = async (): Promise<void> => {
    if (clock.now() < fingerprintsListedAt + UNKNOWN_MS) return;
    const versions = (await registry.versions()).map((id) => id.replaceAll("-", ""));
    await fetchAll(versions.slice(0, MAX_SCHEMAS / 2).filter((id) => known.get(schemaKey({ kind: "glue", id })) === undefined));
    fingerprintsListedAt = clock.now();
  };
  const find = (id: SchemaId): WriterSchema | undefined => {
    const key = schemaKey(id);
    return key === own ? ownSchema : known.get(key);
  };

  return {
    async of(ids) {
      const wanted = new Map(ids.map((id) => [schemaKey(id), id]));
      const missing = [...wanted].filter(([key, id]) => find(id) === undefined && !((unknownUntil.get(key) ?? 0) > clock.now()));
      const found = new Map<string, WriterSchema>();
      const take = (): void => {
        for (const [key, id] of wanted) {
          const schema = find(id);
          if (schema !== undefined) found.set(key, schema);
        }
      };
      // Before others are fetched, which may push them out.
      take();
      const glue = missing.filter(([, { kind }]) => kind === "glue").map(([, { id }]) => id);
      for (let start = 0; start < glue.length; start += MAX_SCHEMAS / 2) {
        await fetchAll(glue.slice(start, start + MAX_SCHEMAS / 2));
        take();
      }
      if (missing.some(([, { kind }]) => kind === "fingerprint")) await learnFingerprints();
      take();
      for (const [key, { kind }] of wanted) if (!found.has(key)) found.set(key, { ...UNKNOWN, detail: DETAILS[kind] });
      return found;
    },
  };
}

function compile(text: string, reader: AvroType): { readonly schema: WriterSchema; readonly print: string | null } {
  const incompatible = (detail: string): WriterSchema => ({ ok: false, reason: "incompatible_schema", detail });
  try {
    const writer = parseSchema(text);
    const print = fingerprint(writer);
    try {
      return { schema: { ok: true, read: resolve(writer, reader) }, print };
    } catch (error) {
      if (!(error instanceof ResolutionFault)) throw error;
      return { schema: incompatible(`Expected a schema that the platform's can read. ${error.message}`), print };
    }
  } catch (error) {
    if (!(error instanceof SchemaFault)) throw error;
    return { schema: incompatible(`Expected an Avro schema. ${error.message}`), print: null };
  }
}
