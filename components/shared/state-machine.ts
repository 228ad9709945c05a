/** A Standard state machine with a role, a log group and alarms of its own. */
import { LogGroup, type MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Role, RolePolicy } from "@pulumi/aws/iam";
import { StateMachine as SfnStateMachine, type StateMachineArgs as SfnStateMachineArgs } from "@pulumi/aws/sfn";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmArgs, type AlarmContext, alarm } from "./alarms";
import type { PlatformContext } from "./context";
import { grant, mergeStatements, type Statement, serviceRole } from "./iam";
import { physicalName } from "./naming";
import type { Definition } from "./pipeline-states";
import { type Transform, withTransform } from "./transform";

export interface StateMachineArgs {
  readonly context: PlatformContext;
  readonly description: string;
  readonly definition: pulumi.Input<Definition>;
  /** Permissions for what its tasks call, in addition to logs, traces and notices on the alarm topic. */
  readonly permissions: readonly Statement[];
  /** Minutes after which an execution counts as late. */
  readonly lateMinutes: number;
  /** Hours without a success, after the first one, that raise an alarm, 1 to 168; for scheduled machines. Default: no such alarm. */
  readonly expectedWithinHours?: number;
  readonly transform?: Transform<SfnStateMachineArgs>;
}

/** Longest name that CloudWatch accepts; `/aws/vendedlogs/` keeps the account's one policy for log deliveries short. */
const MAX_LOG_NAME = 80;

export class StateMachine extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly role: Role;
  /** Whatever starts executions must wait for the permissions: depend on this. */
  readonly policy: RolePolicy;
  readonly nodes: { readonly machine: SfnStateMachine; readonly logGroup: LogGroup; readonly alarms: readonly MetricAlarm[] };

  constructor(name: string, args: StateMachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:StateMachine", name, {}, opts);
    const { context, description } = args;
    const child = { parent: this };
    const logGroup = new LogGroup(
      `${name}-logs`,
      {
        name: `/aws/vendedlogs/states/${physicalName(name, context.naming, MAX_LOG_NAME)}`,
        retentionInDays: context.logRetentionDays,
        kmsKeyId: context.key.arn,
      },
      child,
    );
    this.role = serviceRole(`${name}-role`, { service: "states.amazonaws.com", description }, child);
    this.policy = grant(
      `${name}-permissions`,
      this.role,
      mergeStatements([...ownStatements(context), ...args.permissions]),
      child,
    );
    const machine = new SfnStateMachine(
      `${name}-machine`,
      withTransform<SfnStateMachineArgs, Partial<SfnStateMachineArgs>>(
        {
          roleArn: this.role.arn,
          definition: pulumi.output(args.definition).apply((definition) => JSON.stringify(definition)),
        },
        args.transform,
        {
          roleArn: this.role.arn,
          type: "STANDARD",
          // Only names of objects, counts and metrics: no personal records pass through a machine, so its data may be logged.
          loggingConfiguration: {
            level: "ALL",
            includeExecutionData: true,
            logDestination: pulumi.interpolate`${logGroup.arn}:*`,
          },
          tracingConfiguration: { enabled: true },
          encryptionConfiguration: {
            type: "CUSTOMER_MANAGED_KMS_KEY",
            kmsKeyId: context.key.arn,
            kmsDataKeyReusePeriodSeconds: 300,
          },
        },
      ),
      // Step Functions tries the log group and the key with the role before it creates the machine.
      { ...child, dependsOn: [this.policy] },
    );
    this.arn = machine.arn;
    this.nodes = { machine, logGroup, alarms: createAlarms(name, args, machine, this) };
    this.registerOutputs({ arn: this.arn });
  }
}

function ownStatements(context: PlatformContext): Statement[] {
  return [
    {
      sid: "DeliverLogs",
      // The actions that Step Functions tries before it creates the machine, on any resource. https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
      actions: [
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
      ],
      resources: ["*"],
    },
    {
      sid: "WriteTraces",
      actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
      resources: ["*"],
    },
    { sid: "SendNotices", actions: ["sns:Publish"], resources: [context.alarmTopicArn] },
    context.key.useStatement(),
  ];
}

function createAlarms(
  name: string,
  { context, lateMinutes, expectedWithinHours }: StateMachineArgs,
  machine: SfnStateMachine,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  const metric = { namespace: "AWS/States", dimensions: { StateMachineArn: machine.arn } };
  const any = (suffix: string, metricName: string, alarmDescription: string): MetricAlarm =>
    alarm(`${name}-${suffix}`, alarms, {
      ...metric,
      alarmDescription,
      metricName,
      statistic: "Sum",
      period: 300,
      evaluationPeriods: 1,
      threshold: 0,
    });
  return [
    any("failed", "ExecutionsFailed", "An execution failed; a notice said at which step and what to do."),
    any("timed-out", "ExecutionsTimedOut", "An execution took longer than all its steps may take together."),
    any("aborted", "ExecutionsAborted", "Somebody stopped an execution."),
    alarm(`${name}-late`, alarms, {
      ...metric,
      alarmDescription: `An execution took more than ${lateMinutes} minutes.`,
      metricName: "ExecutionTime",
      statistic: "Maximum",
      period: 300,
      evaluationPeriods: 1,
      threshold: lateMinutes * 60_000,
    }),
    ...(expectedWithinHours === undefined
      ? []
      : [
          alarm(`${name}-missing`, alarms, {
            ...missing(metric, expectedWithinHours),
            insufficientDataActions: [context.alarmTopicArn],
          }),
        ]),
  ];
}

/**
 * No success for that long. Alarms with hourly periods may look back a week. The metric only has a value when an execution succeeded, so
 * the alarm runs out of data instead of going off: a new alarm starts without data and notifies nobody, and after the first success
 * the change back to that state is what notifies.
 */
function missing(metric: Pick<AlarmArgs, "namespace" | "dimensions">, hours: number): AlarmArgs {
  return {
    ...metric,
    alarmDescription: `No execution has succeeded in ${hours} hours.`,
    metricName: "ExecutionsSucceeded",
    statistic: "Sum",
    comparisonOperator: "LessThanThreshold",
    period: 3600,
    evaluationPeriods: hours,
    threshold: 1,
    treatMissingData: "missing",
  };
}
