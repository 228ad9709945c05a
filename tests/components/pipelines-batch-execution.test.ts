/** The definition of batch scoring as the local interpreter runs it, with services that answer as told: a day's failure is that day's. */
import { describe, expect, it } from "vitest";
import { inferenceDefinition } from "../../components/inference-pipeline/definition";
import {
  expectFailure,
  failing,
  failure,
  KEY,
  lambda,
  notice,
  notices,
  parametersOf,
  passing,
  statesOf,
  tasksOf,
} from "./pipelines-execution-failures";
import { type Answer, type Answers, HANGS, run } from "./pipelines-execution-world";

const inference = inferenceDefinition({
  notices,
  keyArn: KEY,
  plan: lambda("plan"),
  batchGate: lambda("batch"),
  extractJob: "extract",
  loadJob: "load",
  glueTimeoutMinutes: 60,
  transformJob: { instanceType: "ml.m5.xlarge", instanceCount: 1, timeoutMinutes: 60 },
  maxBackfillDays: 31,
  mapConcurrency: 2,
});

const MODEL = "fraud-20260102-0123abcd";
const day = (date: string, file = "") => ({
  dataset: "fraud",
  date,
  modelName: MODEL,
  file,
  inputUri: `s3://acme/inference/input/fraud/dt=${date}/`,
  outputUri: `s3://acme/inference/output/fraud/dt=${date}/`,
  transformJobName: `fraud-${date}`,
});
const DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"];
const daysOf = (file: string) => ({ dataset: "fraud", modelName: MODEL, days: DAYS.map((date) => day(date, file)) });
interface DayCall {
  readonly day?: { readonly date: string };
  readonly Arguments?: Readonly<Record<string, string>>;
  readonly TransformJobName?: string;
}
const SCORED: Answers = {
  Plan: daysOf(""),
  ExtractDay: { Id: "jr_1" },
  ExtractDayFile: { Id: "jr_1" },
  // The second day is empty.
  InspectDay: (call: DayCall) => ({ rows: 10, empty: call.day?.date === DAYS[1], files: [], duplicateKeys: 0 }),
  TransformDay: {},
  LoadDay: { Id: "jr_2" },
  Summarise: { days: 3, scored: 2, empty: 1, rows: 20 },
};
const DAY_TASKS = ["ExtractDay", "ExtractDayFile", "InspectDay", "TransformDay", "LoadDay"];
const usual = (state: string, call: DayCall): Answer => {
  const answer = SCORED[state] ?? {};
  return typeof answer === "function" ? answer(call as never) : answer;
};
/** An answer for the last day alone. */
const onLastDay =
  (state: string, answer: Answer) =>
  (call: DayCall): Answer => {
    const date = call.day?.date ?? call.Arguments?.["--date"] ?? call.TransformJobName?.replace("fraud-", "");
    return date === DAYS[2] ? answer : usual(state, call);
  };

