import { loadTrees } from "@risk/tree-kernel";
import { describe, expect, it } from "vitest";
import { createPromotionHandler, type PromotionResult } from "../../../functions/gates/promotion/handler";
import type { ModelHealth } from "../../../functions/gates/promotion/health";
import { modelKey } from "../../../functions/scoring/models/artifact-key";
import type { ModelRef, ModelsDocument } from "../../../functions/scoring/models/document";
import { featureSpecIn } from "../../../functions/scoring/models/tree-image";
import {
  accessTo,
  FEATURES,
  failure,
  log,
  type MemoryObjects,
  type MemoryParameters,
  MODEL,
  memoryObjects,
  memoryParameters,
  modelFiles,
  trained,
  trainedBucket,
} from "./world";

const OLD: ModelRef = { kind: "trees", name: "fraud-trees-1", key: "models/fraud/old.rsm", sha256: "0".repeat(64) };
const OTHER: ModelRef = { kind: "trees", name: "fraud-trees-2", key: "models/fraud/other.rsm", sha256: "1".repeat(64) };
const FALLBACK: ModelRef = { kind: "rules-only" };
const START: ModelsDocument = { chain: [OLD, FALLBACK] };

interface World {
  readonly objects?: MemoryObjects;
  readonly parameters?: MemoryParameters;
  readonly percent?: number;
  readonly health?: ModelHealth | undefined;
}

function setUp({ objects = trainedBucket(), parameters = memoryParameters(START), percent = 10, health }: World = {}) {
  const modelObjects = memoryObjects("models");
  const asked: unknown[] = [];
  const handle = createPromotionHandler({
    objects,
    modelObjects,
    models: accessTo(parameters),
    canaryPercent: percent,
    health: async (...question) => {
      asked.push(question);
      return health;
    },
    log,
  });
  const act = (action: string, convert?: PromotionResult) =>
    handle({ action, dataset: "fraud", modelName: MODEL, modelPackageArn: "arn", ...(convert === undefined ? {} : { convert }) });
  const newest = (): ModelsDocument => JSON.parse(parameters.versions.at(-1)!);
  return { handle, act, parameters, modelObjects, newest, asked };
}

/** The reference to the converted model in a document. */
const refIn = ({ chain, challengers = [] }: ModelsDocument) =>
  [...chain, ...challengers.map(({ model }) => model)].find((ref) => ref.kind === "trees" && ref.name === MODEL);

const HEALTHY: ModelHealth = { modelFailures: 0, refreshFailures: 0 };

describe("model-promotion", () => {
  it("converts, starts the canary, checks it, and makes it champion; fallbacks stay", async () => {
    const { act, modelObjects, newest, parameters, asked } = setUp({ health: HEALTHY });
    const converted = await act("convert");
    if (!("key" in converted)) throw new Error("convert answers a key");
    expect(converted).toMatchObject({
      profile: "fraud",
      modelName: MODEL,
      champion: "fraud-trees-1",
      parameterVersion: 1,
      goldenRows: 16,
      trees: 20,
      alreadyChampion: false,
    });
    expect(converted.key).toBe(modelKey("fraud", converted.sha256));
    const image = modelObjects.content.get(converted.key)!;
    expect(image).toHaveLength(converted.bytes);
    expect(featureSpecIn(loadTrees(image))?.features).toEqual(FEATURES);
    // The commands of `npm run model` find a model by this.
    expect(modelObjects.metadata.get(converted.key)).toEqual({ profile: "fraud", name: MODEL });

    expect(await act("canary", converted)).toMatchObject({
      changed: true,
      champion: "fraud-trees-1",
      percent: 10,
      parameterVersion: 2,
    });
    const ref = { kind: "trees", name: MODEL, key: converted.key, sha256: converted.sha256 };
    expect(newest()).toEqual({ ...START, challengers: [{ model: ref, percent: 10 }] });

    expect(await act("check", converted)).toEqual({
      healthy: true,
      detail: expect.stringContaining("no function reported a failure"),
    });
    expect(asked).toEqual([["fraud", MODEL, 2_000]]);

    const flipped = await act("flip", converted);
    expect(flipped).toMatchObject({
      changed: true,
      champion: MODEL,
      previousChampion: "fraud-trees-1",
      parameterVersion: 3,
      previousParameterVersion: 1,
    });
    expect(flipped).toMatchObject({ detail: expect.stringContaining("npm run model -- rollback --profile fraud --to 1") });
    expect(newest()).toEqual({ chain: [ref, FALLBACK] });
    expect(parameters.versions).toHaveLength(3);
  });

  it("changes nothing at the second run of any state, nor at a second approval", async () => {
    const { act, parameters, modelObjects } = setUp({ health: HEALTHY });
    const converted = await act("convert");
    expect(await act("convert")).toEqual(converted);
    expect(modelObjects.content.size).toBe(1);
    await act("canary", converted);
    expect(await act("canary", converted)).toMatchObject({
      changed: false,
      percent: 10,
      detail: expect.stringContaining("answers 10 % already"),
    });
    await act("check", converted);
    await act("check", converted);
    await act("flip", converted);
    expect(await act("flip", converted)).toMatchObject({
      changed: false,
      champion: MODEL,
      detail: expect.stringContaining("is the champion already; nothing was changed"),
    });

    const again = await act("convert");
    expect(again).toMatchObject({ alreadyChampion: true, champion: MODEL });
    expect(await act("canary", again)).toMatchObject({
      changed: false,
      detail: expect.stringContaining("is the champion already"),
    });
    expect(await act("check", again)).toMatchObject({ healthy: true });
    expect(await act("flip", again)).toMatchObject({ changed: false });
    expect(parameters.versions).toHaveLength(3);
  });

  it("tolerates a twin of this execution that is faster", async () => {
    const { act, parameters, newest } = setUp();
    const converted = await act("convert");
    parameters.beforeWrite = () => {
      const text = JSON.stringify({
        ...START,
        challengers: [
          {
            model: {
              kind: "trees",
              name: MODEL,
              key: "key" in converted ? converted.key : "",
              sha256: "sha256" in converted ? converted.sha256 : "",
            },
            percent: 10,
          },
        ],
      });
      parameters.versions.push(text);
    };
    expect(await act("canary", converted)).toMatchObject({ changed: true, parameterVersion: 3 });
    expect(refIn(newest())).toBeDefined();
  });

  it("changes the share of a challenger that was put there by hand", async () => {
    const first = setUp({ percent: 0 });
    const converted = await first.act("convert");
    expect(await first.act("canary", converted)).toMatchObject({ changed: true, percent: 0 });
    const second = setUp({ parameters: first.parameters, percent: 25 });
    expect(await second.act("canary", converted)).toMatchObject({ changed: true, percent: 25 });
    const [challenger] = second.newest().challengers ?? [];
    expect(challenger).toMatchObject({ percent: 25 });
    const { percent: _, ...shadow } = challenger!;
    first.parameters.versions.push(JSON.stringify({ ...START, challengers: [shadow] }));
    expect(await first.act("canary", converted)).toMatchObject({ changed: false, percent: 0 });
  });

  it("works without metrics when no namespace is configured, and says so", async () => {
    const { act } = setUp();
    const converted = await act("convert");
    await act("canary", converted);
    expect(await act("check", converted)).toEqual({
      healthy: true,
      detail: expect.stringContaining("metrics were not looked at"),
    });
  });
});

