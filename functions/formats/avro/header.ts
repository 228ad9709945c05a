/** What stands before Avro data in a record and says which schema wrote it. No JSON text begins with any of these bytes. */
import { inflateSync } from "node:zlib";

export interface SchemaId {
  /** `fingerprint`: CRC-64-AVRO; `glue`: UUID of a schema version; `confluent`: a number. */
  readonly kind: "fingerprint" | "glue" | "confluent";
  /** In hex. */
  readonly id: string;
}

export interface AvroMessage {
  readonly schema: SchemaId;
  readonly compressed: boolean;
  /** The whole record. */
  readonly bytes: Buffer;
  /** Where the data begins. */
  readonly start: number;
}

const FINGERPRINT_BYTES = 8;
const UUID_BYTES = 16;
const CONFLUENT_BYTES = 4;
const ZLIB = 5;

/**
 * - Single-object encoding: C3 01, fingerprint (https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding)
 * - AWS Glue Schema Registry: 03, 00 plain or 05 zlib, id of the schema version
 *   (https://github.com/awslabs/aws-glue-schema-registry, AWSSchemaRegistryConstants)
 * - Confluent: 00, id as four bytes (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format)
 * @returns null when it is none of them
 */
export function avroMessage(bytes: Uint8Array): AvroMessage | null {
  const [first, second] = bytes;
  if (first === 0xc3 && second === 0x01) return message("fingerprint", bytes, 2, FINGERPRINT_BYTES);
  if (first === 0x03 && (second === 0 || second === ZLIB)) return message("glue", bytes, 2, UUID_BYTES, second === ZLIB);
  return first === 0 ? message("confluent", bytes, 1, CONFLUENT_BYTES) : null;
}

function message(kind: SchemaId["kind"], all: Uint8Array, begin: number, length: number, compressed = false): AvroMessage | null {
  const start = begin + length;
  if (all.length < start) return null;
  const bytes = Buffer.isBuffer(all) ? all : Buffer.from(all.buffer, all.byteOffset, all.length);
  return { schema: { kind, id: bytes.toString("hex", begin, start) }, compressed, bytes, start };
}

/** The hex digits of a UUID with its hyphens. */
export const uuidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** Glue's zlib compression. @throws RangeError beyond `maxBytes`, Error for damaged data */
export const inflated = (data: Uint8Array, maxBytes: number): Buffer => inflateSync(data, { maxOutputLength: maxBytes });
