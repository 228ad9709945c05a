import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../cli/model";
import { type ModelShape, randomModel } from "../../packages/tree-kernel/tests/random-model";

const SHAPE: ModelShape = {
  seed: 5,
  trees: 4,
  depth: 3,
  features: 3,
  outputs: 1,
  thresholds: 20,
  categorical: 0.3,
  pruned: 0,
  dart: false,
};

let folder: string;
let model: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "model-"));
  model = join(folder, "churn.json");
  writeFileSync(model, JSON.stringify(randomModel(SHAPE)));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...argv: string[]): Promise<{ status: number; lines: string[] }> {
  const lines: string[] = [];
  return { status: await main(argv, (line) => lines.push(line)), lines };
}

describe("npm run model", () => {
  it("compiles next to the model, verifies the image and prints its hash", async () => {
    const { lines } = await run("compile", model);
    expect(lines[0]).toMatch(/churn\.rsm: .* 4 trees, perfect layout, sha256 [0-9a-f]{64}$/);
    const { status, lines: verified } = await run("verify", join(folder, "churn.rsm"), "--model", model);
    expect(verified[0]).toMatch(/^ok {3}probing rows: \d+ rows, 0 differences$/);
    expect(status).toBe(0);
  });

  it("inspects model and image alike", async () => {
    await run("compile", model);
    const facts = async (file: string): Promise<Record<string, unknown>> =>
      JSON.parse((await run("inspect", file, "--json")).lines.join("\n"));
    const [ofModel, ofImage] = [await facts(model), await facts(join(folder, "churn.rsm"))];
    expect(ofModel).toMatchObject({
      kind: "model",
      objective: "binary:logistic",
      trees: 4,
      nodes: 60,
      depth: 3,
      outputs: 1,
      source: "xgboost 3.2.0",
    });
    expect(ofImage).toMatchObject({ kind: "image", sha256: ofModel.sha256, imageBytes: ofModel.imageBytes });
    expect((await run("inspect", model)).lines).toContain("features     f0, f1, f2");
  });

  it("compiles with the training's feature spec, and shows it", async () => {
    const spec = join(folder, "feature-spec.json");
    const features = [
      { name: "age", type: "numeric", from: "features", default: 40 },
      { name: "os", type: "categorical", from: "input", encoder: "ordinal", categories: ["a", "b"], unknown: null, default: "a" },
      { name: "kind", type: "categorical", from: "features", encoder: "encoded", categories: ["x"], default: null },
    ];
    writeFileSync(spec, JSON.stringify({ version: 1, features }));
    await run("compile", model, "--spec", spec);
    const image = join(folder, "churn.rsm");
    expect((await run("inspect", image)).lines.slice(-3)).toEqual([
      "spec         age: numeric, default 40",
      'spec         os: categorical, ordinal, 2 categories, default "a", unknown missing',
      "spec         kind: categorical, encoded, 1 categories, default missing",
    ]);
    expect(JSON.parse((await run("inspect", image, "--json")).lines.join("\n"))).toMatchObject({ featureSpec: { features } });
    expect((await run("verify", image, "--model", model)).status).toBe(0);

    writeFileSync(spec, JSON.stringify({ version: 1, features: features.slice(1) }));
    await expect(run("compile", model, "--spec", spec)).rejects.toThrow("The feature spec has 2 features, the model 3");
    writeFileSync(spec, JSON.stringify({ version: 1, features: [{ name: "age" }] }));
    await expect(run("compile", model, "--spec", spec)).rejects.toThrow(`${spec}: features[0].from ("age") is missing`);
    writeFileSync(spec, "{");
    await expect(run("compile", model, "--spec", spec)).rejects.toThrow(
      /feature-spec\.json is not JSON .*expected a feature spec/,
    );
  });

  it("verifies the rows of a CSV file", async () => {
    const rows = join(folder, "rows.csv");
    writeFileSync(rows, "f2,id,f0,f1\n1,a,,3\n0.5,b,nan,-1\n");
    expect((await run("verify", model, "--rows", rows)).lines[1]).toBe(`ok   ${rows}: 2 rows, 0 differences`);
    writeFileSync(rows, "f0,f1,f2\n1,two,3\n");
    await expect(run("verify", model, "--rows", rows)).rejects.toThrow(
      `${rows}: Row 2, column "f1" is "two"; a number was expected.`,
    );
    writeFileSync(rows, "f0,f2\n1,3\n");
    await expect(run("verify", model, "--rows", rows)).rejects.toThrow('The header has no column "f1"');
  });

  it("exits with 1 when the image is of another model", async () => {
    await run("compile", model);
    const other = join(folder, "other.json");
    writeFileSync(other, JSON.stringify(randomModel({ ...SHAPE, seed: 6 })));
    const { status, lines } = await run("verify", join(folder, "churn.rsm"), "--model", other);
    expect(status).toBe(1);
    expect(lines[0]).toMatch(/^FAIL probing rows/);
    writeFileSync(other, JSON.stringify(randomModel({ ...SHAPE, features: 4 })));
    await expect(run("verify", join(folder, "churn.rsm"), "--model", other)).rejects.toThrow("they don't belong together");
  });

  it("names the file and what is wrong with it", async () => {
    writeFileSync(model, readFileSync(model).subarray(0, 500));
    await expect(run("compile", model)).rejects.toThrow(`${model}: The file is not complete JSON`);
    await expect(run("compile", join(folder, "absent.json"))).rejects.toThrow("Cannot read");
    await expect(run("verify", model, "--rounds", "x")).rejects.toThrow(
      '--rounds: expected all, best or a whole number from 1, got "x".',
    );
    await expect(run("shrink", model)).rejects.toThrow(
      'Unknown action "shrink": expected compile, inspect, verify, list, add, promote, challenge, withdraw, rollback, versions, approve, reject or clear.',
    );
    await expect(run("compile")).rejects.toThrow("Expected an action and a file");
  });
});
