/** The warehouse's daily cost limit, and an alarm before it is reached. */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import { UsageLimit, type Workgroup } from "@pulumi/aws/redshiftserverless";
import type * as pulumi from "@pulumi/pulumi";
import { alarm } from "../shared/alarms";
import type { WarehouseSettings } from "./settings";

/** Percentage of the limit at which the alarm is raised. */
const ALARM_PERCENT = 80;

/** @returns the alarm */
export function limitUsage(
  instance: string,
  { context, usageLimit: { rpuHoursPerDay, action } }: WarehouseSettings,
  workgroup: Workgroup,
  parent: pulumi.Resource,
): MetricAlarm {
  const limit = new UsageLimit(
    `${instance}-usage-limit`,
    {
      resourceArn: workgroup.arn,
      usageType: "serverless-compute",
      amount: rpuHoursPerDay,
      period: "daily",
      breachAction: action,
    },
    { parent },
  );
  return alarm(
    `${instance}-usage`,
    { parent, topicArn: context.alarmTopicArn },
    {
      alarmDescription: `The warehouse has used ${ALARM_PERCENT} % of its ${rpuHoursPerDay} RPU-hours of today (risk:warehouse.dailyRpuHours).`,
      // https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-monitoring.html; whole RPU-hours.
      namespace: "AWS/Redshift-Serverless",
      metricName: "UsageLimitConsumed",
      dimensions: { UsageLimitId: limit.id, UsageType: "SERVERLESS_COMPUTE", Workgroup: workgroup.workgroupName },
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      statistic: "Maximum",
      period: 300,
      evaluationPeriods: 1,
      threshold: Math.ceil((rpuHoursPerDay * ALARM_PERCENT) / 100),
    },
  );
}
