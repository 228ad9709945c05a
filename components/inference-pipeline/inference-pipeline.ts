/**
 * Scores yesterday in batch with the champion, every night, and any range of days by hand: Step Functions, Glue, Batch Transform.
 */
import * as pulumi from "@pulumi/pulumi";
import { type Account, currentAccount } from "../shared/account";
import { PlatformFunction } from "../shared/function";
import { GlueJob } from "../shared/pipeline-glue-job";
import { callFunctions, runJobs, runSagemakerJobs, sagemakerArns } from "../shared/pipeline-permissions";
import { PLAN_TIMEOUT_SECONDS, planFunction } from "../shared/pipeline-plan";
import { Starter } from "../shared/pipeline-schedules";
import { StateMachine } from "../shared/state-machine";
import type { InferencePipelineArgs } from "./args";
import { inferenceDefinition } from "./definition";

/** A manifest and a list of days. */
const GATE_TIMEOUT_SECONDS = 60;
/** Hours without a success that alarm a nightly schedule: a day, and two hours for a slow night. */
const EXPECTED_WITHIN_HOURS = 26;

export class InferencePipeline extends pulumi.ComponentResource {
  readonly machineArn: pulumi.Output<string>;
  readonly nodes: {
    readonly plan: PlatformFunction;
    readonly batchGate: PlatformFunction;
    readonly extractJob: GlueJob;
    readonly loadJob: GlueJob;
    readonly machine: StateMachine;
    readonly starter: Starter;
  };
  private readonly account: Account;

  constructor(
    private readonly instance: string,
    private readonly args: InferencePipelineArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:pipelines:InferencePipeline", instance, {}, opts);
    this.validate();
    this.account = currentAccount(this);
    const plan = this.createPlan();
    const batchGate = this.createBatchGate();
    const extractJob = this.createExtractJob();
    const loadJob = this.createLoadJob();
    const machine = this.createMachine(plan, batchGate, extractJob, loadJob);
    const starter = new Starter(
      `${instance}-start`,
      { context: args.context, account: this.account, machines: [machine] },
      { parent: this },
    );
    this.schedule(starter, machine);
    this.machineArn = machine.arn;
    this.nodes = { plan, batchGate, extractJob, loadJob, machine, starter };
    this.registerOutputs({ machineArn: this.machineArn });
  }

  private validate(): void {
    const { mapConcurrency, maxBackfillDays, datasets } = this.args;
    const bad = [
      ...(datasets.length === 0 ? ["args.datasets: expected at least one dataset, got none"] : []),
      ...(mapConcurrency < 1 || mapConcurrency > 40
        ? [`args.mapConcurrency: expected 1 to 40 (what an inline Map runs at once), got ${mapConcurrency}`]
        : []),
      // 25,000 events are all that the history of one execution holds; a day takes about fifty of them.
      ...(maxBackfillDays < 1 || maxBackfillDays > 366
        ? [`args.maxBackfillDays: expected 1 to 366, got ${maxBackfillDays}`]
        : []),
    ];
    if (bad.length > 0) throw new Error(`InferencePipeline "${this.instance}": ${bad.join("; ")}.`);
  }

  private reservedConcurrency(executions: number): { readonly reservedConcurrency?: number } {
    return this.args.reserveConcurrency ? { reservedConcurrency: executions } : {};
  }

  private createPlan(): PlatformFunction {
    const { context, store, models, bundles, maxBackfillDays, datasets } = this.args;
    return planFunction(
      `${this.instance}-plan`,
      {
        context,
        account: this.account,
        store,
        models,
        bundle: bundles.plan,
        description: "Plans batch scoring: days, model and prefixes",
        maxBackfillDays,
        // Whether the champion has an archive that a transform can run.
        reads: ["models/"],
        reservedConcurrency: this.reservedConcurrency(Math.max(2, datasets.length)).reservedConcurrency,
      },
      this,
    );
  }