describe("model-promotion: conversions that fail", () => {
  it("names the golden row that differs, and uploads nothing", async () => {
    const one = trained();
    const off = { ...one, margins: one.margins.with(2, 5) };
    const objects = trainedBucket({ model: { "golden.json": modelFiles(off)["golden.json"] } });
    const { act, modelObjects } = setUp({ objects });
    const error = await failure(act("convert"));
    expect(error.name).toBe("GoldenRowsDiffer");
    expect(error.message).toMatch(
      /model\.tar\.gz: golden row 2 has the margin .* where XGBoost gave 5\. "fraud-trees-1" stays the champion/,
    );
    expect(modelObjects.content.size).toBe(0);
  });

  it("names a damaged archive", async () => {
    const objects = trainedBucket({ model: { "model.ubj": "{" } });
    expect((await failure(setUp({ objects }).act("convert"))).name).toBe("ModelArtifactInvalid");
  });

  it("refuses a name that stands for other content", async () => {
    const taken: ModelsDocument = { ...START, challengers: [{ model: { ...OTHER, name: MODEL } }] };
    const error = await failure(setUp({ parameters: memoryParameters(taken) }).act("convert"));
    expect(error).toMatchObject({
      name: "ModelArtifactInvalid",
      message: expect.stringContaining(`has another model named "${MODEL}"`),
    });
  });
});

