import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coarse, haversineKm } from "../../../../functions/scoring/core/geo";
import { parseTimestamp } from "../../../../functions/scoring/core/timestamp";

describe("parseTimestamp", () => {
  const noon = Date.UTC(2026, 2, 1, 12);
  it.each<[string | number, number]>([
    ["2026-03-01T12:00:00Z", noon],
    ["2026-03-01T12:00:00.250Z", noon + 250],
    ["2026-03-01T12:00:00.123456789Z", noon + 123],
    ["2026-03-01 12:00:00", noon],
    ["2026-03-01T12:00", noon],
    ["2026-03-01", noon - 12 * 3_600_000],
    ["2026-03-01T14:30:00+02:30", noon],
    ["2026-03-01T07:00:00-0500", noon],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    [noon / 1000, noon],
    [noon / 1000 + 0.5, noon + 500],
    [noon, noon],
    [String(noon / 1000), noon],
    [String(noon), noon],
  ])("reads %s", (value, ms) => {
    expect(parseTimestamp(value)).toBe(ms);
  });

  it.each([
    "2026-02-29T00:00:00Z",
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
    "yesterday",
    "",
    "1e9",
  ])("returns NaN for %j", (value) => {
    expect(parseTimestamp(value)).toBeNaN();
  });

  it("agrees with Date on every time that Date writes", () => {
    fc.assert(
      // From the year 0000 on.
      fc.property(fc.integer({ min: -62_167_219_200_000, max: 4_102_444_800_000 }), (ms) => {
        expect(parseTimestamp(new Date(ms).toISOString())).toBe(ms);
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

describe("haversineKm", () => {
  it.each([
    ["London to Paris", 51.5074, -0.1278, 48.8566, 2.3522, 343.6],
    ["New York to Los Angeles", 40.7128, -74.006, 34.0522, -118.2437, 3935.8],
    ["across the date line", 0, 179.5, 0, -179.5, 111.2],
    ["pole to pole", 90, 0, -90, 0, 20015.1],
  ])("measures %s", (_, latitudeA, longitudeA, latitudeB, longitudeB, km) => {
    expect(haversineKm(latitudeA, longitudeA, latitudeB, longitudeB)).toBeCloseTo(km, 0);
  });

  it("is symmetric, zero at the same place and at most half the earth's circumference", () => {
    const latitude = fc.double({ min: -90, max: 90, noNaN: true });
    const longitude = fc.double({ min: -180, max: 180, noNaN: true });
    fc.assert(
      fc.property(latitude, longitude, latitude, longitude, (a, b, c, d) => {
        const km = haversineKm(a, b, c, d);
        expect(km).toBeCloseTo(haversineKm(c, d, a, b), 6);
        expect(km).toBeGreaterThanOrEqual(0);
        expect(km).toBeLessThanOrEqual(20015.2);
        expect(haversineKm(a, b, a, b)).toBe(0);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

describe("coarse", () => {
  it.each([
    [40.7128, 40.7],
    [40.65, 40.7],
    [-74.0444, -74],
    [-0.04, 0],
  ])("rounds %d to a tenth of a degree", (degrees, rounded) => {
    expect(coarse(degrees)).toBe(rounded);
  });
});
