import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { nameValues } from "../resource-parts";
import type { Alarm, AlarmStatus, MetricQuery } from "./alarm";
import { ALARM_STATES, type TreatMissing } from "./evaluation";
import type { MonitoringPort } from "./port";
import { commonPeriod, dimensionsOf, queriesOf } from "./queries";

const putFields = [
  "AlarmName",
  "AlarmDescription",
  "ActionsEnabled",
  "OKActions",
  "AlarmActions",
  "InsufficientDataActions",
  "MetricName",
  "Namespace",
  "Statistic",
  "ExtendedStatistic",
  "Dimensions",
  "Period",
  "Unit",
  "EvaluationPeriods",
  "DatapointsToAlarm",
  "Threshold",
  "ComparisonOperator",
  "TreatMissingData",
  "Metrics",
];

export function alarmOperations(cloudwatch: MonitoringPort): Record<string, Operation> {
  return {
    PutMetricAlarm: {
      fields: putFields,
      resource: (input) => cloudwatch.alarmArn(input.needText("AlarmName")),
      run: (input) => {
        cloudwatch.saveAlarm(alarmOf(input));
        return undefined;
      },
    },
    DescribeAlarms: {
      fields: ["AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "MaxRecords", "NextToken"],
      resource: () => cloudwatch.alarmArn("*"),
      run: (input) => {
        const names = input.texts("AlarmNames");
        const all = cloudwatch
          .alarms()
          .filter(
            ({ alarm, status }) =>
              (names === undefined || names.includes(alarm.name)) &&
              alarm.name.startsWith(input.text("AlarmNamePrefix") ?? "") &&
              (input.oneOf("StateValue", ALARM_STATES) ?? status.state) === status.state,
          );
        const shown = (input.texts("AlarmTypes") ?? ["MetricAlarm"]).includes("MetricAlarm") ? all : [];
        const { items, nextToken } = page(shown, input.text("NextToken"), input.integer("MaxRecords", 1, 100) ?? 50);
        return {
          MetricAlarms: items.map(({ alarm, status }) => describe(cloudwatch, alarm, status)),
          CompositeAlarms: [],
          NextToken: nextToken,
        };
      },
    },
  };
}

function treatMissingOf(value: string): TreatMissing {
  if (value === "missing" || value === "ignore" || value === "breaching" || value === "notBreaching") return value;
  throw new AwsError("ValidationError", `TreatMissingData ${value} must be missing, ignore, breaching or notBreaching.`);
}

/** An alarm from the members of PutMetricAlarm. */
export function alarmOf(input: Input): Alarm {
  const single = !input.has("Metrics");
  const queries: MetricQuery[] = single
    ? [
        {
          Id: "m1",
          ReturnData: true,
          MetricStat: {
            Namespace: input.needText("Namespace"),
            MetricName: input.needText("MetricName"),
            Dimensions: dimensionsOf(input),
            Period: input.needInteger("Period", 1, 86_400),
            Stat: input.text("ExtendedStatistic") ?? input.needText("Statistic"),
            Unit: input.text("Unit"),
          },
        },
      ]
    : queriesOf(input, "Metrics");
  const evaluationPeriods = input.needInteger("EvaluationPeriods", 1, 1440);
  const threshold = input.number("Threshold");
  if (threshold === undefined) throw input.error("Threshold is required");
  return {
    name: input.needText("AlarmName"),
    description: input.text("AlarmDescription"),
    actionsEnabled: input.flag("ActionsEnabled") ?? true,
    actions: {
      OK: input.texts("OKActions") ?? [],
      ALARM: input.texts("AlarmActions") ?? [],
      INSUFFICIENT_DATA: input.texts("InsufficientDataActions") ?? [],
    },
    queries,
    single,
    period: commonPeriod(queries, (message) => input.error(message)),
    evaluationPeriods,
    datapointsToAlarm: input.integer("DatapointsToAlarm", 1, 1440) ?? evaluationPeriods,
    threshold,
    comparison: input.needText("ComparisonOperator"),
    treatMissing: treatMissingOf(input.text("TreatMissingData") ?? "missing"),
  };
}

function describe(cloudwatch: MonitoringPort, alarm: Alarm, status: AlarmStatus): object {
  const stat = alarm.queries[0]?.MetricStat;
  const percentile = stat?.Stat.startsWith("p") === true;
  const metric =
    alarm.single && stat !== undefined
      ? {
          MetricName: stat.MetricName,
          Namespace: stat.Namespace,
          [percentile ? "ExtendedStatistic" : "Statistic"]: stat.Stat,
          Dimensions: nameValues(stat.Dimensions),
          Period: stat.Period,
          Unit: stat.Unit,
        }
      : {
          Metrics: alarm.queries.map(({ MetricStat, ...query }) => ({
            ...query,
            MetricStat: MetricStat && {
              Metric: {
                Namespace: MetricStat.Namespace,
                MetricName: MetricStat.MetricName,
                Dimensions: nameValues(MetricStat.Dimensions),
              },
              Period: MetricStat.Period,
              Stat: MetricStat.Stat,
              Unit: MetricStat.Unit,
            },
          })),
        };
  return {
    AlarmName: alarm.name,
    AlarmArn: cloudwatch.alarmArn(alarm.name),
    AlarmDescription: alarm.description,
    ActionsEnabled: alarm.actionsEnabled,
    OKActions: alarm.actions.OK,
    AlarmActions: alarm.actions.ALARM,
    InsufficientDataActions: alarm.actions.INSUFFICIENT_DATA,
    StateValue: status.state,
    StateReason: status.reason,
    StateUpdatedTimestamp: new Date(status.updatedMs),
    ...metric,
    EvaluationPeriods: alarm.evaluationPeriods,
    DatapointsToAlarm: alarm.datapointsToAlarm,
    Threshold: alarm.threshold,
    ComparisonOperator: alarm.comparison,
    TreatMissingData: alarm.treatMissing,
  };
}
