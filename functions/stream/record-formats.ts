import { avroSchemaOf } from "../formats/avro/profile-schema";
import { createWriterSchemas, type SchemaRegistry } from "../formats/avro/writer-schemas";
import { createRecordFormats, type RecordFormats } from "../formats/decode";
import type { AnyProfile } from "../scoring/core/profile";
import type { Clock } from "../shared/clock";

/** The formats that records of a profile may have; writer schemas come from `registry`. */
export function recordFormats({ id, schema }: AnyProfile, registry: SchemaRegistry, clock: Clock): RecordFormats {
  const reader = JSON.stringify(avroSchemaOf(id, schema));
  return createRecordFormats(createWriterSchemas({ reader, registry, clock }));
}