describe("batch scoring", () => {
  const input = { dataset: "fraud", from: DAYS[0], to: DAYS[2] };

  it("scores days in parallel, and spends nothing on an empty one", async () => {
    const outcome = await run(inference, input, SCORED);
    expect(outcome.output).toEqual({ days: 3, scored: 2, empty: 1, rows: 20 });
    const count = (name: string) => statesOf(outcome).filter((state) => state === name).length;
    expect([count("ExtractDay"), count("InspectDay"), count("TransformDay"), count("LoadDay")]).toEqual([3, 3, 2, 2]);
    expect(parametersOf(outcome, "Summarise")).toMatchObject({
      action: "summary",
      dataset: "fraud",
      modelName: MODEL,
      days: [
        { date: DAYS[0], inspection: { rows: 10, empty: false } },
        { date: DAYS[1], inspection: { empty: true } },
        { date: DAYS[2], inspection: { rows: 10 } },
      ],
    });
  });

  it("covers every task below, those of a day and the others", () => {
    expect([...DAY_TASKS, "Plan", "Summarise"].sort()).toEqual(tasksOf(inference).sort());
  });

  it.each(DAY_TASKS.flatMap((state) => [[state, "fails"] as const, [state, "does not end in time"] as const]))(
    "finishes the other days when %s of one %s, and passes its error to the summary",
    async (state, how) => {
      const isLate = how !== "fails";
      const answer = onLastDay(state, isLate ? HANGS : failure("Odd", "9 rows of 10"));
      const outcome = await run(inference, input, {
        ...failing(state, SCORED, daysOf, answer),
        Summarise: failure("DaysFailed", "2026-01-03: 9 rows of 10"),
      });
      const { days } = Object(parametersOf(outcome, "Summarise"));
      const error = isLate ? "States.Timeout" : state === "InspectDay" ? "Odd" : "States.TaskFailed";
      const why = isLate ? `The task '${state}' did not end within \\d+ seconds\\.` : "9 rows of 10";
      expect(days.map((one: { readonly error?: unknown }) => one.error)).toEqual([
        undefined,
        undefined,
        // The step, what was wrong with it, and what to do.
        { Error: error, Cause: expect.stringMatching(new RegExp(`^${state}: ${why} \\(\\w.{20}`)) },
      ]);
      expect(statesOf(outcome).filter((one) => one === "LoadDay")).toHaveLength(state === "LoadDay" ? 2 : 1);
      expectFailure(outcome, "Batch scoring", "Summarise", "DaysFailed", "2026-01-03: 9 rows of 10");
    },
  );

  it.each(DAY_TASKS)("retries %s of a day after a temporary error", async (state) => {
    let refusals = 1;
    const answer = (call: DayCall) => (refusals-- > 0 ? passing(inference, state) : usual(state, call));
    const outcome = await run(inference, input, failing(state, SCORED, daysOf, answer));
    expect(outcome).toMatchObject({ status: "SUCCEEDED", error: undefined });
  });

  it.each([
    ["Plan", failure("NoTrainedModel", "no model of fraud was trained"), "NoTrainedModel"],
    ["Summarise", failure("DaysFailed", "2026-01-03: 9 rows of 10"), "DaysFailed"],
  ])("that fails at %s says why, where and what to do", async (state, error, name) => {
    expectFailure(await run(inference, input, { ...SCORED, [state]: error }), "Batch scoring", state, name, error.message);
  });

  it("has nothing to score, and does not fail, on a schedule before the first model", async () => {
    const untrained = failure("NoTrainedModel", "no model of fraud was trained");
    const scheduled = await run(inference, { dataset: "fraud", scheduled: true }, { ...SCORED, Plan: untrained });
    expect(scheduled).toMatchObject({
      status: "SUCCEEDED",
      output: { dataset: "fraud", days: 0, nothingToScore: expect.stringContaining("no model of fraud was trained") },
    });
    expect(statesOf(scheduled)).not.toContain("NotifyFailure");
    const asked = await run(inference, { dataset: "fraud", scheduled: false }, { ...SCORED, Plan: untrained });
    expectFailure(asked, "Batch scoring", "Plan", "NoTrainedModel", "no model of fraud was trained");
    const other = await run(inference, { dataset: "fraud", scheduled: true }, { ...SCORED, Plan: failure("Odd", "9 of 10") });
    expectFailure(other, "Batch scoring", "Plan", "Odd", "9 of 10");
  });

  it.each(["Plan", "Summarise"])("times out and says so when %s hangs", async (state) => {
    const outcome = await run(inference, input, { ...SCORED, [state]: HANGS });
    expectFailure(outcome, "Batch scoring", state, "States.Timeout", `The task '${state}' did not end within`);
  });

  it("reports a failure inside a day that its own states can't describe", async () => {
    const odd = failure("Odd", "");
    // A function of another runtime may answer so; a sentence cannot hold it.
    Object.defineProperty(odd, "message", { value: { not: "a text" } });
    const outcome = await run(inference, input, { ...SCORED, InspectDay: odd });
    expect(outcome).toMatchObject({ status: "FAILED", error: "States.IntrinsicFailure" });
    expect(statesOf(outcome)).not.toContain("Summarise");
    expect(notice(outcome)).toContain("Batch scoring failed at ScoreDays with States.IntrinsicFailure.");
    expect(notice(outcome)).toContain("What to do: Start a new execution for the days");
  });
});
