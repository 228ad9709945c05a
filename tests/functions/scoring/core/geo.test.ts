import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coarse, haversineKm } from "../../../../functions/scoring/core/geo";

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
