import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { offsetOf, parseTimestamp } from "../../../../functions/scoring/core/timestamp";

const noon = Date.UTC(2026, 2, 1, 12);
const DAY = 86_400_000;
/** Whole milliseconds in years of four digits. */
const instants = fc.integer({ min: 0, max: 4_102_444_800_000 });

describe("parseTimestamp", () => {
  it.each<[string | number, number]>([
    ["2026-03-01T12:00:00Z", noon],
    ["2026-03-01T12:00:00.250Z", noon + 250],
    ["2026-03-01T12:00:00.123456789Z", noon + 123],
    ["2026-03-01T12:00:00,123Z", noon + 123],
    ["2026-03-01t12:00:00z", noon],
    ["2026-03-01 12:00:00", noon],
    ["2026-03-01 12:00:00+00", noon],
    ["2026-03-01 12:00:00 UTC", noon],
    ["2026-03-01 12:00:00 +0000", noon],
    ["2026-03-01T12:00", noon],
    ["2026-03-01", noon - DAY / 2],
    ["2026-03-01T14:30:00+02:30", noon],
    ["2026-03-01T07:00:00-0500", noon],
    ["2026-03-01T12:00:00.123456+05:30", noon - 5.5 * 3_600_000 + 123],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["20260301T120000Z", noon],
    ["20260301T120000.250+0000", noon + 250],
    ["20260301T1200", noon],
    ["20260301120000", noon],
    ["20260301", noon - DAY / 2],
    [20_260_301, noon - DAY / 2],
    [20_260_301_120_000, noon],
    [noon / 1000, noon],
    [noon / 1000 + 0.5, noon + 500],
    [noon, noon],
    [noon * 1e3, noon],
    [noon * 1e6, noon],
    [String(noon / 1000), noon],
    [`${noon / 1000}.5`, noon + 500],
    [`${noon / 1000},5`, noon + 500],
    [String(noon), noon],
    [String(noon * 1e3), noon],
    [`${noon}123456`, noon],
    [0, 0],
  ])("reads %s", (value, ms) => {
    expect(parseTimestamp(value)).toBe(ms);
  });

  it.each([
    "2026-02-29T00:00:00Z",
    "2024-02-30T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "1900-02-29",
    "2026-13-01",
    "2026-00-01",
    "2026-01-00",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+01:75",
    "20260229",
    20_260_229,
    "20260301T250000Z",
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "4/18/2015 2:47",
    "04/05/2015",
    "yesterday",
    "",
    "1e9",
    -1,
    Number.NaN,
  ])("returns NaN for %j", (value) => {
    expect(parseTimestamp(value)).toBeNaN();
  });

  it("agrees with Date on every time that Date writes", () => {
    fc.assert(
      fc.property(instants, (ms) => {
        expect(parseTimestamp(new Date(ms).toISOString())).toBe(ms);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("reads one instant from all its forms", () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: -23 * 60, max: 23 * 60 }), (ms, offset) => {
        const text = new Date(ms).toISOString();
        const local = new Date(ms + offset * 60_000);
        const minutes = Math.abs(offset);
        const hh = String(Math.floor(minutes / 60)).padStart(2, "0");
        const mm = String(minutes % 60).padStart(2, "0");
        const sign = offset < 0 ? "-" : "+";
        const forms = [
          text.toLowerCase(),
          text.replace(".", ","),
          text.replace("T", " ").replace("Z", "+00"),
          text.replaceAll(/[-:]/g, ""),
          String(ms / 1000).includes("e") ? text : `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}`,
          ...(local.getTime() < 0 ? [] : [local.toISOString().replace("Z", `${sign}${hh}:${mm}`)]),
          ...(local.getTime() < 0 ? [] : [local.toISOString().replaceAll(/[-:]/g, "").replace("Z", `${sign}${hh}${mm}`)]),
        ];
        // Numbers of the first three years since 1970 are shorter than those that the unit is known by.
        const numbers = ms < 1e11 ? [] : [ms, ms * 1e3, ms * 1e6, String(ms), String(ms * 1e3), `${ms}000000`];
        for (const form of [...forms, ...numbers]) expect(parseTimestamp(form), String(form)).toBe(ms);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe("offsetOf", () => {
  it.each<[string | number, number | null]>([
    ["2026-03-01T12:00:00-08:00", -480],
    ["2026-03-01 12:00:00+0530", 330],
    ["20260301T120000+01", 60],
    ["2026-03-01T12:00:00Z", null],
    ["2026-03-01T12:00:00z", null],
    ["2026-03-01T12:00:00+00:00", null],
    ["2026-03-01T12:00:00-00:00", null],
    ["2026-03-01T12:00:00", null],
    ["2026-03-01", null],
    ["1772366400", null],
    [1_772_366_400, null],
  ])("gives the offset of %s", (value, minutes) => {
    expect(offsetOf(value)).toBe(minutes);
  });
});
