/** Smaller numbers are seconds, larger ones milliseconds: 1e11 ms is in 1973, 1e11 s in the year 5138. */
const FIRST_MILLISECONDS = 1e11;
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/;
/** The calendar repeats itself after 400 years. `Date.UTC` would read the years 0 to 99 as 1900 to 1999. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;
const DIGITS = /^\d{1,13}$/;

/**
 * Milliseconds since the epoch of an ISO 8601 time (UTC when it has no offset; a space may stand for the T) or of a number of seconds
 * or milliseconds, also as text. NaN for anything else, and for a date that doesn't exist: `Date.parse` would read 30 February as
 * 1 March.
 */
export function parseTimestamp(value: string | number): number {
  if (typeof value === "number") return value < FIRST_MILLISECONDS ? Math.round(value * 1000) : Math.round(value);
  const match = ISO.exec(value);
  if (!match) return DIGITS.test(value) ? parseTimestamp(Number(value)) : Number.NaN;
  const year = +match[1]!;
  const month = +match[2]!;
  const day = +match[3]!;
  const hour = +(match[4] ?? 0);
  const minute = +(match[5] ?? 0);
  const second = +(match[6] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59)
    return Number.NaN;
  const ms = match[7] === undefined ? 0 : Math.floor(+`0.${match[7]}` * 1000);
  const offset = offsetMinutes(match[8]);
  return Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute, second, ms) - CYCLE_MS - offset * 60_000;
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

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function offsetMinutes(text: string | undefined): number {
  if (text === undefined || text === "Z") return 0;
  const hours = +text.slice(1, 3);
  const minutes = +text.slice(-2);
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (text[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
}
