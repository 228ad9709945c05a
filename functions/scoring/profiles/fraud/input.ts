import { isoTime, parseTimestamp } from "../../core/timestamp";

/** A cleaned transaction. Fields that were not given are null, so that every input has the same shape. */
export interface FraudInput {
  readonly transactionId: string;
  readonly userId: string;
  readonly amount: number;
  /** ms since the epoch; NaN when the timestamp isn't a time (`check` reports it). */
  readonly occurredAtMs: number;
  /** 0 to 23: as given, else the hour of the timestamp in UTC. */
  readonly hour: number;
  readonly hourGiven: boolean;
  readonly locationMismatch: boolean | null;
  readonly velocityFlag: boolean | null;
  readonly currency: string | null;
  readonly category: string | null;
  readonly merchantId: string | null;
  readonly country: string | null;
  /** In degrees; both are null or neither. */
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly homeLatitude: number | null;
  readonly homeLongitude: number | null;
  readonly deviceId: string | null;
  readonly ipAddress: string | null;
  readonly email: string | null;
  readonly cardPresent: boolean | null;
  readonly channel: string | null;
}

const HOUR_MS = 3_600_000;

/** Takes the known fields of a record that passed the schema; half a coordinate counts as none. */
export function normalise(raw: Readonly<Record<string, unknown>>): FraudInput {
  // The schema has established the types that the casts name.
  const timestamp = raw.timestamp as string | number;
  const occurredAtMs = parseTimestamp(timestamp);
  const hour = raw.hour as number | null | undefined;
  const placed = isNumber(raw.latitude) && isNumber(raw.longitude);
  const housed = isNumber(raw.home_latitude) && isNumber(raw.home_longitude);
  return {
    transactionId: idOf(raw.transaction_id as string | number),
    userId: idOf(raw.user_id as string | number),
    amount: raw.amount as number,
    occurredAtMs,
    hour: hour ?? ((Math.floor(occurredAtMs / HOUR_MS) % 24) + 24) % 24,
    hourGiven: isNumber(hour),
    locationMismatch: flagOf(raw.location_mismatch),
    velocityFlag: flagOf(raw.velocity_flag),
    currency: upper(raw.currency),
    category: lower(raw.category ?? raw.merchant_category),
    merchantId: textOf(raw.merchant_id),
    country: upper(raw.country),
    latitude: placed ? (raw.latitude as number) : null,
    longitude: placed ? (raw.longitude as number) : null,
    homeLatitude: housed ? (raw.home_latitude as number) : null,
    homeLongitude: housed ? (raw.home_longitude as number) : null,
    deviceId: textOf(raw.device_id),
    ipAddress: textOf(raw.ip_address),
    email: textOf(raw.email),
    cardPresent: flagOf(raw.card_present),
    channel: lower(raw.channel),
  };
}

/**
 * The fields that were given, under their names in the stream, with the time in one notation. Members are sorted by name, so that
 * hashing needn't sort them, and every transaction has the same shape: fields that were not given are undefined.
 */
export function stored(input: FraudInput): Record<string, unknown> {
  return {
    amount: input.amount,
    card_present: input.cardPresent ?? undefined,
    category: input.category ?? undefined,
    channel: input.channel ?? undefined,
    country: input.country ?? undefined,
    currency: input.currency ?? undefined,
    device_id: input.deviceId ?? undefined,
    email: input.email ?? undefined,
    home_latitude: input.homeLatitude ?? undefined,
    home_longitude: input.homeLongitude ?? undefined,
    hour: input.hourGiven ? input.hour : undefined,
    ip_address: input.ipAddress ?? undefined,
    latitude: input.latitude ?? undefined,
    location_mismatch: input.locationMismatch ?? undefined,
    longitude: input.longitude ?? undefined,
    merchant_id: input.merchantId ?? undefined,
    timestamp: isoTime(input.occurredAtMs),
    transaction_id: input.transactionId,
    user_id: input.userId,
    velocity_flag: input.velocityFlag ?? undefined,
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function idOf(value: string | number): string {
  return typeof value === "string" ? value : String(value);
}

function flagOf(value: unknown): boolean | null {
  return value === undefined || value === null ? null : value === true || value === 1;
}

/** Empty text counts as not given. */
function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function lower(value: unknown): string | null {
  return textOf(value)?.trim().toLowerCase() || null;
}

function upper(value: unknown): string | null {
  return textOf(value)?.toUpperCase() ?? null;
}