describe("model-promotion: canaries that fail", () => {
  const begun = async (world: World = {}) => {
    const one = setUp(world);
    const converted = await one.act("convert");
    await one.act("canary", converted);
    return { ...one, converted };
  };

  it.each<[string, ModelHealth, RegExp]>([
    [
      "the model failed on records",
      { modelFailures: 4, refreshFailures: 0 },
      /failed on 4 records since it was put beside the champion/,
    ],
    [
      "functions could not take it over",
      { modelFailures: 0, refreshFailures: 3 },
      /could not take over the models parameter 3 times/,
    ],
  ])("%s: the challenger is withdrawn, the champion stays", async (_what, health, message) => {
    const { act, converted, newest } = await begun({ health });
    const error = await failure(act("check", converted));
    expect(error.name).toBe("CanaryFailed");
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/"fraud-trees-1" stays the champion\. It was withdrawn as a challenger\.$/);
    expect(newest()).toEqual(START);
  });

  it("tolerates a refresh that failed once", async () => {
    const { act, converted } = await begun({ health: { modelFailures: 0, refreshFailures: 1 } });
    expect(await act("check", converted)).toMatchObject({ healthy: true });
  });

  it.each<[string, (objects: MemoryObjects, key: string) => void, RegExp]>([
    ["gone", (objects, key) => objects.content.delete(key), /is gone: start the promotion again/],
    ["changed", (objects, key) => objects.content.set(key, Uint8Array.of(1)), /is no longer the content that was verified/],
  ])("the artifact is %s", async (_what, spoil, message) => {
    const { act, converted, modelObjects, newest } = await begun({ health: HEALTHY });
    spoil(modelObjects, "key" in converted ? converted.key : "");
    expect(await failure(act("check", converted))).toMatchObject({
      name: "CanaryFailed",
      message: expect.stringMatching(message),
    });
    expect(newest()).toEqual(START);
  });

  it("somebody withdrew it", async () => {
    const { act, converted, parameters } = await begun({ health: HEALTHY });
    parameters.versions.push(JSON.stringify(START));
    for (const action of ["check", "flip"]) {
      expect(await failure(act(action, converted))).toMatchObject({
        name: "CanaryFailed",
        message: expect.stringContaining("somebody withdrew it"),
      });
    }
    expect(parameters.versions).toHaveLength(3);
  });

  it("there is no room for another challenger", async () => {
    const crowded: ModelsDocument = { ...START, challengers: [{ model: OTHER, percent: 95 }] };
    const { act, newest } = setUp({ parameters: memoryParameters(crowded) });
    const converted = await act("convert");
    expect(await failure(act("canary", converted))).toMatchObject({
      name: "CanaryFailed",
      message: expect.stringMatching(/percentages of at most 100 together, got 105.*withdraw NAME --profile fraud/s),
    });
    expect(newest()).toEqual(crowded);
  });
});

describe("model-promotion: a champion that somebody else chose meanwhile", () => {
  it.each(["canary", "check", "flip"])("stays at %s, and the challenger is withdrawn", async (action) => {
    const { act, parameters, newest } = setUp({ health: HEALTHY });
    const converted = await act("convert");
    await act("canary", converted);
    const { challengers } = newest();
    parameters.versions.push(JSON.stringify({ chain: [OTHER], challengers }));
    const error = await failure(act(action, converted));
    expect(error.name).toBe("PromotionSuperseded");
    expect(error.message).toMatch(
      /"fraud-trees-2" became the champion of profile "fraud" after .* \(when it was "fraud-trees-1"\); it stays/,
    );
    expect(newest()).toEqual({ chain: [OTHER] });
  });

  it("stays before the canary, where there is nothing to withdraw", async () => {
    const { act, parameters } = setUp();
    const converted = await act("convert");
    parameters.versions.push(JSON.stringify({ chain: [OTHER] }));
    expect((await failure(act("canary", converted))).name).toBe("PromotionSuperseded");
    expect(parameters.versions).toHaveLength(2);
  });

  it.each(["canary", "flip"])("is put back when it was chosen at the very moment of %s", async (action) => {
    const { act, parameters, newest } = setUp();
    const converted = await act("convert");
    if (action === "flip") await act("canary", converted);
    parameters.beforeWrite = () => parameters.versions.push(JSON.stringify({ chain: [OTHER] }));
    const error = await failure(act(action, converted));
    expect(error).toMatchObject({
      name: "PromotionSuperseded",
      message: expect.stringMatching(/Somebody else changed \/models\/fraud \(version \d\).*their version was put back/),
    });
    expect(newest()).toEqual({ chain: [OTHER] });
  });

  it("is left to people when SSM no longer keeps its version", async () => {
    const one = memoryParameters(START);
    const parameters: MemoryParameters = { ...one, write: async () => 9 };
    const { act } = setUp({ parameters });
    const converted = await act("convert");
    expect(await failure(act("canary", converted))).toMatchObject({
      name: "PromotionSuperseded",
      message: expect.stringContaining("look at it"),
    });
  });
});

describe("model-promotion: wrong events", () => {
  it.each<[unknown, RegExp]>([
    [
      { action: "promote", dataset: "fraud", modelName: MODEL },
      /\/action: Expected one of "convert", "canary", "check", "flip", got "promote"/,
    ],
    [{ action: "convert", dataset: "fraud" }, /\/modelName: This field is required/],
    [{ action: "convert", dataset: "fraud", modelName: "../x" }, /\/modelName: Expected text of the form .*, got "\.\.\/x"/],
    [{ action: "flip", dataset: "fraud", modelName: MODEL }, /\/convert: action "flip" needs the result of "convert"/],
    [{ action: "flip", dataset: "fraud", modelName: MODEL, convert: {} }, /\/convert\/profile: This field is required/],
  ])("%j", async (event, message) => {
    expect(await failure(setUp().handle(event))).toMatchObject({ name: "InvalidInput", message: expect.stringMatching(message) });
  });

  it("a dataset whose models have no parameter", async () => {
    const { act, handle } = setUp();
    const converted = await act("convert");
    expect(await failure(handle({ action: "flip", dataset: "churn", modelName: MODEL, convert: converted }))).toMatchObject({
      name: "InvalidInput",
      message: 'dataset: expected one whose models have a parameter (fraud), got "churn".',
    });
  });
});
