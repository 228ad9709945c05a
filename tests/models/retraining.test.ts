import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pythonEnvironment, runPython } from "@risk/local-aws/python-environment";
import { compile, loadTrees, readXgboost } from "@risk/tree-kernel";
import { afterAll, expect, it } from "vitest";
import type { GoldenRows, ModelMetrics } from "../../cli/train";
import { churnRows, headerOf, SPLITS } from "../../cli/training/rows";
import { CHURN } from "../../functions/scoring/profiles/churn";

const folder = mkdtempSync(join(tmpdir(), "retraining-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function train(name: string): Promise<string> {
  const out = join(folder, name);
  mkdirSync(out);
  runPython(await pythonEnvironment(), ["models/train.py", "train", folder, out, "churn-trees-1"], "training a model");
  return out;
}

it("gives the same model for the same rows, with the margins that XGBoost says", async () => {
  const lines = churnRows({ seed: 1, customers: 3000 });
  for (const split of SPLITS)
    writeFileSync(join(folder, `churn-${split}.csv`), `${headerOf(CHURN)}\n${lines[split].join("\n")}\n`);
  const [one, two] = [await train("one"), await train("two")];
  for (const file of ["churn-trees-1.json", "metrics.json", "churn.golden.json"]) {
    expect(readFileSync(join(two, file)).equals(readFileSync(join(one, file)))).toBe(true);
  }

  const image = compile(readXgboost(readFileSync(join(one, "churn-trees-1.json"))));
  const golden: GoldenRows = JSON.parse(readFileSync(join(one, "churn.golden.json"), "utf8"));
  const rows = Float32Array.from(golden.rows.flat(), (value) => value ?? Number.NaN);
  expect([...loadTrees(image).marginsBatch(rows, golden.rows.length)]).toEqual(golden.margins["churn-trees-1"]);
  const metrics: Readonly<Record<string, ModelMetrics>> = JSON.parse(readFileSync(join(one, "metrics.json"), "utf8"));
  expect(metrics["churn-trees-1"]).toMatchObject({ rows: { train: 1800, validation: 300, holdout: 900 }, xgboost: "3.2.0" });
  expect(metrics["churn-trees-1"]!.auc).toBeGreaterThan(0.75);
}, 120_000);
