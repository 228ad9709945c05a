import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hourInCountry, hourInZone, isTimeZone } from "../../../../functions/scoring/core/local-time";

const noon = Date.UTC(2026, 2, 1, 12);
const HOUR = 3_600_000;

describe("isTimeZone", () => {
  it.each(["America/Los_Angeles", "Europe/Berlin", "UTC", "Etc/GMT+5", "+05:30"])("knows %s", (zone) => {
    expect(isTimeZone(zone)).toBe(true);
  });
  it.each(["Mars/Olympus", "", "25:00"])("does not know %j", (zone) => {
    expect(isTimeZone(zone)).toBe(false);
    expect(hourInZone(zone, noon)).toBeNaN();
  });
});

describe("hourInZone", () => {
  it.each([
    ["America/Los_Angeles", 4],
    ["Asia/Kolkata", 17],
    ["Asia/Kathmandu", 17],
    ["Pacific/Kiritimati", 2],
    ["UTC", 12],
    ["-08:00", 4],
  ])("gives the hour of %s", (zone, hour) => {
    expect(hourInZone(zone, noon)).toBe(hour);
  });

  it("follows the clocks on the days on which they change, and by half an hour too", () => {
    const before = Date.UTC(2026, 2, 8, 9, 59);
    expect(hourInZone("America/Los_Angeles", before)).toBe(1);
    expect(hourInZone("America/Los_Angeles", before + 60_000)).toBe(3);
    const lordHowe = Date.UTC(2026, 9, 3, 15, 29);
    expect(hourInZone("Australia/Lord_Howe", lordHowe)).toBe(1);
    expect(hourInZone("Australia/Lord_Howe", lordHowe + 60_000)).toBe(2);
  });

  it("agrees with Intl at any time, also when it has forgotten days", () => {
    const zones = [
      "America/Los_Angeles",
      "Europe/London",
      "Australia/Lord_Howe",
      "Asia/Tehran",
      "Pacific/Apia",
      "America/St_Johns",
    ];
    const formats = new Map(
      zones.map((timeZone) => [timeZone, new Intl.DateTimeFormat("en", { timeZone, hour: "2-digit", hourCycle: "h23" })]),
    );
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 4_102_444_800_000 }), (zone, ms) => {
        expect(hourInZone(zone, ms)).toBe(Number(formats.get(zone)!.format(ms)));
      }),
      { seed: 5, numRuns: 10_000 },
    );
  });
});

describe("hourInCountry", () => {
  it.each([
    ["JP", 21],
    ["JPN", 21],
    ["DE", 13],
    ["DEU", 13],
    ["CN", Number.NaN],
    ["AR", 9],
    ["IN", 17],
    ["KW", 15],
    ["US", Number.NaN],
    ["RU", Number.NaN],
    ["ES", Number.NaN],
    ["XX", Number.NaN],
    ["ZZZ", Number.NaN],
  ])("gives the hour of %s where all its clocks agree", (country, hour) => {
    expect(hourInCountry(country, noon)).toBe(hour);
  });

  it("follows the clocks on the day on which they change", () => {
    const change = Date.UTC(2026, 2, 29, 1);
    expect(hourInCountry("DE", change - HOUR / 60)).toBe(1);
    expect(hourInCountry("DE", change)).toBe(3);
  });
});
