/**
 * Times that only their sender can tell apart, such as `4/18/2015 2:47`: read by a format that is given, never by a guess. The notation is
 * that of Day.js and Moment.
 */
import { offsetMinutes, utcTime } from "./timestamp";

/** Milliseconds since the epoch of a time in the format; NaN for other text and for a time that doesn't exist. */
export type TimeReader = (text: string) => number;

type Part =
  | "year"
  | "shortYear"
  | "month"
  | "monthName"
  | "day"
  | "hour"
  | "hour12"
  | "half"
  | "minute"
  | "second"
  | "fraction"
  | "offset";

interface Token {
  readonly part: Part | "weekday";
  readonly pattern: string;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH_NAME =
  "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
const WEEKDAY = "(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?";
const ONE_OR_TWO = String.raw`\d\d?`;
const TWO = String.raw`\d\d`;

const TOKENS: Readonly<Record<string, Token>> = {
  YYYY: { part: "year", pattern: String.raw`\d{4}` },
  YY: { part: "shortYear", pattern: TWO },
  MMMM: { part: "monthName", pattern: MONTH_NAME },
  MMM: { part: "monthName", pattern: MONTH_NAME },
  MM: { part: "month", pattern: TWO },
  M: { part: "month", pattern: ONE_OR_TWO },
  DD: { part: "day", pattern: TWO },
  D: { part: "day", pattern: ONE_OR_TWO },
  dddd: { part: "weekday", pattern: WEEKDAY },
  ddd: { part: "weekday", pattern: WEEKDAY },
  HH: { part: "hour", pattern: TWO },
  H: { part: "hour", pattern: ONE_OR_TWO },
  hh: { part: "hour12", pattern: TWO },
  h: { part: "hour12", pattern: ONE_OR_TWO },
  A: { part: "half", pattern: "[ap]m" },
  a: { part: "half", pattern: "[ap]m" },
  mm: { part: "minute", pattern: TWO },
  m: { part: "minute", pattern: ONE_OR_TWO },
  ss: { part: "second", pattern: TWO },
  s: { part: "second", pattern: ONE_OR_TWO },
  SSS: { part: "fraction", pattern: String.raw`\d{1,9}` },
  Z: { part: "offset", pattern: String.raw`z|[+-]\d\d(?::?\d\d)?` },
};

/** A token, text in brackets, the letter T of ISO 8601, or a character that is no letter. */
const PIECE = /\[([^\]]*)\]|([A-Za-z])\2*|[^A-Za-z]/g;
/** Characters that mean something in a regular expression. */
const SYNTAX = /[\\^$.*+?()[\]{}|/-]/g;
/** Parts of which a format has one, so that no two of them can contradict each other. */
const ALTERNATIVES: readonly (readonly Part[])[] = [
  ["year", "shortYear"],
  ["month", "monthName"],
  ["hour", "hour12"],
];
const REQUIRED: readonly (readonly Part[])[] = [["year", "shortYear"], ["month", "monthName"], ["day"]];
/** The year that two digits begin to count from: 70 is 1970, 69 is 2069 (POSIX, strptime). */
const FIRST_SHORT_YEAR = 70;

/**
 * The reader of a format: `M/D/YYYY H:mm`, `DD.MM.YYYY HH:mm:ss`, `DD MMM YY hh:mm A`. Months are in English; a time without an offset (Z) is UTC;
 * text in brackets stands for itself.
 * @throws RangeError that says what is wrong with the format
 */
export function timeFormat(format: string): TimeReader {
  const { pattern, parts } = compile(format);
  const has = (part: Part): boolean => parts.includes(part);
  const missing = REQUIRED.find((choice) => !choice.some(has));
  if (missing !== undefined) throw wrong(format, `it has no ${missing[0]}`);
  const double = ALTERNATIVES.find((choice) => choice.every(has));
  if (double !== undefined) throw wrong(format, `it has two forms of the ${double[0]}`);
  const repeated = parts.find((part, index) => parts.indexOf(part) !== index);
  if (repeated !== undefined) throw wrong(format, `it has the ${repeated} twice`);
  if (has("hour12") !== has("half")) throw wrong(format, "h and A (am or pm) belong together; hours to 23 are H");
  return (text) => {
    const groups = pattern.exec(text)?.groups;
    return groups === undefined ? Number.NaN : timeOf(groups);
  };
}

function compile(format: string): { readonly pattern: RegExp; readonly parts: readonly Part[] } {
  const parts: Part[] = [];
  let source = "";
  /** Whether the piece before may take one digit more or less: which digits belong to it, only a separator tells. */
  let open = false;
  for (const [piece, literal, letter] of format.matchAll(PIECE)) {
    const token = Object.hasOwn(TOKENS, piece) ? TOKENS[piece] : undefined;
    if (token === undefined) {
      if (letter !== undefined && piece !== "T") throw wrong(format, `${piece} means nothing; put text into [brackets]`);
      source += (literal ?? piece).replace(SYNTAX, "\\$&");
      open = false;
      continue;
    }
    const { part, pattern } = token;
    if (open && pattern.startsWith("\\d")) throw wrong(format, `${piece} follows a number of any length without a separator`);
    open = pattern === ONE_OR_TWO || part === "fraction";
    if (part !== "weekday" && !parts.includes(part)) source += `(?<${part}>${pattern})`;
    else source += `(?:${pattern})`;
    if (part !== "weekday") parts.push(part);
  }
  return { pattern: new RegExp(`^${source}$`, "i"), parts };
}

function timeOf(groups: Readonly<Record<string, string | undefined>>): number {
  const {
    year,
    shortYear = "",
    month,
    monthName = "",
    day = "",
    hour,
    hour12,
    minute = "0",
    second = "0",
    fraction = "",
  } = groups;
  return (
    utcTime(
      year === undefined ? +shortYear + (+shortYear < FIRST_SHORT_YEAR ? 2000 : 1900) : +year,
      month === undefined ? MONTHS.indexOf(monthName.slice(0, 3).toLowerCase()) + 1 : +month,
      +day,
      hour12 === undefined ? +(hour ?? 0) : hourOf(+hour12, groups.half?.toLowerCase() === "pm"),
      +minute,
      +second,
      +`${fraction}000`.slice(0, 3),
    ) -
    offsetMinutes(groups.offset) * 60_000
  );
}

/** 12 am is midnight, 12 pm noon. */
function hourOf(hour12: number, afternoon: boolean): number {
  return hour12 < 1 || hour12 > 12 ? Number.NaN : (hour12 % 12) + (afternoon ? 12 : 0);
}

function wrong(format: string, problem: string): RangeError {
  return new RangeError(
    `The time format ${JSON.stringify(format)} can't be used: ${problem}. It is made of ${Object.keys(TOKENS).join(", ")}, as in M/D/YYYY H:mm.`,
  );
}
