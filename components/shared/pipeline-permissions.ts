/** What a state machine's role needs for the pipelines' tasks. https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html */
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account";
import type { PlatformFunction } from "./function";
import type { Statement } from "./iam";
import type { GlueJob } from "./pipeline-glue-job";

export function callFunctions(functions: readonly PlatformFunction[]): Statement {
  return { sid: "CallFunctions", actions: ["lambda:InvokeFunction"], resources: functions.map(({ arn }) => arn) };
}

/** Start, follow and stop runs. */
export function runJobs(jobs: readonly GlueJob[]): Statement {
  return {
    sid: "RunJobs",
    actions: ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
    resources: jobs.map(({ arn }) => arn),
  };
}

/** ARNs of SageMaker resources whose names begin with a dataset's. */
export function sagemakerArns(
  kind: "training-job" | "transform-job" | "model",
  datasets: readonly { readonly name: string }[],
  { partition, region, accountId }: Account,
): pulumi.Output<string>[] {
  return datasets.map(({ name }) => pulumi.interpolate`arn:${partition}:sagemaker:${region}:${accountId}:${kind}/${name}-*`);
}

/** Start, follow and stop jobs; Step Functions learns of their end through a rule of its own. */
export function runSagemakerJobs(
  kind: "Training" | "Transform",
  jobs: readonly pulumi.Input<string>[],
  { partition, region, accountId }: Account,
): Statement[] {
  const rule = `StepFunctionsGetEventsForSageMaker${kind}JobsRule`;
  return [
    {
      sid: `Run${kind}Jobs`,
      // It also tags the job as started by Step Functions.
      actions: [`sagemaker:Create${kind}Job`, `sagemaker:Describe${kind}Job`, `sagemaker:Stop${kind}Job`, "sagemaker:AddTags"],
      resources: jobs,
    },
    {
      sid: `Hear${kind}Jobs`,
      actions: ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
      resources: [pulumi.interpolate`arn:${partition}:events:${region}:${accountId}:rule/${rule}`],
    },
  ];
}

/** Passes roles to SageMaker and to no other service. */
export function passRoles(roles: readonly Role[]): Statement {
  return {
    sid: "PassRoles",
    actions: ["iam:PassRole"],
    resources: roles.map(({ arn }) => arn),
    conditions: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
  };
}
