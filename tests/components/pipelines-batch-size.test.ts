/** The longest backfill through the definition, with the plan's own entries: a state holds 256 KB. */
import { expect, it } from "vitest";
import { inferenceDefinition } from "../../components/inference-pipeline/definition";
import { planInference } from "../../functions/gates/plan/plan";
import { datasets } from "../../stacks/datasets";
import { PIPELINE_SETTINGS } from "../../stacks/pipeline-settings";
import { KEY, lambda, notices, parametersOf } from "./pipelines-execution-failures";
import { run } from "./pipelines-execution-world";

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_STATE_BYTES = 262_144;
const DAY_MS = 86_400_000;
const LONGEST = PIPELINE_SETTINGS["inference.maxBackfillDays"].maximum;
const START = Date.UTC(2026, 0, 1);

const inference = inferenceDefinition({
  notices,
  keyArn: KEY,
  plan: lambda("plan"),
  batchGate: lambda("batch"),
  extractJob: "extract",
  loadJob: "load",
  glueTimeoutMinutes: 60,
  transformJob: { instanceType: "ml.m5.xlarge", instanceCount: 1, timeoutMinutes: 60 },
  maxBackfillDays: LONGEST,
  mapConcurrency: 40,
});

it("keeps the longest backfill that a stack may allow below the size of a state", async () => {
  const dates = Array.from({ length: LONGEST }, (_, day) => new Date(START + day * DAY_MS).toISOString().slice(0, 10));
  const plan = planInference(
    { pipeline: "inference", dataset: "device", dates, file: "" },
    {
      // As long as a bucket's name may be.
      bucket: "b".repeat(63),
      execution: { name: "backfill", startedAtMs: START + LONGEST * DAY_MS },
      document: datasets({ fraudMaturityDays: 30, device: null }).device,
      champion: "device-20260101-0123abcd",
    },
  );
  const inspection = { rows: 1_234_567, empty: false, files: 25, duplicateKeys: 0 };
  const answers = {
    // What a day ends with does not depend on how many there are.
    Plan: { ...plan, days: plan.days.slice(0, 1) },
    ExtractDay: { Id: `jr_${"0".repeat(64)}` },
    InspectDay: inspection,
    LoadDay: { Id: `jr_${"1".repeat(64)}` },
    Summarise: { days: 1 },
  };
  const outcome = await run(inference, { dataset: "device" }, answers);
  expect(outcome).toMatchObject({ status: "SUCCEEDED", error: undefined });
  const { days } = Object(parametersOf(outcome, "Summarise"));
  expect(days).toEqual([{ date: "2026-01-01", inspection }]);
  // Behind the Map both lists stand side by side.
  const state = { dataset: "device", plan: { output: plan }, days: plan.days.map(() => days[0]) };
  expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(MAX_STATE_BYTES);
});
