import { visibleText } from "../../core/same-text";
import { textHash } from "../../core/text-hash";
import { FLAGS, NUMBERS, TEXTS } from "./features";

export interface DeviceInput {
  readonly requestId: string;
  readonly deviceId: string | null;
  readonly ipAddress: string | null;
  /** In the order of the features; null and empty text count as not given. */
  readonly values: readonly (string | number | boolean | null)[];
}

/** Fields that are features, in their order. */
const FIELDS: readonly string[] = [...FLAGS, ...TEXTS, ...NUMBERS].map(({ name }) => name);

/**
 * Takes the known fields of a record that passed the schema. Texts are stored in the form that they are scored in, since models are trained
 * on them as archived: composed and without invisible characters, in the case that the device reports.
 */
export function normalise(raw: Readonly<Record<string, unknown>>): DeviceInput {
  const values = new Array<string | number | boolean | null>(FIELDS.length);
  for (let slot = 0; slot < FIELDS.length; slot++) {
    // The schema has established that it is one of these.
    const value = raw[FIELDS[slot]!] as string | number | boolean | null | undefined;
    values[slot] = typeof value === "string" ? textOf(value) : (value ?? null);
  }
  return { requestId: raw.request_id as string, deviceId: textOf(raw.device_id), ipAddress: textOf(raw.ip_address), values };
}

export function stored({ requestId, deviceId, ipAddress, values }: DeviceInput): Readonly<Record<string, unknown>> {
  const record: Record<string, unknown> = { request_id: requestId };
  if (deviceId !== null) record.device_id = deviceId;
  if (ipAddress !== null) record.ip_address = ipAddress;
  for (let slot = 0; slot < FIELDS.length; slot++) if (values[slot] !== null) record[FIELDS[slot]!] = values[slot];
  return record;
}

/** Turns raw values into slots: texts into their hash, flags into 1 and 0, missing values into NaN. */
export function extract({ values }: DeviceInput, _state: unknown, out: Float64Array): void {
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] ?? null;
    out[slot] = value === null ? Number.NaN : typeof value === "string" ? textHash(value) : Number(value);
  }
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? visibleText(value) || null : null);
