import type { AlarmState, TreatMissing } from "./evaluation";

/** One entry of an alarm's or request's metric data queries. */
export interface MetricQuery {
  readonly Id: string;
  readonly Expression?: string | undefined;
  readonly Label?: string | undefined;
  readonly ReturnData: boolean;
  readonly MetricStat?:
    | {
        readonly Namespace: string;
        readonly MetricName: string;
        readonly Dimensions: Readonly<Record<string, string>>;
        readonly Period: number;
        readonly Stat: string;
        readonly Unit?: string | undefined;
      }
    | undefined;
}

export interface Alarm {
  readonly name: string;
  readonly description: string | undefined;
  readonly actionsEnabled: boolean;
  readonly actions: Readonly<Record<AlarmState, readonly string[]>>;
  readonly queries: readonly MetricQuery[];
  /** Whether the alarm was given as one metric instead of queries. */
  readonly single: boolean;
  readonly period: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: string;
  readonly treatMissing: TreatMissing;
}

export interface AlarmStatus {
  readonly state: AlarmState;
  readonly reason: string;
  readonly updatedMs: number;
}

export interface StoredAlarm {
  readonly alarm: Alarm;
  readonly status: AlarmStatus;
}

/** Names that AWS shows in alarm messages; other regions show their code. */
const regionNames: Readonly<Record<string, string>> = {
  "us-east-1": "US East (N. Virginia)",
  "us-west-2": "US West (Oregon)",
  "eu-west-1": "EU (Ireland)",
  "eu-central-1": "EU (Frankfurt)",
};

function dimensionList(dimensions: Readonly<Record<string, string>>): { readonly value: string; readonly name: string }[] {
  return Object.entries(dimensions).map(([name, value]) => ({ value, name }));
}

/** Subject and JSON text of the notification that AWS sends for a state change. */
export function alarmMessage(
  alarm: Alarm,
  arn: string,
  region: string,
  accountId: string,
  before: AlarmState,
  now: AlarmStatus,
): { readonly subject: string; readonly text: string } {
  const regionName = regionNames[region] ?? region;
  const stat = alarm.queries[0]?.MetricStat;
  const metric =
    alarm.single && stat !== undefined
      ? {
          MetricName: stat.MetricName,
          Namespace: stat.Namespace,
          ...(/^p\d/.test(stat.Stat)
            ? { StatisticType: "ExtendedStatistic", ExtendedStatistic: stat.Stat }
            : { StatisticType: "Statistic", Statistic: stat.Stat.toUpperCase() }),
          Unit: stat.Unit ?? null,
          Dimensions: dimensionList(stat.Dimensions),
        }
      : {
          Metrics: alarm.queries.map((query) => ({
            ...query,
            MetricStat: query.MetricStat && {
              Metric: {
                Dimensions: dimensionList(query.MetricStat.Dimensions),
                MetricName: query.MetricStat.MetricName,
                Namespace: query.MetricStat.Namespace,
              },
              Period: query.MetricStat.Period,
              Stat: query.MetricStat.Stat,
            },
          })),
        };
  const text = JSON.stringify({
    AlarmName: alarm.name,
    AlarmDescription: alarm.description ?? null,
    AWSAccountId: accountId,
    NewStateValue: now.state,
    NewStateReason: now.reason,
    StateChangeTime: new Date(now.updatedMs).toISOString().replace("Z", "+0000"),
    Region: regionName,
    AlarmArn: arn,
    OldStateValue: before,
    OKActions: alarm.actions.OK,
    AlarmActions: alarm.actions.ALARM,
    InsufficientDataActions: alarm.actions.INSUFFICIENT_DATA,
    Trigger: {
      ...metric,
      Period: alarm.period,
      EvaluationPeriods: alarm.evaluationPeriods,
      DatapointsToAlarm: alarm.datapointsToAlarm,
      ComparisonOperator: alarm.comparison,
      Threshold: alarm.threshold,
      TreatMissingData: alarm.treatMissing,
    },
  });
  return { subject: `${now.state}: "${alarm.name}" in ${regionName}`.slice(0, 100), text };
}
