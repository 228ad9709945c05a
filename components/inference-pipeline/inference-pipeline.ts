/**
 * Scores the previous day in batch with the champion every night, and any range of days on demand: Step Functions, Glue, Batch Transform.
 */
import * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "../shared/context";
import type { Starter } from "../shared/pipeline-schedules";
import type { StateMachine } from "../shared/state-machine";
import type { InferencePipelineArgs } from "./args";
import { createFunctions } from "./functions";
import { createJobs } from "./jobs";
import { createMachine, type InferenceResources, scheduleNights } from "./machine";
import { inferenceSettings } from "./settings";

export class InferencePipeline extends pulumi.ComponentResource {
  readonly machineArn: pulumi.Output<string>;
  /** What other components of the stack can share. */
  readonly context: PlatformContext;
  readonly nodes: InferenceResources & {
    readonly machine: StateMachine;
    /** Undefined when all datasets are files. */
    readonly starter: Starter | undefined;
  };

  constructor(instance: string, args: InferencePipelineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:pipelines:InferencePipeline", instance, {}, opts);
    const settings = inferenceSettings(instance, args, this);
    const resources = { ...createFunctions(instance, settings, this), ...createJobs(instance, settings, this) };
    const machine = createMachine(instance, settings, resources, this);
    const starter = scheduleNights(instance, settings, machine, this);

    this.machineArn = machine.arn;
    this.context = settings.context;
    this.nodes = { ...resources, machine, starter };
    this.registerOutputs({ machineArn: this.machineArn });
  }
}
