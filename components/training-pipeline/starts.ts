/** What starts the machines of training: a schedule per dataset, and an approval. */
import * as pulumi from "@pulumi/pulumi";
import type { Starter } from "../shared/pipeline-schedules";
import type { StateMachine } from "../shared/state-machine";
import type { ModelGroups } from "./groups";
import type { TrainingSettings } from "./settings";

export function scheduleTrainings(starter: Starter, { datasets, schedule }: TrainingSettings, machine: StateMachine): void {
  for (const { name } of datasets.filter(({ source }) => source.kind !== "files")) {
    starter.start(`schedule-${name}`, {
      description: `Trains a model on ${name}`,
      machine,
      when: { schedule: schedule.cron, enabled: schedule.enabled },
      input: { text: JSON.stringify({ dataset: name }) },
    });
  }
}

export function promoteOnApproval(starter: Starter, machine: StateMachine, groups: ModelGroups): void {
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
