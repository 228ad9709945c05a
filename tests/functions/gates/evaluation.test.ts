import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { loadTrees, readXgboost } from "@risk/tree-kernel";
import { describe, expect, it } from "vitest";
import { baselineKey, modelTarKey, outputTarKey } from "../../../functions/gates/common/keys";
import type { DatasetDocument } from "../../../functions/gates/dataset";
import { createEvaluationHandler } from "../../../functions/gates/evaluation/handler";
import { auc } from "../../../functions/gates/evaluation/metrics";
import { modelKey } from "../../../functions/scoring/models/artifact-key";
import type { ModelRef, ModelsDocument } from "../../../functions/scoring/models/document";
import { compileWithSpec } from "../../../functions/scoring/models/tree-image";
import { randomModel } from "../../../packages/tree-kernel/tests/random-model";
import { treeImage } from "../../helpers/tree-image";
import {
  accessTo,
  DATASET,
  FEATURES,
  type Files,
  failure,
  log,
  type MemoryObjects,
  MODEL,
  memoryObjects,
  memoryParameters,
  modelFiles,
  outputFiles,
  SPEC,
  tarGz,
  trained,
  trainedBucket,
} from "./world";

const EVENT = { dataset: "fraud", modelName: MODEL };
const NAMES = FEATURES.map(({ name }) => name);
const REPORT = `models/fraud/${MODEL}/report/`;
const BUILT_IN: ModelRef = { kind: "rules-only" };

interface World {
  readonly objects?: MemoryObjects;
  readonly champion?: ModelRef;
  readonly images?: Record<string, Uint8Array>;
}

function setUp({ objects = trainedBucket(), champion = BUILT_IN, images = {} }: World = {}) {
  const document: ModelsDocument = { chain: [champion] };
  const modelObjects = memoryObjects("models", images);
  const handle = createEvaluationHandler({ objects, modelObjects, models: accessTo(memoryParameters(document)), log });
  return { objects, run: () => handle(EVENT), handle };
}

/** A champion that knows nothing: random trees over the same features. */
function randomChampion(features: readonly string[] = NAMES): { champion: ModelRef; images: Record<string, Uint8Array> } {
  const { bytes, ref } = treeImage("fraud-20261101-00000000", features);
  const key = modelKey("fraud", ref.sha256);
  return { champion: { ...ref, key }, images: { [key]: bytes } };
}