  private createBatchGate(): PlatformFunction {
    const { context, store, bundles, mapConcurrency, datasets } = this.args;
    return new PlatformFunction(
      `${this.instance}-batch-gate`,
      {
        ...context,
        description: "Looks at what a day's extract found, and sums up an execution",
        bundle: bundles.batchGate,
        callbackFactory: () => require("./bundles/batch-gate/index.js").handler,
        memoryMb: 256,
        timeoutSeconds: GATE_TIMEOUT_SECONDS,
        ...this.reservedConcurrency(mapConcurrency * datasets.length),
        environment: { PIPELINE_BUCKET: store.bucketName, LOG_LEVEL: "info" },
        permissions: store.bucket.readStatements(["config/datasets/", "inference/input/"]),
      },
      { parent: this },
    );
  }

  private createExtractJob(): GlueJob {
    const { transform } = this.args;
    return new GlueJob(
      `${this.instance}-extract`,
      {
        ...this.jobArgs(),
        description: "Extracts a day's rows for batch scoring",
        script: "extract_inference_data.py",
        reads: ["training/source/"],
        replaces: ["inference/input/", "temp/"],
        ...(transform?.extractJob ? { transform: transform.extractJob } : {}),
      },
      { parent: this },
    );
  }

  private createLoadJob(): GlueJob {
    const { transform } = this.args;
    return new GlueJob(
      `${this.instance}-load`,
      {
        ...this.jobArgs(),
        description: "Loads a day's scores",
        script: "load_scores.py",
        reads: ["inference/input/", "inference/output/"],
        replaces: ["inference/scores/", "temp/"],
        ...(transform?.loadJob ? { transform: transform.loadJob } : {}),
      },
      { parent: this },
    );
  }

  /** What both jobs have in common. */
  private jobArgs() {
    const { context, naming, store, glue, warehouse, mapConcurrency, datasets } = this.args;
    const maxConcurrentRuns = mapConcurrency * datasets.length;
    return { context, naming, account: this.account, store, size: glue, warehouse, maxConcurrentRuns };
  }

  private createMachine(
    plan: PlatformFunction,
    batchGate: PlatformFunction,
    extractJob: GlueJob,
    loadJob: GlueJob,
  ): StateMachine {
    const { context, naming, region, datasets, glue, transformJob, maxBackfillDays, mapConcurrency } = this.args;
    const { lateMinutes, scheduleEnabled, transform } = this.args;
    const definition = pulumi
      .output({
        notices: pulumi.output({ topicArn: context.alarmTopicArn, region, partition: this.account.partition }),
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
          maxBackfillDays,
          mapConcurrency,
        }),
      );
    return new StateMachine(
      `${this.instance}-steps`,
      {
        context,
        naming,
        description: "Scores days in batch",
        definition,
        permissions: [
          callFunctions([plan, batchGate]),
          runJobs([extractJob, loadJob]),
          // A transform works as the role of its model, which was handed over when the model was created.
          ...runSagemakerJobs(
            "Transform",
            [...sagemakerArns("transform-job", datasets, this.account), ...sagemakerArns("model", datasets, this.account)],
            this.account,
          ),
        ],
        lateMinutes,
        ...(scheduleEnabled ? { expectedWithinHours: EXPECTED_WITHIN_HOURS } : {}),
        ...(transform?.machine ? { transform: transform.machine } : {}),
      },
      { parent: this },
    );
  }

  private schedule(starter: Starter, machine: StateMachine): void {
    const { datasets, schedule, scheduleEnabled } = this.args;
    for (const { name } of datasets.filter(({ source }) => source.kind !== "files")) {
      starter.start(`schedule-${name}`, {
        description: `Scores yesterday's ${name} in batch`,
        machine,
        when: { schedule, enabled: scheduleEnabled },
        // Until a model is trained and approved, a night has nothing to score.
        input: { text: JSON.stringify({ dataset: name, scheduled: true }) },
      });
    }
  }
}
