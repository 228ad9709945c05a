import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timeFormat } from "../../../../functions/scoring/core/time-format";

describe("timeFormat", () => {
  it.each([
    ["M/D/YYYY H:mm", "4/18/2015 2:47", "2015-04-18T02:47:00.000Z"],
    ["M/D/YYYY H:mm", "12/01/2015 23:07", "2015-12-01T23:07:00.000Z"],
    ["D/M/YYYY H:mm", "4/12/2015 2:47", "2015-12-04T02:47:00.000Z"],
    ["DD.MM.YYYY HH:mm:ss", "18.04.2015 02:47:09", "2015-04-18T02:47:09.000Z"],
    ["YYYY-MM-DDTHH:mm:ss.SSSZ", "2015-04-18T02:47:09.123456+0530", "2015-04-17T21:17:09.123Z"],
    ["YYYYMMDDHHmmss", "20150418024709", "2015-04-18T02:47:09.000Z"],
    ["YYYYMMDD[h]HHmm", "20150418h0247", "2015-04-18T02:47:00.000Z"],
    ["dddd, MMMM D, YYYY h:mm A", "Saturday, April 18, 2015 2:47 pm", "2015-04-18T14:47:00.000Z"],
    ["DD-MMM-YY hh:mm:ss A", "18-APR-15 12:05:00 AM", "2015-04-18T00:05:00.000Z"],
    ["MM/DD/YY", "04/18/69", "2069-04-18T00:00:00.000Z"],
    ["MM/DD/YY", "04/18/70", "1970-04-18T00:00:00.000Z"],
  ])("reads by %s", (format, text, time) => {
    expect(new Date(timeFormat(format)(text)).toISOString()).toBe(time);
  });

  it.each([
    ["M/D/YYYY H:mm", "18/4/2015 2:47"],
    ["M/D/YYYY H:mm", "2/30/2015 2:47"],
    ["M/D/YYYY H:mm", "4/18/2015 24:00"],
    ["M/D/YYYY H:mm", "4/18/2015"],
    ["M/D/YYYY H:mm", " 4/18/2015 2:47"],
    ["M/D/YYYY h:mm a", "4/18/2015 13:47 pm"],
    ["M/D/YYYY h:mm a", "4/18/2015 0:47 am"],
    ["YYYY.MM.DD", "2015-04-18"],
    ["MM/DD/YYYY Z", "04/18/2015 +25:00"],
    ["D MMM YYYY", "18 Avr 2015"],
  ])("returns NaN where the text does not fit %s: %s", (format, text) => {
    expect(timeFormat(format)(text)).toBeNaN();
  });

  it.each([
    ["H:mm", /it has no year/],
    ["YYYY-MM", /it has no day/],
    ["YYYY-MM-DD YY", /two forms of the year/],
    ["DD/MM/YYYY MMM", /two forms of the month/],
    ["MM/MM/DD/YYYY", /the month twice/],
    ["M/D/YYYY h:mm", /h and A/],
    ["M/D/YYYY H:mm A", /h and A/],
    ["MDYYYY", /D follows a number of any length/],
    ["DD/MM/yyyy", /yyyy means nothing.*M\/D\/YYYY H:mm/],
  ])("refuses the format %s", (format, problem) => {
    expect(() => timeFormat(format)).toThrow(problem);
  });

  it("reads every minute that the format writes", () => {
    const read = timeFormat("M/D/YYYY H:mm");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 68_374_080 }), (minute) => {
        const time = new Date(minute * 60_000);
        const date = `${time.getUTCMonth() + 1}/${time.getUTCDate()}/${time.getUTCFullYear()}`;
        const clock = `${time.getUTCHours()}:${String(time.getUTCMinutes()).padStart(2, "0")}`;
        expect(read(`${date} ${clock}`)).toBe(minute * 60_000);
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});
