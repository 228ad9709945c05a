/** What stands before Avro data in a record and says which schema wrote it. No JSON text begins with any of these bytes. */
import { inflateSync } from "node:zlib";

export interface SchemaId {
  /** `fingerprint`: hex of CRC-64-AVRO; `glue`: UUID of a schema version; `confluent`: a number. */
  readonly kind: "fingerprint" | "glue" | "confluent";
  readonly id: string;
}

export interface AvroMessage {
  readonly schema: SchemaId;
  readonly compressed: boolean;
  readonly data: Uint8Array;
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
  if (first === 0xc3 && second === 0x01) return message("fingerprint", bytes, 2, FINGERPRINT_BYTES, hex);
  if (first === 0x03 && (second === 0 || second === ZLIB)) return message("glue", bytes, 2, UUID_BYTES, uuid, second === ZLIB);
  if (first === 0) return message("confluent", bytes, 1, CONFLUENT_BYTES, (id) => String(Number.parseInt(hex(id), 16)));
  return null;
}

function message(
  kind: SchemaId["kind"],
  bytes: Uint8Array,
  start: number,
  length: number,
  idOf: (bytes: Uint8Array) => string,
  compressed = false,
): AvroMessage | null {
  const end = start + length;
  if (bytes.length < end) return null;
  return { schema: { kind, id: idOf(bytes.subarray(start, end)) }, compressed, data: bytes.subarray(end) };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const uuid = (bytes: Uint8Array): string => hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** Glue's zlib compression. @throws RangeError beyond `maxBytes`, Error for damaged data */
export const inflated = (data: Uint8Array, maxBytes: number): Uint8Array => inflateSync(data, { maxOutputLength: maxBytes });
