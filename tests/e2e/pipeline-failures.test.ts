/**
 * Failures in the deployed state machines: each reports what went wrong and what to do, in its error and by e-mail, leaves the champion
 * and existing scores unchanged, and is fixed by running again.
 */

import { roleNameOf } from "@risk/local-aws/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RegisteredModel, registeredModels } from "../../cli/pipelines/registry";
import {
  archiveKey,
  customers,
  DATASET,
  labelled,
  learnFromLittle,
  ROWS,
  registered,
  repeated,
  tamper,
  upload,
  without,
} from "./pipeline-fixture";
import { type Models, PipelineWorld, sparkOf, succeeded } from "./pipeline-support";
import { until } from "./support";

const DAY_MS = 86_400_000;
const PIPELINE_MS = 120_000;
const [yesterday = "", dayBefore = ""] = [1, 2].map((days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10));

let pipelines: PipelineWorld;
/** The state before each test. */
let champion: Models;

beforeAll(async () => {
  pipelines = await PipelineWorld.start();
  await learnFromLittle(pipelines);
  champion = await pipelines.models(DATASET);
}, 90_000);
afterAll(() => pipelines?.stop());
beforeEach(async () => {
  champion = await pipelines.models(DATASET);
});

const train = (more: Readonly<Record<string, string>>) => pipelines.run("training", { dataset: DATASET, ...more });
const score = (date: string, file: string) => pipelines.run("inference", { dataset: DATASET, date, file });

async function championStays(): Promise<void> {
  expect(await pipelines.models(DATASET)).toEqual(champion);
}

describe("training", () => {
  const remedies = {
    extract: /Read the job's log.*start a new execution/,
    quality: "Nothing was trained and the champion stays",
  };

  it(
    "on an empty warehouse, or on a file without a column, ends at the extract",
    async () => {
      const file = await upload(pipelines, "lost", without("credit_score"));
      const [empty, lost] = await Promise.all([train({}), train({ file })]);
      await pipelines.expectFailure(empty, {
        step: "ExtractTrainingData",
        error: "States.TaskFailed",
        says: ["The training extract of churn is empty"],
        remedy: remedies.extract,
      });
      await pipelines.expectFailure(lost, {
        step: "ExtractTrainingFile",
        error: "States.TaskFailed",
        says: ["Column credit_score vanished", file, "found only key, "],
        remedy: remedies.extract,
      });
    },
    PIPELINE_MS,
  );

  it(
    "on labels of a single class, or on a label that isn't a number, ends before the training job",
    async () => {
      const [one, none] = [
        await upload(
          pipelines,
          "one-class",
          labelled(() => "0"),
        ),
        await upload(
          pipelines,
          "not-a-number",
          labelled((row, given) => (row === 7 ? "nan" : given)),
        ),
      ];
      const [oneClass, notANumber] = await Promise.all([train({ file: one }), train({ file: none })]);
      await pipelines.expectFailure(oneClass, {
        step: "CheckDataQuality",
        error: "DataQualityFailed",
        says: [`label balance: 0 of ${ROWS} labels are positive`, "with one class there is nothing to learn"],
        remedy: remedies.quality,
      });
      await pipelines.expectFailure(notANumber, {
        step: "CheckDataQuality",
        error: "DataQualityFailed",
        says: ["label values: 0 labels are missing and 1 are not finite numbers"],
        remedy: remedies.quality,
      });
    },
    PIPELINE_MS,
  );

  it(
    "on repeated keys ends before the training job, and a killed Spark process ends the extract",
    async () => {
      const file = await upload(pipelines, "customers", customers);
      const killed = await pipelines.begin("training", { dataset: DATASET, file });
      process.kill(await sparkOf(pipelines.world, "extract_training_data.py"), "SIGKILL");
      const duplicates = train({ file: await upload(pipelines, "repeated", repeated) });
      await pipelines.expectFailure(await pipelines.ended(killed), {
        step: "ExtractTrainingFile",
        error: "States.TaskFailed",
        says: ["Spark failed: its Java process is gone", "If it was killed or ran out of memory"],
        remedy: remedies.extract,
      });
      await pipelines.expectFailure(await duplicates, {
        step: "CheckDataQuality",
        error: "DataQualityFailed",
        says: ["duplicate keys: 3 keys occur more than once, allowed 0"],
        remedy: remedies.quality,
      });
      expect(await registeredModels(pipelines.target, DATASET)).toEqual([]);
    },
    PIPELINE_MS,
  );

  it(
    "succeeds when it is run again",
    async () => {
      succeeded(await train({ file: `training/source/${DATASET}/customers.csv` }));
      expect(await registeredModels(pipelines.target, DATASET)).toHaveLength(1);
    },
    PIPELINE_MS,
  );

  it("starts nothing for an unknown dataset", async () => {
    await pipelines.expectFailure(await pipelines.run("training", { dataset: "nobody" }), {
      step: "Plan",
      error: "InvalidInput",
      says: ["nobody"],
      remedy: "Correct the input that the message names",
    });
  });

  it("has left the champion unchanged", () => {
    expect(champion).toMatchObject({ version: 1, document: { chain: [{ name: "churn-trees-1" }] } });
  });
});

