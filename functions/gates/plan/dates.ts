/** Days and times in UTC. */

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/;

/** Days since the epoch; undefined for a text that isn't a date of the calendar. */
export function dayNumber(date: string): number | undefined {
  if (!DATE.test(date)) return undefined;
  const at = Date.parse(`${date}T00:00:00.000Z`);
  // The engine would read 30 February as 2 March.
  return Number.isNaN(at) || dateOfDay(at / DAY_MS) !== date ? undefined : at / DAY_MS;
}

/** The date of a day number: `2026-11-20`. */
export const dateOfDay = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

export const dayOf = (epochMs: number): number => Math.floor(epochMs / DAY_MS);

/** Milliseconds since the epoch of a date (its beginning) or a time in UTC; undefined for anything else. */
export function momentMs(text: string): number | undefined {
  const day = dayNumber(text);
  if (day !== undefined) return day * DAY_MS;
  if (!MOMENT.test(text) || dayNumber(text.slice(0, 10)) === undefined) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
