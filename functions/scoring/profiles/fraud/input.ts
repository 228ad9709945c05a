import { hourAt, hourInCountry, hourInZone } from "../../core/local-time";
import { mailboxOf } from "../../core/mailbox";
import { DOLLARS, type Rates, roundSum } from "../../core/rates";
import { foldedText, visibleText } from "../../core/same-text";
import { isoTime, offsetOf, parseTimestamp } from "../../core/timestamp";

/** A cleaned transaction. Fields that were not given are null, so that every input has the same shape. */
export interface FraudInput {
  readonly transactionId: string;
  readonly userId: string;
  /** As sent; negative for a refund. */
  readonly amount: number;
  /** Whether the amount is a round sum in its currency: 100 USD, 10,000 JPY. */
  readonly isRound: boolean;
  /** The amount in the reference currency; NaN when its rate isn't known. */
  readonly value: number;
  /** Units of the currency for one of the reference currency; NaN when the amount is in that one, or the rate isn't known. */
  readonly exchangeRate: number;
  /** Time of the rate, ms since the epoch; NaN without a rate. */
  readonly ratesAsOfMs: number;
  /** ms since the epoch; NaN when the timestamp isn't a time (`check` reports it). */
  readonly occurredAtMs: number;
  /** 0 to 23: local where the sender says where, else in UTC. */
  readonly hour: number;
  /** The hour, or the offset of the time that it follows from, was given. */
  readonly hourGiven: boolean;
  readonly timeZone: string | null;
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
  /** What the address delivers to, tags and meaningless dots aside. */
  readonly mailbox: string | null;
  readonly cardPresent: boolean | null;
  readonly channel: string | null;
}

/** Takes the known fields of a record that passed the schema; half a coordinate counts as none. */
export function normalise(raw: Readonly<Record<string, unknown>>, rates: Rates = DOLLARS): FraudInput {
  // The schema has established the types that the casts name.
  const timestamp = raw.timestamp as string | number;
  const amount = raw.amount as number;
  const occurredAtMs = parseTimestamp(timestamp);
  const hour = raw.hour as number | null | undefined;
  const offset = offsetOf(timestamp);
  const timeZone = textOf(raw.time_zone);
  const currency = upper(raw.currency);
  const country = upper(raw.country);
  const email = folded(raw.email);
  const isForeign = currency !== null && currency !== rates.reference;
  const exchangeRate = isForeign ? rates.rateOf(currency) : Number.NaN;
  const placed = isNumber(raw.latitude) && isNumber(raw.longitude);
  const housed = isNumber(raw.home_latitude) && isNumber(raw.home_longitude);
  return {
    transactionId: idOf(raw.transaction_id as string | number),
    userId: visibleText(idOf(raw.user_id as string | number)),
    amount,
    isRound: amount > 0 && amount % roundSum(currency ?? rates.reference) === 0,
    value: isForeign ? rates.convert(amount, exchangeRate) : amount,
    exchangeRate,
    ratesAsOfMs: Number.isNaN(exchangeRate) ? Number.NaN : rates.asOfMs,
    occurredAtMs,
    hour: hour ?? localHour(occurredAtMs, timeZone, offset, country),
    hourGiven: isNumber(hour) || (timeZone === null && offset !== null),
    timeZone,
    locationMismatch: flagOf(raw.location_mismatch),
    velocityFlag: flagOf(raw.velocity_flag),
    currency,
    category: folded(raw.category ?? raw.merchant_category),
    merchantId: visible(raw.merchant_id),
    country,
    latitude: placed ? (raw.latitude as number) : null,
    longitude: placed ? (raw.longitude as number) : null,
    homeLatitude: housed ? (raw.home_latitude as number) : null,
    homeLongitude: housed ? (raw.home_longitude as number) : null,
    deviceId: visible(raw.device_id),
    ipAddress: folded(raw.ip_address),
    email,
    mailbox: email === null ? null : mailbox(email, raw.mailbox),
    cardPresent: flagOf(raw.card_present),
    channel: folded(raw.channel),
  };
}

/** An archived input has a token in place of the address, and that of its mailbox beside it. */
const mailbox = (email: string, archived: unknown): string =>
  email.includes("@") ? mailboxOf(email) : (folded(archived) ?? email);

/** A negative amount is money that comes back. */
export const isRefund = ({ amount }: FraudInput): boolean => amount < 0;

/** What a purchase spends, in the reference currency; NaN for a refund, and without a rate. */
export const purchaseValue = (input: FraudInput): number => (isRefund(input) ? Number.NaN : input.value);

/** By the sender's time zone, else by the offset of the time, else by the country where all clocks agree, else in UTC. */
function localHour(atMs: number, timeZone: string | null, offset: number | null, country: string | null): number {
  if (Number.isNaN(atMs)) return Number.NaN;
  if (timeZone !== null) return hourInZone(timeZone, atMs);
  if (offset !== null) return hourAt(atMs, offset);
  const hour = country === null ? Number.NaN : hourInCountry(country, atMs);
  return Number.isNaN(hour) ? hourAt(atMs, 0) : hour;
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
    mailbox: input.mailbox ?? undefined,
    merchant_id: input.merchantId ?? undefined,
    time_zone: input.timeZone ?? undefined,
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

function visible(value: unknown): string | null {
  const text = textOf(value);
  return text === null ? null : visibleText(text) || null;
}

function folded(value: unknown): string | null {
  const text = textOf(value);
  return text === null ? null : foldedText(text) || null;
}

function upper(value: unknown): string | null {
  return textOf(value)?.toUpperCase() ?? null;
}