describe("evaluation-gate", () => {
  it("reproduces XGBoost bit for bit, beats the champion on the same rows, and writes the report", async () => {
    const { objects, run } = setUp({ ...randomChampion() });
    const result = await run();
    const { labels, margins } = trained();
    expect(result).toMatchObject({
      ...EVENT,
      champion: "fraud-20261101-00000000",
      metric: "auc",
      comparison: expect.stringMatching(
        new RegExp(`^AUC 0\\.\\d+ against 0\\.\\d+ of "fraud-20261101-00000000" on the same ${labels.length} rows$`),
      ),
      psi: null,
      reportPrefix: REPORT,
      metricsUri: `s3://pipelines/${REPORT}metrics.json`,
      evaluationUri: `s3://pipelines/${REPORT}evaluation.json`,
      baselineUri: `s3://pipelines/${REPORT}baseline.json`,
    });
    expect(result.metrics.auc).toBeCloseTo(auc(labels, margins)!, 12);
    expect(result.championMetrics?.auc).toBeLessThan(result.metrics.auc!);
    expect(result.checks.map(({ name, ok }) => [name, ok])).toEqual([
      ["holdout margins", true],
      ["golden rows", true],
      ["AUC", true],
      ["holdout", true],
      ["champion", true],
      ["stability", true],
    ]);
    expect([...objects.content.keys()].filter((key) => key.startsWith(REPORT)).sort()).toEqual(
      ["baseline.json", "evaluation.json", "metrics.json", "roc.svg"].map((name) => REPORT + name),
    );
    expect(JSON.parse(objects.text(`${REPORT}evaluation.json`))).toEqual(result);
    expect(JSON.parse(objects.text(`${REPORT}metrics.json`))).toMatchObject({ holdout: result.metrics, trained: { auc: 0.9 } });
    expect(objects.text(`${REPORT}baseline.json`)).toBe(modelFiles(trained())["baseline.json"]);
  });

  it("gives the same result at a second run", async () => {
    const { run } = setUp();
    expect(await run()).toEqual(await run());
  });

  it("compares the predictions with the champion's baseline", async () => {
    const objects = trainedBucket();
    const baseline = (counts: readonly number[]) => JSON.stringify({ prediction: { edges: [0, 0.25, 0.5, 0.75, 1], counts } });
    const { champion, images } = randomChampion();
    await objects.put(baselineKey("fraud", "fraud-20261101-00000000"), baseline([41, 29, 20, 10]), "application/json");
    expect((await setUp({ objects, champion, images }).run()).psi).toBeLessThan(0.01);

    await objects.put(baselineKey("fraud", "fraud-20261101-00000000"), baseline([1, 9, 20, 70]), "application/json");
    const error = await failure(setUp({ objects, champion, images }).run());
    expect(error.message).toMatch(
      /stability: PSI of the predictions against those of "fraud-20261101-00000000" is \d\.\d+, at most 0\.25 is allowed/,
    );

    await objects.put(baselineKey("fraud", "fraud-20261101-00000000"), "{}", "application/json");
    expect((await setUp({ objects, champion, images }).run()).psi).toBeNull();
  });

  it("refuses a model that does not beat the champion, keeps the report, and says that the champion stays", async () => {
    const image = compileWithSpec(readXgboost(new TextEncoder().encode(JSON.stringify(trained().model))), SPEC);
    const sha256 = createHash("sha256").update(image).digest("hex");
    const champion: ModelRef = { kind: "trees", name: "twin", key: "models/twin.rsm", sha256 };
    const { objects, run } = setUp({ champion, images: { "models/twin.rsm": image } });
    const error = await failure(run());
    expect(error.name).toBe("EvaluationFailed");
    expect(error.message).toMatch(
      /failed 1 of 6 checks\. champion: (0\.\d+) against \1 of "twin" on the same rows, at least .* \(margin 0\.01\)\. It was not registered and "twin" stays the champion/,
    );
    expect(JSON.parse(objects.text(`${REPORT}evaluation.json`)).checks).toContainEqual(
      expect.objectContaining({ name: "champion", ok: false }),
    );
  });

  it("refuses a model below the limit", async () => {
    const objects = trainedBucket({ dataset: { ...DATASET, evaluation: { ...DATASET.evaluation, limit: 0.999 } } });
    expect((await failure(setUp({ objects }).run())).message).toMatch(/AUC: 0\.\d+, at least 0\.999 is needed/);
  });

  it("refuses a holdout of one class", async () => {
    const one = { ...trained(), labels: trained().labels.map(() => 0) };
    const objects = trainedBucket({ output: outputFiles(one) });
    expect((await failure(setUp({ objects, ...randomChampion() }).run())).message).toMatch(
      /AUC: the holdout has rows of one class only/,
    );
    expect(JSON.parse(objects.text(`${REPORT}evaluation.json`)).comparison).toMatch(/^AUC unknown against unknown of/);
  });

  it("refuses margins that are not XGBoost's, by one unit in the last place", async () => {
    const one = trained();
    const next = new Float32Array(new Uint32Array([new Uint32Array(Float32Array.of(one.margins[3]!).buffer)[0]! + 1]).buffer)[0]!;
    const off = { ...one, margins: one.margins.with(3, next) };
    const objects = trainedBucket({ model: { "golden.json": modelFiles(off)["golden.json"] }, output: outputFiles(off) });
    const { message } = await failure(setUp({ objects }).run());
    expect(message).toMatch(
      /holdout margins: row 4 has the margin .* where XGBoost gave .*; golden rows: golden row 3 has the margin/,
    );
  });

  it("evaluates a regression by its RMSE", async () => {
    const one = trained();
    const model = JSON.parse(JSON.stringify(one.model));
    model.learner.objective = { name: "reg:squarederror" };
    model.learner.learner_model_param.base_score = "0";
    const features = FEATURES.map(({ name }) => name);
    const evaluator = loadTrees(compileWithSpec(readXgboost(new TextEncoder().encode(JSON.stringify(model))), SPEC));
    const margins = one.rows.map((row) => evaluator.margins(row.map((value) => value ?? Number.NaN))[0]!);
    const regression = { model, rows: one.rows, margins, labels: margins.map((margin, row) => margin + Math.sin(row)) };
    const dataset: DatasetDocument = {
      ...DATASET,
      source: { kind: "files" },
      target: { name: "score", kind: "regression", minimum: -10, maximum: 10 },
      training: { ...DATASET.training, objective: "reg:squarederror" },
      evaluation: { ...DATASET.evaluation, metric: "rmse", limit: 1 },
    };
    const objects = trainedBucket({ dataset, model: modelFiles(regression), output: outputFiles(regression) });
    const result = await setUp({ objects, ...randomChampion(features) }).run();
    expect(result.metrics.rmse).toBeCloseTo(Math.SQRT1_2, 1);
    // Answers lie on the target's scale, so a margin beyond its end is no error of that size.
    const narrow: DatasetDocument = {
      ...dataset,
      target: { name: "score", kind: "regression", minimum: 0, maximum: 0.1 },
      evaluation: { ...dataset.evaluation, limit: 100 },
    };
    const clamped = { ...regression, labels: margins.map((margin) => Math.min(0.1, Math.max(0, margin))) };
    const inScale = trainedBucket({ dataset: narrow, model: modelFiles(clamped), output: outputFiles(clamped) });
    expect((await setUp({ objects: inScale }).run()).metrics.rmse).toBeCloseTo(0, 6);
    expect(result.comparison).toMatch(
      /^RMSE 0\.\d+; not compared with "fraud-20261101-00000000": it predicts binary:logistic, which is not on the scale of reg:squarederror$/,
    );
  });

  describe("of a champion that cannot be compared", () => {
    it.each<[string, () => World, string]>([
      ["not trees", () => ({ champion: { kind: "logistic", name: "x" } }), ""],
      ["rules only", () => ({ champion: BUILT_IN }), 'it is of kind "rules-only"'],
      ["no image", () => ({ champion: randomChampion().champion }), "does not exist"],
      [
        "another image",
        () => ({ champion: randomChampion().champion, images: { [Object.keys(randomChampion().images)[0]!]: Uint8Array.of(1) } }),
        "is not the content that the models document names",
      ],
      [
        "other columns",
        () => randomChampion(["amount", "count_24h"]),
        "it needs count_24h, which the new training set does not have",
      ],
    ])("(%s) the limit alone decides", async (_what, world, comparison) => {
      if (comparison === "") {
        // A name that the profile does not have is refused with the whole document.
        expect((await failure(setUp(world()).run())).name).toBe("ModelsParameterInvalid");
        return;
      }
      const result = await setUp(world()).run();
      expect(result.championMetrics).toBeNull();
      expect(result.comparison).toContain(comparison);
      expect(result.checks.find(({ name }) => name === "champion")).toMatchObject({
        ok: true,
        detail: expect.stringContaining("only the limit decides"),
      });
    });
  });

  describe("of damaged artifacts", () => {
    const withModel = (bytes: Uint8Array | undefined): MemoryObjects => {
      const objects = trainedBucket();
      if (bytes === undefined) objects.content.delete(modelTarKey("fraud", MODEL));
      else objects.content.set(modelTarKey("fraud", MODEL), bytes);
      return objects;
    };
    const whole = () => tarGz(modelFiles(trained()));
    const wrongSize = () => {
      const tar = new Uint8Array(1536);
      tar.set(new TextEncoder().encode("model.ubj"), 0);
      tar.set(new TextEncoder().encode("zzz"), 124);
      tar.set(new TextEncoder().encode("0"), 156);
      return gzipSync(tar);
    };
    it.each<[string, () => MemoryObjects, RegExp]>([
      [
        "a missing archive",
        () => withModel(undefined),
        /There is no s3:\/\/pipelines\/models\/fraud\/.*\/output\/model\.tar\.gz: the training job did not finish/,
      ],
      [
        "no gzip",
        () => withModel(new TextEncoder().encode("<html>")),
        /model\.tar\.gz is not a gzipped tar archive \(.*\): it is damaged/,
      ],
      ["half an archive", () => withModel(whole().subarray(0, 2000)), /is not a gzipped tar archive/],
      [
        "bytes that are not a tar archive",
        () => withModel(gzipSync(new Uint8Array(4096).fill(65))),
        /model\.tar\.gz (is not a gzipped tar archive|holds no file)/,
      ],
      ["an entry without a size", () => withModel(wrongSize()), /is not a gzipped tar archive/],
      ["an empty archive", () => withModel(gzipSync(new Uint8Array(10_240))), /holds no file/],
      [
        "a file that is missing",
        () => trainedBucket({ model: { "model.ubj": undefined } }),
        /has no model\.ubj; it holds feature-spec\.json/,
      ],
      ["a model that is none", () => trainedBucket({ model: { "model.ubj": "{}" } }), /model\.ubj cannot be used: /],
      ["a spec that is none", () => trainedBucket({ model: { "feature-spec.json": "{}" } }), /feature-spec\.json: .*version/],
      [
        "a spec for other features",
        () => trainedBucket({ model: { "feature-spec.json": JSON.stringify({ version: 1, features: FEATURES.slice(1) }) } }),
        /feature-spec\.json: Expected the features of the dataset in order/,
      ],
      [
        "malformed golden rows",
        () => trainedBucket({ model: { "golden.json": '{"features":[],"rows":[],"margins":[]}' } }),
        /golden\.json: \/rows: Expected at least 1 elements, got an array of 0/,
      ],
      [
        "golden rows with other features",
        () => trainedBucket({ model: { "golden.json": '{"features":["x"],"rows":[[1]],"margins":[1]}' } }),
        /golden\.json: Expected rows of amount/,
      ],
      [
        "golden rows without margins",
        () =>
          trainedBucket({
            model: { "golden.json": JSON.stringify({ features: NAMES, rows: [[1, 1, 1, 1, 1, 1]], margins: [1, 2] }) },
          }),
        /golden\.json: 1 rows have 2 margins/,
      ],
      [
        "short golden rows",
        () => trainedBucket({ model: { "golden.json": JSON.stringify({ features: NAMES, rows: [[1]], margins: [1] }) } }),
        /golden\.json: Expected rows of 6 values/,
      ],
      ["metrics that are none", () => trainedBucket({ model: { "metrics.json": "5" } }), /metrics\.json: Expected a JSON object/],
      [
        "a malformed baseline",
        () => trainedBucket({ model: { "baseline.json": "{" } }),
        /baseline\.json: Expected a JSON object/,
      ],
      [
        "a baseline without predictions",
        () => trainedBucket({ model: { "baseline.json": "{}" } }),
        /baseline\.json: \/prediction: This field is required/,
      ],
      ["no holdout", () => trainedBucket({ output: { "holdout.csv": undefined } }), /output\.tar\.gz has no holdout\.csv/],
      [
        "a holdout with other columns",
        () => trainedBucket({ output: { "holdout.csv": "key,label\n1,2\n" } }),
        /holdout\.csv: Expected the columns key, label, margin, prediction, amount/,
      ],
      [
        "a holdout without rows",
        () => trainedBucket({ output: { "holdout.csv": `key,label,margin,prediction,${NAMES.join()}\n` } }),
        /holdout\.csv: It has no rows/,
      ],
      [
        "a holdout with text",
        () => trainedBucket({ output: { "holdout.csv": `key,label,margin,prediction,${NAMES.join()}\na,1,0,0,1,x,,,,\n` } }),
        /holdout\.csv: Line 2, column sum_1h: expected a number, got "x"/,
      ],
      [
        "a holdout without labels",
        () => trainedBucket({ output: { "holdout.csv": `key,label,margin,prediction,${NAMES.join()}\na,,0,0,1,1,,,,\n` } }),
        /Line 2, column label: expected a number, got ""/,
      ],
      [
        "a ragged holdout",
        () => trainedBucket({ output: { "holdout.csv": `key,label,margin,prediction,${NAMES.join()}\na,1\n` } }),
        /holdout\.csv: It is not CSV/,
      ],
    ])("%s is named with its key and the fix", async (_what, objects, message) => {
      const error = await failure(setUp({ objects: objects() }).run());
      expect(error.name).toBe("ModelArtifactInvalid");
      expect(error.message).toMatch(message);
      expect(error.message).toMatch(/s3:\/\/pipelines\/models\/fraud\//);
    });

    it("does not open an object that is too large", async () => {
      const objects = trainedBucket();
      const large: MemoryObjects = {
        ...objects,
        size: async (key) => (key === outputTarKey("fraud", MODEL) ? 2 ** 30 : objects.size(key)),
      };
      expect((await failure(setUp({ objects: large }).run())).message).toMatch(
        /has 1073741824 bytes, at most 134217728 are opened/,
      );
    });

    it("refuses a model with several classes, or with features that its profile doesn't have, before it is registered", async () => {
      const classes = JSON.stringify(
        randomModel({
          seed: 1,
          trees: 6,
          depth: 2,
          features: 6,
          outputs: 3,
          thresholds: 5,
          categorical: 0,
          pruned: 0,
          dart: false,
        }),
      );
      expect((await failure(setUp({ objects: trainedBucket({ model: { "model.ubj": classes } }) }).run())).message).toMatch(
        /it has 3 outputs where one score was expected/,
      );

      const one = trained();
      const rename = (name: string) => (name === "amount" ? "shoe_size" : name);
      const features = FEATURES.map((feature) => ({ ...feature, name: rename(feature.name) }));
      const model = JSON.parse(JSON.stringify(one.model));
      model.learner.feature_names = features.map(({ name }) => name);
      const files: Files = {
        "model.ubj": JSON.stringify(model),
        "feature-spec.json": JSON.stringify({ version: 1, features }),
        "golden.json": JSON.stringify({
          features: features.map(({ name }) => name),
          rows: one.rows.slice(0, 1),
          margins: one.margins.slice(0, 1),
        }),
      };
      const { monotone: _, ...training } = DATASET.training;
      const { ranges: __, ...quality } = DATASET.quality;
      const objects = trainedBucket({ dataset: { ...DATASET, training, quality, features }, model: files });
      expect((await failure(setUp({ objects }).run())).message).toMatch(
        /profile "fraud" cannot score with the model: .*shoe_size/,
      );
    });
  });

  it("names a wrong event", async () => {
    expect(await failure(setUp().handle({}))).toMatchObject({
      name: "InvalidInput",
      message: expect.stringContaining("/dataset: This field is required"),
    });
  });
});
