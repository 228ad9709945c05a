/** Local hours of places. `Intl` takes a microsecond to format a time, so offsets are remembered by day. */
import { twoLetterCode } from "./country-codes";
import { offsetMinutes } from "./timestamp";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Days of all places together whose offsets are remembered: a stream needs a few, the history of a year 365 for each place. */
const MAX_DAYS = 8192;
/** About as many zones have a name. A formatter takes 30 KB. */
const MAX_ZONES = 512;

/** Minutes that the clocks of a place are ahead of UTC; NaN when they differ, or there is no such place. */
type Measure = (place: string, ms: number) => number;

const formatters = new Map<string, Intl.DateTimeFormat | null>();
const countryZones = new Map<string, readonly string[]>();
const days = new Map<string, Map<number, number | null>>();
let daysKept = 0;

/** Whether it is a name of the IANA time zone database such as `America/Los_Angeles`, or an offset such as `+05:30`. */
export const isTimeZone = (zone: string): boolean => formatterOf(zone) !== null;

/** Hour from 0 to 23 on the clocks of a time zone; NaN for a zone that doesn't exist. */
export const hourInZone = (zone: string, ms: number): number => hourAt(ms, offsetIn(zone, ms, zoneOffset));

/**
 * Hour from 0 to 23 on the clocks of a country (ISO 3166, in capitals). NaN where they differ at that time: an hour for the United States
 * or Russia would be a guess. Germany has two zones in the database, but their clocks agree.
 */
export const hourInCountry = (country: string, ms: number): number => hourAt(ms, offsetIn(country, ms, countryOffset));

/** Hour from 0 to 23 on clocks that are `offset` minutes ahead of UTC. */
export function hourAt(ms: number, offset: number): number {
  const hours = Math.floor((ms + offset * 60_000) / HOUR_MS);
  return ((hours % 24) + 24) % 24;
}

function offsetIn(place: string, ms: number, measure: Measure): number {
  const day = Math.floor(ms / DAY_MS);
  const known = days.get(place)?.get(day);
  return (known === undefined ? remember(place, day, measure) : known) ?? measure(place, ms);
}

/** The offset of a UTC day, null when it changes in its course. No zone has changed its clocks there and back in one day. */
function remember(place: string, day: number, measure: Measure): number | null {
  const offset = measure(place, day * DAY_MS);
  const constant = Object.is(offset, measure(place, (day + 1) * DAY_MS - 1)) ? offset : null;
  if (++daysKept > MAX_DAYS) {
    days.clear();
    daysKept = 1;
  }
  const ofPlace = days.get(place) ?? new Map<number, number | null>();
  days.set(place, ofPlace.set(day, constant));
  return constant;
}

function zoneOffset(zone: string, ms: number): number {
  const formatter = formatterOf(zone);
  // `3/1/2026, GMT-08:00`. Liberia kept its seconds until 1972.
  return formatter === null ? Number.NaN : offsetMinutes(/[+-]\d\d:\d\d/.exec(formatter.format(ms))?.[0]);
}

function countryOffset(country: string, ms: number): number {
  const [first, ...others] = zonesOf(country);
  if (first === undefined) return Number.NaN;
  const offset = zoneOffset(first, ms);
  return others.every((zone) => zoneOffset(zone, ms) === offset) ? offset : Number.NaN;
}

function formatterOf(zone: string): Intl.DateTimeFormat | null {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  if (formatters.size >= MAX_ZONES) formatters.clear();
  const made = newFormatter(zone);
  formatters.set(zone, made);
  return made;
}

function newFormatter(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  } catch {
    return null;
  }
}

function zonesOf(country: string): readonly string[] {
  const known = countryZones.get(country);
  if (known !== undefined) return known;
  const code = twoLetterCode(country);
  const zones = code === null ? [] : (new Intl.Locale(`und-${code}`).getTimeZones() ?? []);
  countryZones.set(country, zones);
  return zones;
}
