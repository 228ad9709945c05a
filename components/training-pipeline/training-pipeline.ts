/**
 * Trains models on a schedule and puts an approved one in front of traffic: Step Functions, Glue, SageMaker, Model Registry.
 */
import type { Role } from "@pulumi/aws/iam";
import { ModelPackageGroup } from "@pulumi/aws/sagemaker";
import * as pulumi from "@pulumi/pulumi";
import { type Account, currentAccount } from "../shared/account";
import { MAX_LENGTH, physicalName } from "../shared/naming";
import { GlueJob } from "../shared/pipeline-glue-job";
import { type TrainingImage, xgboostImage } from "../shared/pipeline-image";
import { callFunctions, passRoles, runJobs, runSagemakerJobs, sagemakerArns } from "../shared/pipeline-permissions";
import { Starter } from "../shared/pipeline-schedules";
import type { Notices } from "../shared/pipeline-states";
import { StateMachine } from "../shared/state-machine";
import type { TrainingPipelineArgs } from "./args";
import { trainingDefinition } from "./definition";
import { createFunctions, TIMEOUT_SECONDS, type TrainingFunctions } from "./functions";
import { promotionDefinition } from "./promotion-definition";
import { createModelRole, createTrainingRole } from "./roles";

/** Group in the registry by dataset. */
type ModelGroups = Readonly<Record<string, ModelPackageGroup>>;

export class TrainingPipeline extends pulumi.ComponentResource {
  readonly trainingMachineArn: pulumi.Output<string>;
  readonly promotionMachineArn: pulumi.Output<string>;
  /** Group in the Model Registry by dataset. */
  readonly modelGroups: Readonly<Record<string, pulumi.Output<string>>>;
  /** The role that models are served with; batch transform works as it. */
  readonly modelRole: Role;
  readonly nodes: {
    readonly functions: TrainingFunctions;
    readonly extractJob: GlueJob;
    readonly groups: ModelGroups;
    readonly trainingRole: Role;
    readonly trainingMachine: StateMachine;
    readonly promotionMachine: StateMachine;
    readonly starter: Starter;
  };
  private readonly account: Account;
  private readonly image: TrainingImage;

  constructor(
    private readonly instance: string,
    private readonly args: TrainingPipelineArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:pipelines:TrainingPipeline", instance, {}, opts);
    this.validate();
    this.account = currentAccount(this);
    this.image = xgboostImage(args.region);
    const functions = createFunctions(instance, args, this.account, this);
    const extractJob = this.createExtractJob();
    const groups = this.createGroups();
    const trainingRole = createTrainingRole(instance, args, this.image, this.account, this);
    this.modelRole = createModelRole(instance, args, this.image, this.account, this);
    const trainingMachine = this.createTrainingMachine(functions, extractJob, groups, trainingRole);
    const promotionMachine = this.createPromotionMachine(functions);
    const starter = new Starter(
      `${instance}-start`,
      { context: args.context, account: this.account, machines: [trainingMachine, promotionMachine] },
      { parent: this },
    );
    this.scheduleTrainings(starter, trainingMachine);
    this.startOnApproval(starter, promotionMachine, groups);
    this.trainingMachineArn = trainingMachine.arn;
    this.promotionMachineArn = promotionMachine.arn;
    this.modelGroups = Object.fromEntries(
      Object.entries(groups).map(([dataset, { modelPackageGroupName }]) => [dataset, modelPackageGroupName]),
    );
    this.nodes = { functions, extractJob, groups, trainingRole, trainingMachine, promotionMachine, starter };
    this.registerOutputs({
      trainingMachineArn: this.trainingMachineArn,
      promotionMachineArn: this.promotionMachineArn,
      modelGroups: this.modelGroups,
    });
  }

  private validate(): void {
    const { datasets, models, training } = this.args;
    const without = datasets.filter(({ name }) => models[name] === undefined).map(({ name }) => name);
    if (datasets.length === 0 || without.length > 0) {
      throw new Error(
        `TrainingPipeline "${this.instance}": args.datasets must name at least one dataset, each with its models' parameter in args.models` +
          `${without.length === 0 ? "; got none." : `; ${without.join(", ")} has none.`}`,
      );
    }
    if (training.spot.enabled && training.spot.maxWaitMinutes < training.maxRuntimeMinutes) {
      throw new Error(
        `TrainingPipeline "${this.instance}": args.training.spot.maxWaitMinutes is ${training.spot.maxWaitMinutes}; SageMaker counts the work into ` +
          `the wait, so set it to args.training.maxRuntimeMinutes (${training.maxRuntimeMinutes}) or more.`,
      );
    }
  }

  private createExtractJob(): GlueJob {
    const { context, naming, store, glue, datasets, warehouse, transform } = this.args;
    return new GlueJob(
      `${this.instance}-extract`,
      {
        context,
        naming,
        account: this.account,
        store,
        description: "Extracts a training set",
        script: "extract_training_data.py",
        size: glue,
        maxConcurrentRuns: Math.max(2, datasets.length),
        reads: ["training/source/"],
        replaces: ["training/data/", "temp/"],
        warehouse,
        ...(transform?.extractJob ? { transform: transform.extractJob } : {}),
      },
      { parent: this },
    );
  }

  private groupName(dataset: string): { readonly name: string; readonly prefix: string; readonly suffix: string } {
    const name = physicalName(`${this.instance}-${dataset}`, this.args.naming, MAX_LENGTH.bucket);
    const prefix = `${this.instance}-`;
    return { name, prefix, suffix: name.slice(prefix.length + dataset.length) };
  }

