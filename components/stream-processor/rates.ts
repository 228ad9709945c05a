/** The exchange rates that a stream processor converts amounts with, and an alarm about their age. */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import { Parameter } from "@pulumi/aws/ssm";
import type * as pulumi from "@pulumi/pulumi";
import { problemText } from "../../functions/scoring/core/problems";
import { parseRates } from "../../functions/scoring/core/rates";
import { alarm } from "../shared/alarms";
import { environmentOf } from "../shared/naming";
import { METRIC_NAMESPACE } from "./scorer";
import type { StreamSettings } from "./settings";

/** @throws Error when the table is invalid, or larger than a standard parameter */
export function ratesParameter(instance: string, { names, rates }: StreamSettings, parent: pulumi.Resource): Parameter {
  const value = JSON.stringify(rates);
  const result = parseRates(value);
  if (!result.ok) throw new Error(`The table of exchange rates is invalid: ${problemText(result.problems)}`);
  return new Parameter(
    `${instance}-rates`,
    {
      name: `${names.parameterPath}/rates`,
      type: "String",
      description: "Reference currency and exchange rates; read by running functions",
      value,
    },
    { parent },
  );
}

/** The metric is there only while amounts are converted. */
export function rateAgeAlarm(
  instance: string,
  { context, profile, rateMaxAgeDays }: StreamSettings,
  parent: pulumi.Resource,
): MetricAlarm {
  return alarm(
    `${instance}-rate-age`,
    { parent, topicArn: context.alarmTopicArn },
    {
      alarmDescription: `Amounts are converted with exchange rates of more than ${rateMaxAgeDays} days ago: put newer ones into the stack's config (rates with as_of) or into the parameter.`,
      namespace: METRIC_NAMESPACE,
      metricName: "RateAgeDays",
      dimensions: { Environment: environmentOf(context.naming), Profile: profile.id },
      statistic: "Maximum",
      period: 3600,
      evaluationPeriods: 1,
      threshold: rateMaxAgeDays,
    },
  );
}