describe("promotion", () => {
  async function fails(model: RegisteredModel, failure: Parameters<PipelineWorld["expectFailure"]>[1]): Promise<void> {
    const [promotion = ""] = await pipelines.approve(model);
    await pipelines.expectFailure(await pipelines.ended(promotion), failure);
  }

  it("of a damaged archive changes nothing", async () => {
    const model = await registered(pipelines);
    const whole = await pipelines.object(archiveKey(model));
    await pipelines.put(archiveKey(model), whole.subarray(0, whole.length / 2));
    try {
      await fails(model, {
        step: "Convert",
        error: "ModelArtifactInvalid",
        says: [archiveKey(model), "it is damaged"],
        remedy: "The champion stays.",
      });
      await championStays();
    } finally {
      await pipelines.put(archiveKey(model), whole);
    }
  });

  it("of a model that scores golden rows differently than XGBoost changes nothing", async () => {
    const model = await registered(pipelines);
    const restore = await tamper(pipelines, model, "golden.json", (text) => {
      const golden = JSON.parse(text) as { readonly margins: readonly number[] };
      return JSON.stringify({ ...golden, margins: golden.margins.map((margin, row) => (row === 2 ? margin + 0.5 : margin)) });
    });
    try {
      await fails(model, {
        step: "Convert",
        error: "GoldenRowsDiffer",
        says: ["golden row 2 has the margin", `"churn-trees-1" stays the champion`],
        remedy: /train again, and reject this version/,
      });
      await championStays();
    } finally {
      await restore();
    }
  });

  it("gives way to another champion chosen in the meantime", async () => {
    const [first, ...fallbacks] = champion.document.chain;
    if (first?.kind !== "trees") throw new Error("The champion is no tree model.");
    const chosen = { ...champion.document, chain: [{ ...first, name: "chosen-by-hand" }, ...fallbacks] };
    // Long enough for the choice to fall between the promotion's first check and its second.
    pipelines.world.platform.faults.inject(1, [
      { kind: "slow", service: "lambda", action: "Invoke", probability: 1, delayMs: 2000 },
    ]);
    let promotion = "";
    try {
      [promotion = ""] = await pipelines.approve(await registered(pipelines));
      await until("the converted model", () => pipelines.hasLeft(promotion, "Convert"));
      champion = { document: chosen, version: await pipelines.putModels(DATASET, chosen) };
    } finally {
      pipelines.world.platform.faults.inject(1, []);
    }
    await pipelines.expectFailure(await pipelines.ended(promotion), {
      step: "StartCanary",
      error: "PromotionSuperseded",
      says: ['"chosen-by-hand" became the champion', '(when it was "churn-trees-1")'],
      remedy: /Approve the version again/,
    });
    await championStays();
  });

  it.each([
    { denied: "ssm:PutParameter", step: "StartCanary", resource: /parameter\/\S*churn/, remedy: "Approve the version again" },
    { denied: "cloudwatch:GetMetricData", step: "CheckCanary", resource: "", remedy: "or withdraw it" },
  ])("without $denied names it and the role, and leaves the champion unchanged", async ({ denied, step, resource, remedy }) => {
    const role = await promotionRole();
    const { iam } = pipelines.world.platform.services;
    const statement = { Effect: "Deny", Action: denied, Resource: "*" };
    iam.putInlinePolicy(role, "test", { Version: "2012-10-17", Statement: [statement] });
    try {
      const says = [role, denied, resource];
      await fails(await registered(pipelines), { step, error: "AccessDeniedException", says, remedy });
    } finally {
      iam.role(role).policies.delete("test");
    }
    expect((await pipelines.models(DATASET)).document.chain).toEqual(champion.document.chain);
  });

  it("succeeds once the causes are gone, and repeated approvals do no harm", async () => {
    const model = await registered(pipelines);
    for (const promotion of await pipelines.approve(model, 2)) succeeded(await pipelines.ended(promotion));
    const promoted = await pipelines.models(DATASET);
    expect(promoted.document.chain[0]).toMatchObject({ kind: "trees", name: model.modelName });
    expect(promoted.document.challengers ?? []).toEqual([]);
    for (const promotion of await pipelines.approve(model)) succeeded(await pipelines.ended(promotion));
    expect(await pipelines.models(DATASET)).toEqual(promoted);
  });

  /** Name of the role of the promotion's function. */
  async function promotionRole(): Promise<string> {
    const { machines } = pipelines.world.platform.services.stepFunctions;
    const { States } = JSON.parse(machines.get(pipelines.target.machines.promotion)?.definition ?? "") as {
      readonly States: { readonly Convert: { readonly Parameters: { readonly FunctionName: string } } };
    };
    const { lambda } = pipelines.world.platform.services;
    return roleNameOf(lambda.resolve(States.Convert.Parameters.FunctionName).config.roleArn);
  }
});