  private createGroups(): ModelGroups {
    const { datasets, context } = this.args;
    const group = (dataset: string): ModelPackageGroup =>
      new ModelPackageGroup(
        `${this.instance}-${dataset}-models`,
        {
          modelPackageGroupName: this.groupName(dataset).name,
          modelPackageGroupDescription: `Trained models of dataset ${dataset}`,
        },
        { parent: this, protect: context.deletionProtection },
      );
    return Object.fromEntries(datasets.map(({ name }) => [name, group(name)]));
  }

  private notices(): pulumi.Output<Notices> {
    const { context, region } = this.args;
    return pulumi.output({ topicArn: context.alarmTopicArn, region, partition: this.account.partition });
  }

  private createTrainingMachine(
    functions: TrainingFunctions,
    extractJob: GlueJob,
    groups: ModelGroups,
    trainingRole: Role,
  ): StateMachine {
    const { context, naming, datasets, store, glue, training, servingInstanceType, lateMinutes, transform } = this.args;
    const timed = (fn: keyof typeof TIMEOUT_SECONDS) => ({ arn: functions[fn].arn, timeoutSeconds: TIMEOUT_SECONDS[fn] });
    const { prefix, suffix } = this.groupName(datasets[0]?.name ?? "");
    const definition = pulumi
      .output({
        notices: this.notices(),
        keyArn: context.key.arn,
        functions: { plan: timed("plan"), qualityGate: timed("qualityGate"), evaluationGate: timed("evaluationGate") },
        jobName: extractJob.jobName,
        trainingRoleArn: trainingRole.arn,
        modelRoleArn: this.modelRole.arn,
      })
      .apply(({ jobName, ...known }) =>
        trainingDefinition({
          ...known,
          bucket: store.bucketName,
          extractJob: { name: jobName, timeoutMinutes: glue.timeoutMinutes },
          training,
          image: this.image.uri,
          sourcesKey: store.sagemakerKey,
          group: { prefix, suffix },
          servingInstanceType,
        }),
      );
    const trainingJobs = sagemakerArns("training-job", datasets, this.account);
    return new StateMachine(
      `${this.instance}-steps`,
      {
        context,
        naming,
        description: "Trains models",
        definition,
        permissions: [
          callFunctions([functions.plan, functions.qualityGate, functions.evaluationGate]),
          runJobs([extractJob]),
          ...runSagemakerJobs("Training", trainingJobs, this.account),
          {
            sid: "CreateModels",
            actions: ["sagemaker:CreateModel", "sagemaker:AddTags"],
            resources: sagemakerArns("model", datasets, this.account),
          },
          {
            sid: "RegisterVersions",
            actions: ["sagemaker:CreateModelPackage", "sagemaker:AddTags"],
            resources: this.versionArns(groups),
          },
          passRoles([trainingRole, this.modelRole]),
        ],
        lateMinutes,
        ...(transform?.trainingMachine ? { transform: transform.trainingMachine } : {}),
      },
      { parent: this },
    );
  }

  /** The groups and the versions in them. */
  private versionArns(groups: ModelGroups): pulumi.Output<string>[] {
    const { partition, region, accountId } = this.account;
    return Object.values(groups).flatMap(({ modelPackageGroupName, arn }) => [
      arn,
      pulumi.interpolate`arn:${partition}:sagemaker:${region}:${accountId}:model-package/${modelPackageGroupName}/*`,
    ]);
  }

  private createPromotionMachine({ promotion }: TrainingFunctions): StateMachine {
    const { context, naming, canary, lateMinutes, transform, datasets } = this.args;
    const canarySeconds = canary.minutes * 60;
    const definition = pulumi
      .output({ notices: this.notices(), arn: promotion.arn })
      .apply(({ notices, arn }) =>
        promotionDefinition({ notices, promotion: { arn, timeoutSeconds: TIMEOUT_SECONDS.promotion }, canarySeconds }),
      );
    const { partition, region, accountId } = this.account;
    return new StateMachine(
      `${this.instance}-promotion-steps`,
      {
        context,
        naming,
        description: "Promotes approved models",
        definition,
        permissions: [
          callFunctions([promotion]),
          {
            sid: "DescribeVersions",
            actions: ["sagemaker:DescribeModelPackage"],
            resources: datasets.map(
              ({ name }) =>
                pulumi.interpolate`arn:${partition}:sagemaker:${region}:${accountId}:model-package/${this.groupName(name).name}/*`,
            ),
          },
        ],
        lateMinutes: lateMinutes + canary.minutes,
        ...(transform?.promotionMachine ? { transform: transform.promotionMachine } : {}),
      },
      { parent: this },
    );
  }

  private scheduleTrainings(starter: Starter, machine: StateMachine): void {
    const { datasets, schedule, scheduleEnabled } = this.args;
    for (const { name } of datasets.filter(({ source }) => source.kind !== "files")) {
      starter.start(`schedule-${name}`, {
        description: `Trains a model on ${name}`,
        machine,
        when: { schedule, enabled: scheduleEnabled },
        input: { text: JSON.stringify({ dataset: name }) },
      });
    }
  }

  private startOnApproval(starter: Starter, machine: StateMachine, groups: ModelGroups): void {
    starter.start("approved", {
      description: "Promotes a model version that somebody approved",
      machine,
      when: {
        eventPattern: pulumi.jsonStringify({
          source: ["aws.sagemaker"],
          "detail-type": ["SageMaker Model Package State Change"],
          detail: {
            ModelApprovalStatus: ["Approved"],
            ModelPackageGroupName: Object.values(groups).map(({ modelPackageGroupName }) => modelPackageGroupName),
          },
        }),
      },
      input: {
        transformer: {
          inputPaths: { arn: "$.detail.ModelPackageArn" },
          inputTemplate: '{"modelPackageArn": <arn>}',
        },
      },
    });
  }
}
