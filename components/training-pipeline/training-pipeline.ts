/**
 * Trains models on a schedule and promotes the approved ones: Step Functions, Glue, SageMaker, Model Registry.
 */
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "../shared/context";
import type { GlueJob } from "../shared/pipeline-glue-job";
import { Starter } from "../shared/pipeline-schedules";
import type { PipelineStore } from "../shared/pipeline-store";
import type { StateMachine } from "../shared/state-machine";
import type { TrainingPipelineArgs } from "./args";
import { createExtractJob } from "./extract-job";
import { createFunctions, type TrainingFunctions } from "./functions";
import { createGroups, type ModelGroups } from "./groups";
import { createPromotionMachine } from "./promotion-machine";
import { createModelRole, createTrainingRole } from "./roles";
import { trainingSettings } from "./settings";
import { promoteOnApproval, scheduleTrainings } from "./starts";
import { createTrainingMachine } from "./training-machine";

export class TrainingPipeline extends pulumi.ComponentResource {
  readonly trainingMachineArn: pulumi.Output<string>;
  readonly promotionMachineArn: pulumi.Output<string>;
  /** Group in the Model Registry by dataset. */
  readonly modelGroups: Readonly<Record<string, pulumi.Output<string>>>;
  /** The role that models are served with; batch transform works with it. */
  readonly modelRole: Role;
  /** The bucket that batch scoring shares. */
  readonly store: PipelineStore;
  /** What other components of the stack can share. */
  readonly context: PlatformContext;
  readonly nodes: {
    readonly functions: TrainingFunctions;
    readonly extractJob: GlueJob;
    readonly groups: ModelGroups;
    readonly trainingRole: Role;
    readonly trainingMachine: StateMachine;
    readonly promotionMachine: StateMachine;
    readonly starter: Starter;
  };

  constructor(instance: string, args: TrainingPipelineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:pipelines:TrainingPipeline", instance, {}, opts);
    const settings = trainingSettings(instance, args, this);
    const { context, account } = settings;
    const functions = createFunctions(instance, settings, this);
    const extractJob = createExtractJob(instance, settings, this);
    const groups = createGroups(instance, settings, this);
    const trainingRole = createTrainingRole(instance, settings, this);
    const modelRole = createModelRole(instance, settings, this);
    const used = { functions, extractJob, groups, trainingRole, modelRole };
    const trainingMachine = createTrainingMachine(instance, settings, used, this);
    const promotionMachine = createPromotionMachine(instance, settings, functions.promotion, this);
    const machines = [trainingMachine, promotionMachine];
    const starter = new Starter(`${instance}-start`, { context, account, machines }, { parent: this });
    scheduleTrainings(starter, settings, trainingMachine);
    promoteOnApproval(starter, promotionMachine, groups);

    this.trainingMachineArn = trainingMachine.arn;
    this.promotionMachineArn = promotionMachine.arn;
    this.modelGroups = Object.fromEntries(
      Object.entries(groups).map(([dataset, { modelPackageGroupName }]) => [dataset, modelPackageGroupName]),
    );
    this.modelRole = modelRole;
    this.store = settings.store;
    this.context = context;
    this.nodes = { functions, extractJob, groups, trainingRole, trainingMachine, promotionMachine, starter };
    this.registerOutputs({
      trainingMachineArn: this.trainingMachineArn,
      promotionMachineArn: this.promotionMachineArn,
      modelGroups: this.modelGroups,
    });
  }
}
