/** The state machine that trains: its definition, filled with the names of created resources, and what its tasks may do. */
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import type { Statement } from "../shared/iam";
import type { GlueJob } from "../shared/pipeline-glue-job";
import { noticesOf } from "../shared/pipeline-notices";
import { callFunctions, passRoles, runJobs, runSagemakerJobs, sagemakerArns } from "../shared/pipeline-permissions";
import type { Definition } from "../shared/pipeline-states";
import { StateMachine } from "../shared/state-machine";
import { trainingDefinition } from "./definition";
import { TIMEOUT_SECONDS, type TrainingFunctions } from "./functions";
import { groupName, type ModelGroups, versionsOf } from "./groups";
import type { TrainingSettings } from "./settings";

/** What the machine's tasks use. */
export interface TrainingResources {
  readonly functions: TrainingFunctions;
  readonly extractJob: GlueJob;
  readonly groups: ModelGroups;
  readonly trainingRole: Role;
  readonly modelRole: Role;
}

export function createTrainingMachine(
  instance: string,
  settings: TrainingSettings,
  resources: TrainingResources,
  parent: pulumi.Resource,
): StateMachine {
  const { context, lateMinutes, transform } = settings;
  return new StateMachine(
    `${instance}-steps`,
    {
      context,
      description: "Trains models",
      definition: definition(instance, settings, resources),
      permissions: permissions(settings, resources),
      lateMinutes,
      ...(transform.trainingMachine ? { transform: transform.trainingMachine } : {}),
    },
    { parent },
  );
}

function definition(
  instance: string,
  settings: TrainingSettings,
  { functions, extractJob, trainingRole, modelRole }: TrainingResources,
): pulumi.Output<Definition> {
  const { context, datasets, store, glue, training, servingInstanceType, image } = settings;
  const timed = (fn: keyof typeof TIMEOUT_SECONDS) => ({ arn: functions[fn].arn, timeoutSeconds: TIMEOUT_SECONDS[fn] });
  const { prefix, suffix } = groupName(instance, context.naming, datasets[0]?.name ?? "");
  return pulumi
    .output({
      notices: noticesOf(settings.context, settings.account),
      keyArn: context.key.arn,
      functions: { plan: timed("plan"), qualityGate: timed("qualityGate"), evaluationGate: timed("evaluationGate") },
      jobName: extractJob.jobName,
      trainingRoleArn: trainingRole.arn,
      modelRoleArn: modelRole.arn,
      bucket: store.bucketName,
      image: image.uri,
    })
    .apply(({ jobName, ...known }) =>
      trainingDefinition({
        ...known,
        extractJob: { name: jobName, timeoutMinutes: glue.timeoutMinutes },
        training,
        sourcesKey: store.sagemakerKey,
        group: { prefix, suffix },
        servingInstanceType,
      }),
    );
}

function permissions(
  { datasets, account }: TrainingSettings,
  { functions, extractJob, groups, trainingRole, modelRole }: TrainingResources,
): Statement[] {
  return [
    callFunctions([functions.plan, functions.qualityGate, functions.evaluationGate]),
    runJobs([extractJob]),
    ...runSagemakerJobs("Training", sagemakerArns("training-job", datasets, account), account),
    {
      sid: "CreateModels",
      actions: ["sagemaker:CreateModel", "sagemaker:AddTags"],
      resources: sagemakerArns("model", datasets, account),
    },
    {
      sid: "RegisterVersions",
      actions: ["sagemaker:CreateModelPackage", "sagemaker:AddTags"],
      resources: Object.values(groups).flatMap(({ modelPackageGroupName, arn }) => [
        arn,
        versionsOf(modelPackageGroupName, account),
      ]),
    },
    passRoles([trainingRole, modelRole]),
  ];
}
