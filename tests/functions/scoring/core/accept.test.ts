import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as validators from "#validators";
import { accept } from "../../../../functions/scoring/core/accept";
import { boundsProblems, expectationText, problems, problemText } from "../../../../functions/scoring/core/problems";
import { TIME_FORMS } from "../../../../functions/scoring/core/timestamp";
import { CHURN, INVALID_CHURN_INPUT } from "../../../../functions/scoring/profiles/churn";
import { FRAUD } from "../../../../functions/scoring/profiles/fraud";
import { LEAD } from "../../../../functions/scoring/profiles/lead";

const lead = (raw: unknown) => accept(LEAD, validators.lead, raw);
const churn = (raw: unknown) => accept(CHURN, validators.churn, raw);
const fraud = (raw: unknown) => accept(FRAUD, validators.fraud, raw);
const NOON = Date.UTC(2026, 2, 1, 12);
const transaction = { transaction_id: "t1", user_id: "u1", amount: 10, timestamp: "2026-03-01T12:00:00Z" };

/** The problems of a refused record as `pointer: detail` lines. */
function refused(result: ReturnType<typeof lead> | ReturnType<typeof churn> | ReturnType<typeof fraud>): readonly string[] {
  if (result.ok) throw new Error("The record was accepted.");
  return result.problems.map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

describe("accept a lead", () => {
  it("takes a valid one", () => {
    expect(lead({ companySize: 10, industry: "x", engagementMetrics: 0 })).toEqual({
      ok: true,
      input: { companySize: 10, industry: "x", engagementMetrics: 0 },
    });
  });

  it("names every problem at once", () => {
    expect(refused(lead({ companySize: "10", industry: "", extra: 1 }))).toEqual([
      "/engagementMetrics: This field is required and was not given.",
      "/extra: This field is not known; remove it or correct its name.",
      '/companySize: Expected a finite number, got "10".',
      '/industry: Expected at least 1 characters, got "".',
    ]);
  });

  it.each([
    [{ companySize: Number.NaN }, "/companySize: Expected a finite number, got NaN."],
    [{ companySize: Number.POSITIVE_INFINITY }, "/companySize: Expected a finite number, got Infinity."],
    [{ companySize: 1e300 }, "/companySize: Expected a number <= 1000000000, got 1e+300."],
    [{ companySize: -1 }, "/companySize: Expected a number >= 0, got -1."],
    [{ industry: "x".repeat(201) }, `/industry: Expected at most 200 characters, got "${"x".repeat(40)}…".`],
    [{ industry: null }, "/industry: Expected a string, got null."],
    [{ industry: ["x"] }, "/industry: Expected a string, got an array of 1."],
    [{ industry: {} }, "/industry: Expected a string, got an object."],
  ])("refuses %j", (change, expected) => {
    expect(refused(lead({ companySize: 1, industry: "x", engagementMetrics: 1, ...change }))).toEqual([expected]);
  });

  it.each([[null], [[]], [1], ["x"], [undefined]])("refuses %j because it isn't an object", (raw) => {
    expect(lead(raw)).toMatchObject({
      ok: false,
      reason: "not_an_object",
      problems: [{ pointer: "", detail: expect.stringContaining("an object") }],
    });
  });

  it("names prototype pollution keys and pollutes nothing", () => {
    const raw = JSON.parse(
      '{"companySize":1,"industry":"x","engagementMetrics":1,"__proto__":{"polluted":1},"constructor":{"prototype":{}}}',
    );
    expect(refused(lead(raw))).toEqual([
      "/__proto__: This field is not known; remove it or correct its name.",
      "/constructor: This field is not known; remove it or correct its name.",
    ]);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it.each([
    [
      "a million members",
      () => Object.fromEntries(Array.from({ length: 1_000_000 }, (_, index) => [`k${index}`, 1])),
      ": Expected at most 200 members",
    ],
    [
      "a text of ten megabytes",
      () => ({ companySize: 1, engagementMetrics: 1, industry: "x".repeat(10_000_000) }),
      "/industry: Expected at most 8192 characters",
    ],
    [
      "an array of a million",
      () => ({ companySize: new Array(1_000_000).fill(1) }),
      "/companySize: Expected at most 1000 elements",
    ],
    [
      "100 members",
      () => Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, 1])),
      "more problems are not listed",
    ],
  ])("reports %s briefly", (_, make, expected) => {
    const lines = refused(lead(make()));
    expect(lines.length).toBeLessThanOrEqual(51);
    expect(lines.join("\n")).toContain(expected);
  });

  it("never throws and never accepts a score-breaking value", () => {
    const value = fc.oneof(fc.double(), fc.string(), fc.anything({ maxDepth: 2 }));
    fc.assert(
      fc.property(
        fc.oneof(fc.record({ companySize: value, industry: value, engagementMetrics: value }), fc.anything()),
        (raw) => {
          const result = lead(raw);
          if (result.ok) expect(Number.isFinite(result.input.companySize + result.input.engagementMetrics)).toBe(true);
          else expect(result.problems.length).toBeGreaterThan(0);
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });
});

describe("accept a churn request", () => {
  const data = [619, 0, 42, 2, 0, 1, 1, 1, 101348.88, 1, 0, 0];
  it("takes twelve numbers", () => {
    expect(churn({ data })).toEqual({ ok: true, input: { data } });
  });

  it.each([
    ["eleven", { data: data.slice(1) }],
    ["thirteen", { data: [...data, 1] }],
    ["a text among them", { data: [...data.slice(1), "1"] }],
    ["NaN among them", { data: [...data.slice(1), Number.NaN] }],
    ["none", {}],
    ["null", { data: null }],
    ["a bare list", data],
    ["a number too large to mean anything", { data: [...data.slice(1), 1e300] }],
    ["many wrong ones", { data: new Array(900).fill("x") }],
  ])("gives the contract's message for %s", (_, raw) => {
    expect(refused(churn(raw))).toEqual([`/data: ${INVALID_CHURN_INPUT}`]);
    expect(INVALID_CHURN_INPUT).toBe("Invalid input. Expected a list of 12 numerical values.");
  });

  it("names unknown fields beside it", () => {
    expect(refused(churn({ data, x: 1 }))).toEqual(["/x: This field is not known; remove it or correct its name."]);
  });
});

describe("accept a transaction", () => {
  it.each(["grocery_pos", "Food & drink (retail)", "Lebensmittelgeschäft", "食料品", "5411", "NAICS 722511", ""])(
    "takes the category %j",
    (category) => {
      expect(fraud({ ...transaction, category, merchant_category: category, channel: category }).ok).toBe(true);
      expect(lead({ companySize: 1, industry: category || "-", engagementMetrics: 1 }).ok).toBe(true);
    },
  );

  it.each([
    "alice@example.org",
    "tel 4915112345678",
    "4111111111111111",
    "4111 1111 1111 1111",
    "123-45-6789",
    "+49 171 555 1234",
    "10.20.30.40",
    "1a2b3c4d5e6f7",
    "<b>",
    "a\nb",
  ])("refuses %j as category, channel and industry: those are stored as they are", (text) => {
    for (const field of ["category", "merchant_category", "channel"])
      expect(refused(fraud({ ...transaction, [field]: text }))[0]).toMatch(`/${field}: Expected text of the form `);
    expect(refused(lead({ companySize: 1, industry: text, engagementMetrics: 1 }))[0]).toMatch("/industry: Expected text");
  });

  it("drops unknown fields and fills the shape", () => {
    const result = fraud({ ...transaction, secret: "s", nested: { deep: [1] } });
    expect(result.ok && FRAUD.stored(result.input)).toEqual({
      transaction_id: "t1",
      user_id: "u1",
      amount: 10,
      timestamp: "2026-03-01T12:00:00.000Z",
    });
  });

  it("names missing fields and a date that does not exist", () => {
    expect(refused(fraud({})).length).toBe(4);
    expect(refused(fraud({ ...transaction, timestamp: "2026-02-30T00:00:00Z" }))).toEqual([`/timestamp: ${TIME_FORMS}.`]);
  });

  it("refuses an id that JSON cannot carry exactly", () => {
    expect(refused(fraud({ ...transaction, user_id: 2 ** 53 }))[0]).toContain("/user_id: Expected a number <= 9007199254740991");
  });

  const limits = { arrivedAtMs: NOON, maxAgeMs: 30 * 86_400_000, maxFutureMs: 3_600_000 };
  it.each([
    ["30 days old", NOON - 30 * 86_400_000, null],
    ["older", NOON - 30 * 86_400_000 - 1, "at most 30 days before arrival"],
    ["an hour ahead", NOON + 3_600_000, null],
    ["further ahead", NOON + 3_600_001, "at most 1 h after arrival"],
  ])("judges a transaction that is %s against its arrival", (_, timestamp, expected) => {
    const result = accept(FRAUD, validators.fraud, { ...transaction, timestamp }, limits);
    if (expected === null) expect(result.ok).toBe(true);
    else {
      expect(result).toMatchObject({ ok: false, reason: "timestamp_out_of_range" });
      expect(refused(result)[0]).toContain(expected);
    }
  });

  it("does not judge the time of a record without one", () => {
    const raw = { companySize: 1, industry: "x", engagementMetrics: 1 };
    expect(accept(LEAD, validators.lead, raw, limits).ok).toBe(true);
  });
});

describe("problems", () => {
  it.each([
    ["exclusiveMinimum", { comparison: ">", limit: 0 }, "Expected a number > 0, got 1."],
    ["enum", { allowedValues: ["a", 2] }, 'Expected one of "a", 2, got 1.'],
    ["minProperties", { limit: 1 }, "Expected at least 1 members, got 1."],
    ["maxItems", { limit: 3 }, "Expected at most 3 elements, got 1."],
    ["pattern", { pattern: "^x" }, "Expected text of the form ^x, got 1."],
    ["type", { type: ["integer", "null"] }, "Expected an integer or null, got 1."],
    ["uniqueItems", {}, "The value must be odd, got 1."],
  ])("words %s", (keyword, params, detail) => {
    expect(problems([{ instancePath: "/a~1b", keyword, params, message: "must be odd" }], { "a/b": 1 })).toMatchObject([
      { pointer: "/a~1b", detail },
    ]);
  });

  it("describes unknown keywords, and missing values", () => {
    expect(problems([{ instancePath: "/a/b", keyword: "magic", params: {} }], { a: 1 })).toEqual([
      { pointer: "/a/b", detail: 'The value fails "magic", got nothing.', expected: 'The value fails "magic".' },
    ]);
  });

  it("says in quarantine which fields are wrong and what was expected, and quotes nothing of the input", () => {
    const secret = "alice@example.org";
    const wrong = {
      ...transaction,
      amount: secret,
      currency: secret,
      category: secret,
      hour: secret,
      email: [secret],
      timestamp: secret,
    };
    const named = { [secret]: "x".repeat(9000), [`${secret}/2`]: new Array(2000).fill(secret) };
    const expectations = (raw: unknown): string => {
      const result = fraud(raw);
      return result.ok ? "" : expectationText(result.problems, FRAUD.schema);
    };
    expect(expectations(wrong)).toContain("/amount: Expected a finite number. /hour: Expected an integer or null.");
    expect(expectations({ ...transaction, timestamp: secret })).toBe(`/timestamp: ${TIME_FORMS}.`);
    expect(expectations({ ...transaction, ...named })).toBe(
      "A field that the schema does not know: Expected at most 8192 characters. A field that the schema does not know: Expected at most 1000 elements.",
    );
    const late = accept(FRAUD, validators.fraud, transaction, { arrivedAtMs: NOON * 2, maxAgeMs: 86_400_000, maxFutureMs: 0 });
    expect(late.ok ? "" : expectationText(late.problems, FRAUD.schema)).toBe(
      "/timestamp: Expected a time at most 24 h before arrival.",
    );
    expect(expectations([secret])).toBe("Expected an object.");
    for (const raw of [wrong, { ...wrong, ...named }, [secret], secret]) expect(expectations(raw)).not.toContain("alice");
  });

  it("joins problems into a text", () => {
    expect(
      problemText([
        { pointer: "/a", detail: "A." },
        { pointer: "", detail: "B." },
      ]),
    ).toBe("/a: A. B.");
  });

  it("stops listing oversized members at fifty", () => {
    const record = Object.fromEntries(
      Array.from({ length: 150 }, (_, index) => [`k${"x".repeat(200)}${index}`, "x".repeat(9000)]),
    );
    expect(boundsProblems(record)).toHaveLength(50);
  });
});
