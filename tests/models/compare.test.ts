import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { agreement, areaUnderCurve, compare, main, policyOf, readRows } from "../../cli/compare-models";
import { churnRows, fraudRows, headerOf, learnt } from "../../cli/training/rows";
import { RULES_ONLY } from "../../functions/scoring/models/rules-only";
import { CHURN } from "../../functions/scoring/profiles/churn";
import { FRAUD } from "../../functions/scoring/profiles/fraud";

const folder = mkdtempSync(join(tmpdir(), "compare-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, header: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${header}\n${lines.join("\n")}\n`);
  return file;
}

/** A row of the fraud profile in which only the given features are known. */
function fraudLine(id: string, known: Readonly<Record<string, number>>, label: 0 | 1): string {
  return [id, ...learnt(FRAUD.features).map(({ name }) => known[name] ?? Number.NaN), label].join(",");
}

describe("areaUnderCurve", () => {
  it("is the share of pairs in the right order, ties counting half", () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 1 }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        const pairs = rows.flatMap(([a, positive]) =>
          positive === 1 ? rows.flatMap(([b, other]) => (other === 0 ? [a > b ? 1 : a === b ? 0.5 : 0] : [])) : [],
        );
        const expected = pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length;
        const scores = Float64Array.from(rows, ([score]) => score);
        const labels = Uint8Array.from(rows, ([, label]) => label);
        const area = areaUnderCurve(scores, labels);
        if (pairs.length === 0) expect(area).toBeNaN();
        else expect(area).toBeCloseTo(expected, 12);
      }),
      { seed: 1 },
    );
  });
});

describe("compare", () => {
  const suspicious = { amount: 5000, location_mismatch: 1, velocity_flag: 1 };
  const lines = [
    fraudLine("caught", suspicious, 1),
    fraudLine("missed", { amount: 70 }, 1),
    fraudLine("false alert", suspicious, 0),
    fraudLine("ordinary", { amount: 20 }, 0),
  ];

  it("counts alerts and costs as the policy's bands say", async () => {
    const rows = await readRows(fileOf("four.csv", headerOf(FRAUD), lines), FRAUD);
    const strong = compare("rules", rows, RULES_ONLY, policyOf(FRAUD, 1), { review: 15, missed: 1 });
    // Two reviews, and the 70 that nobody looked at.
    expect(strong).toMatchObject({ alerts: 2, precision: 0.5, recall: 0.5, cost: 100, auc: 0.5 });
    expect(strong.scores[0]).toBeCloseTo(0.805, 3);
    const weak = compare("weak", rows, RULES_ONLY, policyOf(FRAUD, 0.5), { review: 15, missed: 1 });
    expect(weak.scores[0]).toBeCloseTo(1 - 0.58 ** 1.5, 12);
    expect(weak).toMatchObject({ alerts: 0, cost: 5070 });
    expect(agreement(strong, weak, policyOf(FRAUD, 1))).toEqual({
      sameBand: 0.5,
      meanDifference: (strong.scores[0]! - weak.scores[0]!) / 2,
    });
  });

  it("refuses rows of other features", async () => {
    await expect(readRows(fileOf("other.csv", headerOf(CHURN), []), FRAUD)).rejects.toThrow(
      "expected the columns id,amount,hour",
    );
  });
});

describe("compare-models", () => {
  async function run(...argv: readonly string[]): Promise<readonly string[]> {
    const printed: string[] = [];
    expect(await main(argv, (line) => printed.push(line))).toBe(0);
    return printed.flatMap((line) => line.split("\n"));
  }
  const first = (line: string): string => line.split("|")[1]?.trim() ?? "";

  it("sets champion, challenger and rules side by side", async () => {
    const file = fileOf("fraud.csv", headerOf(FRAUD), fraudRows({ seed: 5, users: 100 }).holdout);
    const printed = await run("--rows", file);
    expect(printed.map(first).filter((name) => /rules|alone/.test(name))).toEqual([
      "rules alone",
      "fraud-trees-1 alone",
      "fraud-trees-1 + rules at 0.5",
      "fraud-trees-1 + rules",
      "fraud-trees-2 alone",
      "fraud-trees-2 + rules at 0.5",
      "fraud-trees-2 + rules",
    ]);
    expect(printed.at(-1)).toMatch(/^fraud-trees-2 \+ rules against fraud-trees-1 \+ rules: same band on 9\d\.\d\d % of rows/);
  });

  it("compares models alone where a profile has no rules", async () => {
    const file = fileOf("churn.csv", headerOf(CHURN), churnRows({ seed: 5, customers: 400 }).holdout);
    const printed = await run("--profile", "churn", "--rows", file);
    expect(printed.map(first).filter((name) => /rules|alone/.test(name))).toEqual(["churn-trees-1 alone"]);
  });

  it("names what is wrong with a call", async () => {
    await expect(main(["--strength", "2"])).rejects.toThrow('--strength: expected 0 to 1, got "2".');
    await expect(main(["--profile", "weather"])).rejects.toThrow('There is no profile "weather"');
  });
});
