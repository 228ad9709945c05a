/** What {@link parseTimestamp} reads, in words, for refusals. */
export const TIME_FORMS =
  "Expected a time from 1970 on: ISO 8601 such as 2026-03-01T12:00:00Z, 2026-03-01 12:00:00+00 or 20260301T120000Z, " +
  "or seconds, milliseconds, microseconds or nanoseconds since 1970";

const OFFSET = String.raw`[+-]\d\d(?::?\d\d)?`;
/** `2026-03-01T12:00:00Z`, `2026-03-01 12:00:00,5+00`, `2026-03-01`. */
const EXTENDED = new RegExp(
  String.raw`^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|z|UTC|${OFFSET}))?)?$`,
);
/** `20260301T120000Z`, `20260301120000`, `20260301`. */
const BASIC = new RegExp(String.raw`^(\d{4})(\d\d)(\d\d)(?:[Tt ]?(\d\d)(\d\d)(?:(\d\d)(?:[.,](\d{1,9}))?)?(Z|z|${OFFSET})?)?$`);
const NUMBER = /^\d{1,19}(?:[.,]\d{1,9})?$/;

/**
 * Numbers below the first limit are seconds, then come milliseconds, microseconds and nanoseconds. Each limit lies in 1973 in the unit
 * that begins there, and in the year 5138 in the one before.
 */
const FIRST_MILLISECONDS = 1e11;
const FIRST_MICROSECONDS = 1e14;
const FIRST_NANOSECONDS = 1e17;

/**
 * Milliseconds since the epoch of an ISO 8601 time (UTC when it has no offset; a space may stand for the T, a comma for the point), or of
 * a number of seconds, milliseconds, microseconds or nanoseconds, also as text. NaN for anything else, for a time before 1970 (usually
 * one that was never set, such as year 1), and for a date that doesn't exist: `Date.parse` would read 30 February as 1 March.
 */
export function parseTimestamp(value: string | number): number {
  if (typeof value === "number") return isDate(value) ? ofMatch(BASIC.exec(String(value))) : sinceEpoch(value);
  const usual = usualTime(value);
  if (!Number.isNaN(usual)) return usual;
  const match = EXTENDED.exec(value);
  if (match !== null) return ofMatch(match);
  if (!NUMBER.test(value)) return ofMatch(BASIC.exec(value));
  const number = Number(value.replace(",", "."));
  return isDate(number) ? ofMatch(BASIC.exec(value)) : sinceEpoch(number);
}

/**
 * Minutes by which the sender's clock is ahead of UTC, according to the time's own offset. Null without an offset and for one of zero:
 * who converts times to UTC writes `Z` or `+00:00`, so these say nothing of the place.
 */
export function offsetOf(value: string | number): number | null {
  // Nearly every time ends with Z.
  if (typeof value === "number" || value.endsWith("Z")) return null;
  const offset = (EXTENDED.exec(value) ?? BASIC.exec(value))?.[8];
  return offsetMinutes(offset) || null;
}

/** `2026-03-01T12:00:00Z`, with milliseconds or without: several times as fast as by an expression. NaN for every other text. */
function usualTime(text: string): number {
  const isLong = text.length === 24;
  if ((!isLong && text.length !== 20) || text[4] !== "-" || text[7] !== "-" || text[10] !== "T") return Number.NaN;
  if (text[13] !== ":" || text[16] !== ":" || !text.endsWith("Z") || (isLong && text[19] !== ".")) return Number.NaN;
  return utcTime(
    100 * digits(text, 0) + digits(text, 2),
    digits(text, 5),
    digits(text, 8),
    digits(text, 11),
    digits(text, 14),
    digits(text, 17),
    isLong ? 10 * digits(text, 20) + (digits(text, 21) % 10) : 0,
  );
}

/** The number that two digits are; NaN for other characters. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

/** Whether a number is a date without separators, with or without a time. Read as time since 1970, it would be in 1970 or after 2570. */
function isDate(value: number): boolean {
  return Number.isInteger(value) && ((value >= 19e6 && value < 21e6) || (value >= 19e12 && value < 21e12));
}

function sinceEpoch(value: number): number {
  if (!(value >= 0)) return Number.NaN;
  if (value < FIRST_MILLISECONDS) return Math.round(value * 1000);
  if (value < FIRST_MICROSECONDS) return Math.round(value);
  return Math.round(value / (value < FIRST_NANOSECONDS ? 1e3 : 1e6));
}

function ofMatch(match: RegExpExecArray | null): number {
  if (match === null) return Number.NaN;
  const fraction = match[7];
  const ms = fraction === undefined ? 0 : +`${fraction}00`.slice(0, 3);
  const date = [+match[1]!, +match[2]!, +match[3]!] as const;
  return utcTime(...date, +(match[4] ?? 0), +(match[5] ?? 0), +(match[6] ?? 0), ms) - offsetMinutes(match[8]) * 60_000;
}

/** Milliseconds since the epoch of a time of day in UTC; NaN before 1970 and for a date or time that doesn't exist. `month` is from 1 on. */
export function utcTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  ms: number,
): number {
  const exists =
    year >= 1970 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59;
  return exists ? Date.UTC(year, month - 1, day, hour, minute, second, ms) : Number.NaN;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Minutes of `+05:30`, `-0800`, `+00` or `Z`; 0 without an offset, NaN for one that doesn't exist. */
export function offsetMinutes(text: string | undefined): number {
  if (text === undefined || text === "Z" || text === "z" || text === "UTC") return 0;
  const hours = +text.slice(1, 3);
  const minutes = text.length > 3 ? +text.slice(-2) : 0;
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (text[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

let lastMs = Number.NaN;
let lastText = "";

/** ISO 8601 in UTC. Remembers the last one, because the time of an event is written twice in a row. @throws RangeError for what isn't a time */
export function isoTime(ms: number): string {
  if (ms === lastMs) return lastText;
  lastText = new Date(ms).toISOString();
  lastMs = ms;
  return lastText;
}
