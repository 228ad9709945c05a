/** Values of logical types as JSON has them. */
import type { AvroBytes } from "./bytes";
import { AvroFault } from "./fault";
import { uuidOf } from "./header";
import type { LogicalType } from "./types";

/** A double holds every decimal number of so many digits. */
const EXACT_DIGITS = 15;
/** More than any database's decimal: 38 digits take 16 bytes. */
const MAX_DECIMAL_BYTES = 32;
const DAY_MS = 86_400_000;
/** 0001-01-01 and 9999-12-31 at the end of the day: what ISO 8601 writes with four digits. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

/** The integer that big-endian two's complement bytes stand for. */
export function unscaled(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`));
}

/**
 * A decimal as a number. One with more digits than a double keeps is its exact text where text is taken; elsewhere `cursor.inexact` is
 * set, since an amount that was rounded on its way would be scored, and archived, as another one.
 */
export function decimalValue(bytes: Buffer, scale: number, cursor: AvroBytes, textToo: boolean): number | string {
  if (bytes.length > MAX_DECIMAL_BYTES) throw new AvroFault(`A decimal takes more than ${MAX_DECIMAL_BYTES} bytes.`);
  const digits = String(unscaled(bytes));
  const value = Number(`${digits}e-${scale}`);
  const exact = scale === 0 ? Number.isSafeInteger(value) : digits.replace(/^-|0+$/g, "").length <= EXACT_DIGITS;
  if (exact) return value;
  if (textToo) return decimalText(digits, scale);
  cursor.inexact = true;
  return value;
}

function decimalText(digits: string, scale: number): string {
  if (scale === 0) return digits;
  const sign = digits.startsWith("-") ? "-" : "";
  const padded = digits.slice(sign.length).padStart(scale + 1, "0");
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** `YYYY-MM-DD`. A day that ISO 8601 can't write with four digits of a year stays a number of milliseconds, which no schema accepts as a time. */
export function dateText(days: number): string | number {
  const ms = days * DAY_MS;
  return isWritable(ms) ? new Date(ms).toISOString().slice(0, 10) : ms;
}

/** ISO 8601: in UTC with `Z`, a local time without; with as many digits of a second as it needs, three at least. */
export function timestampText(value: number | bigint, { perSecond, local }: TimeUnit): string | number {
  const perMs = perSecond / 1000;
  const ms = typeof value === "bigint" ? Number((value - mod(value, BigInt(perMs))) / BigInt(perMs)) : Math.floor(value / perMs);
  if (!isWritable(ms)) return ms;
  const text = new Date(ms).toISOString();
  const rest = typeof value === "bigint" ? Number(mod(value, BigInt(perMs))) : value - ms * perMs;
  const finer = rest === 0 ? "" : String(rest).padStart(String(perMs).length - 1, "0");
  return `${text.slice(0, -1)}${finer}${local ? "" : "Z"}`;
}

/** `HH:MM:SS.mmm`; a number of milliseconds when it is no time of a day. */
export function timeText(value: number | bigint, { perSecond }: TimeUnit): string | number {
  const ms = Math.floor(Number(value) / (perSecond / 1000));
  return ms >= 0 && ms < DAY_MS ? new Date(ms).toISOString().slice(11, -1) : ms;
}

/** Of 16 bytes. */
export const uuidText = (bytes: Buffer): string => uuidOf(bytes.toString("hex"));

export type TimeUnit = Pick<Extract<LogicalType, { readonly perSecond: number }>, "perSecond" | "local">;

const isWritable = (ms: number): boolean => ms >= FIRST_MS && ms <= LAST_MS;
const mod = (value: bigint, by: bigint): bigint => ((value % by) + by) % by;
