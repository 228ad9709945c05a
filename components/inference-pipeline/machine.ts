/** The state machine of batch scoring, and what starts it. */
import * as pulumi from "@pulumi/pulumi";
import type { Statement } from "../shared/iam";
import { noticesOf } from "../shared/pipeline-notices";
import { callFunctions, runJobs, runSagemakerJobs, sagemakerArns } from "../shared/pipeline-permissions";
import { PLAN_TIMEOUT_SECONDS } from "../shared/pipeline-plan";
import { Starter } from "../shared/pipeline-schedules";
import type { Definition } from "../shared/pipeline-states";
import { StateMachine } from "../shared/state-machine";
import { inferenceDefinition } from "./definition";
import { GATE_TIMEOUT_SECONDS, type InferenceFunctions } from "./functions";
import type { InferenceJobs } from "./jobs";
import type { InferenceSettings } from "./settings";

/** Hours without a success after which a nightly schedule raises an alarm: a day, and two hours for a slow night. */
const EXPECTED_WITHIN_HOURS = 26;

/** What the machine's tasks use. */
export type InferenceResources = InferenceFunctions & InferenceJobs;

export function createMachine(
  instance: string,
  settings: InferenceSettings,
  resources: InferenceResources,
  parent: pulumi.Resource,
): StateMachine {
  const { context, lateMinutes, schedule, transform } = settings;
  return new StateMachine(
    `${instance}-steps`,
    {
      context,
      description: "Scores days in batch",
      definition: definition(settings, resources),
      permissions: permissions(settings, resources),
      lateMinutes,
      ...(schedule.enabled ? { expectedWithinHours: EXPECTED_WITHIN_HOURS } : {}),
      ...(transform.machine ? { transform: transform.machine } : {}),
    },
    { parent },
  );
}

function definition(
  { context, account, glue, transformJob, backfill }: InferenceSettings,
  { plan, batchGate, extractJob, loadJob }: InferenceResources,
): pulumi.Output<Definition> {
  return pulumi
    .output({
      notices: noticesOf(context, account),
      keyArn: context.key.arn,
      plan: { arn: plan.arn, timeoutSeconds: PLAN_TIMEOUT_SECONDS },
      batchGate: { arn: batchGate.arn, timeoutSeconds: GATE_TIMEOUT_SECONDS },
      extractJob: extractJob.jobName,
      loadJob: loadJob.jobName,
    })
    .apply((known) =>
      inferenceDefinition({
        ...known,
        glueTimeoutMinutes: glue.timeoutMinutes,
        transformJob,
        maxBackfillDays: backfill.maxDays,
        mapConcurrency: backfill.concurrency,
      }),
    );
}

function permissions(
  { datasets, account }: InferenceSettings,
  { plan, batchGate, extractJob, loadJob }: InferenceResources,
): Statement[] {
  // A transform works with the role of its model, which was passed when the model was created.
  const transforms = [...sagemakerArns("transform-job", datasets, account), ...sagemakerArns("model", datasets, account)];
  return [
    callFunctions([plan, batchGate]),
    runJobs([extractJob, loadJob]),
    ...runSagemakerJobs("Transform", transforms, account),
  ];
}

/** A schedule per dataset; none for files, since somebody must name the file. */
export function scheduleNights(
  instance: string,
  { context, account, datasets, schedule }: InferenceSettings,
  machine: StateMachine,
  parent: pulumi.Resource,
): Starter | undefined {
  const scheduled = datasets.filter(({ source }) => source.kind !== "files");
  if (scheduled.length === 0) return undefined;
  const starter = new Starter(`${instance}-start`, { context, account, machines: [machine] }, { parent });
  for (const { name } of scheduled) {
    starter.start(`schedule-${name}`, {
      description: `Scores yesterday's ${name} in batch`,
      machine,
      when: { schedule: schedule.cron, enabled: schedule.enabled },
      // Until a model has been trained and approved, there is nothing to score at night.
      input: { text: JSON.stringify({ dataset: name, scheduled: true }) },
    });
  }
  return starter;
}
