/** The bytes of one record → a JSON value, whichever format its producer uses. The first bytes say which; none of them begins a JSON text. */
import { type JsonInput, parseJsonBytes } from "../shared/json-input";
import { AvroBytes } from "./avro/bytes";
import { AvroFault } from "./avro/fault";
import { type AvroMessage, avroMessage, inflated, type SchemaId } from "./avro/header";
import { schemaKey, type WriterSchema, type WriterSchemas } from "./avro/writer-schemas";
import { damaged, isCompressed, tooLarge, type Unpacked, unpack } from "./unpack";

/** Why a record goes to quarantine. */
export interface FormatProblem {
  readonly reason:
    | "unpacked_too_large"
    | "compressed_corrupt"
    | "compressed_twice"
    | "avro_corrupt"
    | "unknown_schema"
    | "incompatible_schema"
    | "invalid";
  /** Quotes nothing of the record. */
  readonly detail: string;
}

export type Decoded = JsonInput | { readonly ok: false; readonly problem: FormatProblem };

/** Total: never throws. */
export type Decoder = (bytes: Uint8Array) => Decoded;

/** Kinesis takes 1 MiB; a transaction has a few hundred bytes, and every byte is hashed, stored and archived. */
export const RECORD_LIMITS = { maxBytes: 64 * 1024, maxDepth: 16 };

export interface RecordFormats {
  /** The decoder of these records. Fetches the schemas that they name; rejects when the registry can't be asked. */
  decoderFor(records: Iterable<Uint8Array>): Promise<Decoder>;
}

type Schemas = ReadonlyMap<string, WriterSchema>;

/** What was unpacked to look for schemas; by the record's bytes, which stay the same object. */
type Payloads = WeakMap<Uint8Array, Unpacked>;

export function createRecordFormats(schemas: WriterSchemas): RecordFormats {
  return {
    async decoderFor(records) {
      const payloads: Payloads = new WeakMap();
      const ids: SchemaId[] = [];
      for (const bytes of records) {
        const payload = payloadOf(bytes, payloads);
        const message = payload.kind === "refused" ? null : avroMessage(payload.bytes);
        if (message !== null) ids.push(message.schema);
      }
      const found: Schemas = ids.length === 0 ? new Map() : await schemas.of(ids);
      return (bytes) => decodePayload(payloadOf(bytes, payloads), found);
    },
  };
}

function payloadOf(bytes: Uint8Array, payloads: Payloads): Unpacked {
  if (!isCompressed(bytes)) return { kind: "plain", bytes };
  const known = payloads.get(bytes);
  if (known !== undefined) return known;
  const unpacked = unpack(bytes, RECORD_LIMITS.maxBytes);
  payloads.set(bytes, unpacked);
  return unpacked;
}

function decodePayload(payload: Unpacked, schemas: Schemas): Decoded {
  if (payload.kind === "refused") return { ok: false, problem: payload };
  const message = avroMessage(payload.bytes);
  return message === null ? parseJsonBytes(payload.bytes, RECORD_LIMITS) : decodeAvro(message, schemas);
}

function decodeAvro(message: AvroMessage, schemas: Schemas): Decoded {
  const schema = schemas.get(schemaKey(message.schema));
  if (schema === undefined) return refuse("unknown_schema", "Expected the id of a known schema, got another.");
  if (!schema.ok) return { ok: false, problem: schema };
  const { maxBytes } = RECORD_LIMITS;
  if (!message.compressed) return readDatum(message.bytes, message.start, schema.read);
  let data: Buffer;
  try {
    data = inflated(message.bytes.subarray(message.start), maxBytes);
  } catch (error) {
    return { ok: false, problem: error instanceof RangeError ? tooLarge(maxBytes) : damaged("zlib") };
  }
  return readDatum(data, 0, schema.read);
}

function readDatum(bytes: Buffer, start: number, read: (cursor: AvroBytes) => unknown): Decoded {
  const { maxBytes } = RECORD_LIMITS;
  const size = bytes.length - start;
  if (size > maxBytes) return { ok: false, reason: "too_large", detail: `Expected at most ${maxBytes} bytes, got ${size}.` };
  const cursor = new AvroBytes(bytes, start);
  let value: unknown;
  try {
    value = read(cursor);
  } catch (error) {
    if (!(error instanceof AvroFault)) throw error;
    return refuse("avro_corrupt", `Expected Avro data of the schema that the record names. ${error.message}`);
  }
  if (cursor.left > 0) return refuse("avro_corrupt", "Expected one Avro record, got bytes behind it.");
  if (cursor.notFinite) return { ok: false, reason: "invalid", cause: "not_finite", detail: "Expected finite numbers." };
  if (cursor.inexact) return refuse("invalid", "Expected numbers that a double holds exactly, got one with more digits.");
  return { ok: true, value };
}

const refuse = (reason: FormatProblem["reason"], detail: string): Decoded => ({ ok: false, problem: { reason, detail } });