describe("batch scoring", () => {
  const remedy = "Scores of the failed days are unchanged.";

  it(
    "of repeated keys loads nothing for that day, while another day is scored",
    async () => {
      const files = [await upload(pipelines, "repeated", repeated), await upload(pipelines, "customers", customers)] as const;
      const [duplicates, scored] = await Promise.all([score(dayBefore, files[0]), score(yesterday, files[1])]);
      await pipelines.expectFailure(duplicates, {
        step: "Summarise",
        error: "DaysFailed",
        says: [`${dayBefore}: DuplicateKeys: InspectDay: `, "3 keys occur more than once, allowed 0"],
        remedy,
      });
      expect(succeeded(scored).output).toMatchObject({ scored: 1, rows: ROWS });
      const rows = await pipelines.scores(DATASET);
      expect(rows).toHaveLength(ROWS);
      expect(new Set(rows.map(({ day }) => day))).toEqual(new Set([yesterday]));
    },
    PIPELINE_MS,
  );

  it(
    "with a model that returns too few rows leaves the day's scores unchanged",
    async () => {
      const before = await pipelines.scores(DATASET);
      const model = await registered(pipelines);
      const restore = await tamper(pipelines, model, "code/inference.py", (script) =>
        script.replace("for score in prediction]", "for score in prediction[1:]]"),
      );
      try {
        await pipelines.expectFailure(await score(yesterday, `training/source/${DATASET}/customers.csv`), {
          step: "Summarise",
          error: "DaysFailed",
          says: [
            `${yesterday}: States.TaskFailed: TransformDay: `,
            `the model answered ${ROWS - 1} predictions for ${ROWS} records`,
          ],
          remedy,
        });
      } finally {
        await restore();
      }
      expect(await pipelines.scores(DATASET)).toEqual(before);
      await championStays();
    },
    PIPELINE_MS,
  );

  it(
    "of an output that lost rows before loading leaves the day's scores unchanged, and succeeds when it is run again",
    async () => {
      const before = await pipelines.scores(DATASET);
      const file = `training/source/${DATASET}/customers.csv`;
      const execution = await pipelines.begin("inference", { dataset: DATASET, date: yesterday, file });
      // Loading begins with the start of Spark, which takes seconds.
      await until("the transform's end", () => pipelines.hasLeft(execution, "TransformDay"), PIPELINE_MS);
      const key = await outputKey();
      const lines = String(await pipelines.object(key)).split("\n");
      await pipelines.put(key, `${lines.slice(0, 200).join("\n")}\n`);
      const mended = score(dayBefore, file);
      await pipelines.expectFailure(await pipelines.ended(execution), {
        step: "Summarise",
        error: "DaysFailed",
        says: [
          `${yesterday}: States.TaskFailed: LoadDay: `,
          `it has 200 rows, expected ${ROWS}`,
          `${ROWS - 200} keys of the extract have no score`,
        ],
        remedy,
      });
      expect((await pipelines.scores(DATASET)).filter(({ day }) => day === yesterday)).toEqual(before);
      succeeded(await score(yesterday, file));
      succeeded(await mended);
      const after = await pipelines.scores(DATASET);
      expect(after.filter(({ day }) => day === yesterday)).toEqual(before);
      expect(after).toHaveLength(2 * ROWS);
    },
    2 * PIPELINE_MS,
  );

  /** Output of yesterday's transform; it is the only file. */
  async function outputKey(): Promise<string> {
    const manifest = JSON.parse(String(await pipelines.object(`inference/input/${DATASET}/dt=${yesterday}.manifest.json`))) as {
      readonly files: readonly string[];
    };
    return `${(manifest.files[0] ?? "").replace("inference/input/", "inference/output/")}.out`;
  }
});
