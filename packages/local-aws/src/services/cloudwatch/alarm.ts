import { AwsError } from "../../contracts";
import type { AlarmState, TreatMissing } from "./evaluation";

export interface NameValue {
  readonly Name: string;
  readonly Value: string;
}

export interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly NameValue[];
}

/** One of an alarm's or request's metric data queries, as the API spells them. */
export interface MetricQuery {
  readonly Id: string;
  readonly Expression?: string | undefined;
  readonly Label?: string | undefined;
  readonly ReturnData: boolean;
  readonly MetricStat?:
    | { readonly Metric: Metric; readonly Period: number; readonly Stat: string; readonly Unit?: string | undefined }
    | undefined;
}

/** An alarm on one metric. */
interface SingleMetric extends Metric {
  readonly Statistic: string;
  readonly Period: number;
  readonly Unit?: string | undefined;
}

/** As PutMetricAlarm takes it and DescribeAlarms tells it. */
export type Alarm = {
  readonly AlarmName: string;
  readonly AlarmDescription?: string | undefined;
  readonly ActionsEnabled: boolean;
  readonly OKActions: readonly string[];
  readonly AlarmActions: readonly string[];
  readonly InsufficientDataActions: readonly string[];
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: TreatMissing;
} & (SingleMetric | { readonly Metrics: readonly MetricQuery[] });

export interface AlarmStatus {
  readonly state: AlarmState;
  readonly reason: string;
  readonly updatedMs: number;
}

export interface StoredAlarm {
  readonly alarm: Alarm;
  readonly status: AlarmStatus;
}

export function queriesOf(alarm: Alarm): readonly MetricQuery[] {
  if ("Metrics" in alarm) return alarm.Metrics;
  const { Namespace, MetricName, Dimensions, Period, Statistic: Stat, Unit } = alarm;
  return [{ Id: "m1", ReturnData: true, MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat, Unit } }];
}

export function actionsOf(alarm: Alarm, state: AlarmState): readonly string[] {
  return { OK: alarm.OKActions, ALARM: alarm.AlarmActions, INSUFFICIENT_DATA: alarm.InsufficientDataActions }[state];
}

/** The one period (seconds) of a set of queries. Queries of different periods are refused. */
export function commonPeriod(queries: readonly MetricQuery[]): number {
  const periods = new Set(queries.flatMap(({ MetricStat }) => MetricStat?.Period ?? []));
  const [period] = periods;
  if (period === undefined || periods.size > 1)
    throw new AwsError("ValidationError", `The metrics must share one Period, got ${[...periods].join(", ") || "none"}.`);
  return period;
}

/** Names that AWS shows in alarm messages; other regions show their code. */
const regionNames: Readonly<Record<string, string>> = {
  "us-east-1": "US East (N. Virginia)",
  "us-west-2": "US West (Oregon)",
  "eu-west-1": "EU (Ireland)",
  "eu-central-1": "EU (Frankfurt)",
};

const dimensionList = (dimensions: readonly NameValue[]) => dimensions.map(({ Name, Value }) => ({ value: Value, name: Name }));

function triggerOf(alarm: Alarm): object {
  if ("Metrics" in alarm)
    return {
      Metrics: alarm.Metrics.map(({ MetricStat, ...query }) => ({
        ...query,
        MetricStat: MetricStat && {
          Metric: { ...MetricStat.Metric, Dimensions: dimensionList(MetricStat.Metric.Dimensions) },
          Period: MetricStat.Period,
          Stat: MetricStat.Stat,
        },
      })),
    };
  return {
    MetricName: alarm.MetricName,
    Namespace: alarm.Namespace,
    StatisticType: "Statistic",
    Statistic: alarm.Statistic.toUpperCase(),
    Unit: alarm.Unit ?? null,
    Dimensions: dimensionList(alarm.Dimensions),
  };
}

/** Subject and JSON text of the notification that AWS sends for a state change. */
export function alarmMessage(
  alarm: Alarm,
  arn: string,
  { region, accountId }: { readonly region: string; readonly accountId: string },
  before: AlarmState,
  now: AlarmStatus,
): { readonly subject: string; readonly text: string } {
  const regionName = regionNames[region] ?? region;
  const text = JSON.stringify({
    AlarmName: alarm.AlarmName,
    AlarmDescription: alarm.AlarmDescription ?? null,
    AWSAccountId: accountId,
    NewStateValue: now.state,
    NewStateReason: now.reason,
    StateChangeTime: new Date(now.updatedMs).toISOString().replace("Z", "+0000"),
    Region: regionName,
    AlarmArn: arn,
    OldStateValue: before,
    OKActions: alarm.OKActions,
    AlarmActions: alarm.AlarmActions,
    InsufficientDataActions: alarm.InsufficientDataActions,
    Trigger: {
      ...triggerOf(alarm),
      Period: commonPeriod(queriesOf(alarm)),
      EvaluationPeriods: alarm.EvaluationPeriods,
      DatapointsToAlarm: alarm.DatapointsToAlarm,
      ComparisonOperator: alarm.ComparisonOperator,
      Threshold: alarm.Threshold,
      TreatMissingData: alarm.TreatMissingData,
    },
  });
  return { subject: `${now.state}: "${alarm.AlarmName}" in ${regionName}`.slice(0, 100), text };
}
