/**
 * AWS schedule expressions, in UTC: `rate(5 minutes)` and the six-field `cron(minutes hours day-of-month month day-of-week year)`.
 * Source: Amazon EventBridge user guide, "Creating a rule that runs on a schedule".
 */
import { AwsError } from "../contracts";

export interface Schedule {
  /** First run strictly after `after` (ms since epoch); a rate counts from `origin`. `undefined` when it never runs again. */
  next(after: number, origin: number): number | undefined;
}

const minuteMs = 60_000;
const unitMs: Readonly<Record<string, number>> = { minute: minuteMs, hour: 3_600_000, day: 86_400_000 };
const monthNames = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const dayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const lastYear = 2199;

/** @throws AwsError `ValidationException` naming the part of the expression that is wrong. */
export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\((\d+) (minutes?|hours?|days?)\)$/.exec(expression);
  if (rate !== null) return parseRate(expression, Number(rate[1]), rate[2] ?? "");
  const cron = /^cron\((.*)\)$/.exec(expression);
  if (cron !== null) return parseCron(expression, cron[1] ?? "");
  throw invalid(expression, "expected rate(<number> minute|minutes|hour|hours|day|days) or cron(<six fields>)");
}

function invalid(expression: string, reason: string): AwsError {
  return new AwsError("ValidationException", `Parameter ScheduleExpression is not valid: "${expression}": ${reason}.`);
}

function parseRate(expression: string, count: number, unit: string): Schedule {
  if (count < 1) throw invalid(expression, "the rate must be at least 1");
  if ((count === 1) === unit.endsWith("s"))
    throw invalid(expression, 'use the singular unit for 1 ("rate(1 hour)") and the plural otherwise');
  const interval = count * (unitMs[unit.replace(/s$/, "")] ?? 0);
  return {
    next: (after, origin) => origin + Math.max(1, Math.floor((after - origin) / interval) + 1) * interval,
  };
}

type DayRule = (year: number, month: number, day: number) => boolean;

function parseCron(expression: string, text: string): Schedule {
  const fields = text.trim().split(/\s+/);
  const [minuteText = "", hourText = "", domText = "", monthText = "", dowText = "", yearText = ""] = fields;
  if (fields.length !== 6)
    throw invalid(expression, `cron has six fields (minutes hours day-of-month month day-of-week year), got ${fields.length}`);
  if ((domText === "?") === (dowText === "?")) throw invalid(expression, "exactly one of day-of-month and day-of-week must be ?");
  const fail = (field: string, part: string) =>
    invalid(
      expression,
      /L|W|#/.test(part) && field.startsWith("day-of")
        ? `L, W and # in ${field} are not supported by the local runtime; name the days`
        : `${field} has an invalid part "${part}"`,
    );
  const minutes = numbers(minuteText, "minutes", 0, 59, [], fail);
  const hours = numbers(hourText, "hours", 0, 23, [], fail);
  const months = new Set(numbers(monthText, "month", 1, 12, monthNames, fail));
  const years = new Set(numbers(yearText, "year", 1970, lastYear, [], fail));
  const day = dowText === "?" ? dayOfMonth(domText, fail) : dayOfWeek(dowText, fail);
  return { next: (after) => nextRun(after, minutes, hours, months, years, day) };
}

type Fail = (field: string, part: string) => AwsError;

/** Lists, ranges, steps and names of one field as sorted numbers. */
function numbers(text: string, field: string, low: number, high: number, names: readonly string[], fail: Fail): number[] {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const [rangeText = "", stepText, ...rest] = part.split("/");
    if (rest.length > 0 || (stepText !== undefined && !/^\d+$/.test(stepText))) throw fail(field, part);
    const step = stepText === undefined ? 1 : Number(stepText);
    const [fromText = "", toText, ...more] = rangeText.split("-");
    if (more.length > 0 || step < 1) throw fail(field, part);
    const value = (word: string): number => {
      const named = names.indexOf(word.toUpperCase());
      const result = named >= 0 ? named + 1 : /^\d+$/.test(word) ? Number(word) : Number.NaN;
      if (!(result >= low && result <= high)) throw fail(field, part);
      return result;
    };
    const from = rangeText === "*" ? low : value(fromText);
    const open = rangeText === "*" || (toText === undefined && stepText !== undefined);
    const to = open ? high : toText === undefined ? from : value(toText);
    // A range that wraps (FRI-MON, 22-2) runs over the end of the field.
    const span = to >= from ? to - from : high - from + 1 + (to - low);
    for (let offset = 0; offset <= span; offset += step) found.add(low + ((from - low + offset) % (high - low + 1)));
  }
  return [...found].sort((left, right) => left - right);
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function dayOfMonth(text: string, fail: Fail): DayRule {
  const days = new Set(numbers(text, "day-of-month", 1, 31, [], fail));
  return (_year, _month, day) => days.has(day);
}

function dayOfWeek(text: string, fail: Fail): DayRule {
  const names = new Set(numbers(text, "day-of-week", 1, 7, dayNames, fail));
  // AWS counts from Sunday, which is 1.
  return (year, month, day) => names.has(new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1);
}

function nextRun(
  after: number,
  minutes: readonly number[],
  hours: readonly number[],
  months: ReadonlySet<number>,
  years: ReadonlySet<number>,
  day: DayRule,
): number | undefined {
  const first = new Date(after);
  for (let year = first.getUTCFullYear(); year <= lastYear; year++) {
    if (!years.has(year)) continue;
    for (let month = 1; month <= 12; month++) {
      if (!months.has(month) || Date.UTC(year, month, 1) <= after) continue;
      for (let date = 1; date <= daysIn(year, month); date++) {
        if (Date.UTC(year, month - 1, date + 1) <= after || !day(year, month, date)) continue;
        for (const hour of hours) {
          for (const minute of minutes) {
            const at = Date.UTC(year, month - 1, date, hour, minute);
            if (at > after) return at;
          }
        }
      }
    }
  }
  return undefined;
}
