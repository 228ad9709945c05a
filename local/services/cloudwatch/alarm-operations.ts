import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import type { Alarm, AlarmStatus, MetricQuery } from "./alarm";
import type { AlarmState, TreatMissing } from "./evaluation";
import type { CloudWatchService } from "./index";
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

export function alarmOperations(cloudwatch: CloudWatchService): Record<string, Operation> {
  const named = (input: Input) => cloudwatch.alarmArn(input.needText("AlarmName"));
  const find = (name: string) => {
    const found = cloudwatch.alarms().find(({ alarm }) => alarm.name === name);
    if (found === undefined) throw new AwsError("ResourceNotFound", `Alarm ${name} does not exist.`, 404);
    return found;
  };
  return {
    PutMetricAlarm: {
      fields: putFields,
      resource: named,
      run: (input) => {
        cloudwatch.saveAlarm(alarmOf(input));
        return undefined;
      },
    },
    DeleteAlarms: {
      fields: ["AlarmNames"],
      resource: (input) => cloudwatch.alarmArn(input.texts("AlarmNames")?.[0] ?? "*"),
      run: (input) => {
        for (const name of input.texts("AlarmNames") ?? []) cloudwatch.deleteAlarm(name);
        return undefined;
      },
    },
    DescribeAlarms: {
      fields: ["AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "ActionPrefix", "MaxRecords", "NextToken"],
      resource: () => cloudwatch.alarmArn("*"),
      run: (input) => {
        const names = input.texts("AlarmNames");
        const all = cloudwatch.alarms().filter(
          ({ alarm, status }) =>
            (names === undefined || names.includes(alarm.name)) &&
            alarm.name.startsWith(input.text("AlarmNamePrefix") ?? "") &&
            (input.text("StateValue") ?? status.state) === status.state &&
            (!input.has("ActionPrefix") ||
              Object.values(alarm.actions)
                .flat()
                .some((action) => action.startsWith(input.text("ActionPrefix") ?? ""))),
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
    SetAlarmState: {
      fields: ["AlarmName", "StateValue", "StateReason", "StateReasonData"],
      resource: named,
      run: async (input) => {
        const { alarm, status } = find(input.needText("AlarmName"));
        const state = input.needText("StateValue");
        if (state !== "OK" && state !== "ALARM" && state !== "INSUFFICIENT_DATA")
          throw input.error(`StateValue ${state} must be OK, ALARM or INSUFFICIENT_DATA`);
        await cloudwatch.setState(alarm, status, {
          state,
          reason: input.needText("StateReason"),
          updatedMs: cloudwatch.context.clock.now(),
        });
        return undefined;
      },
    },
    DescribeAlarmHistory: {
      fields: ["AlarmName", "AlarmTypes", "HistoryItemType", "StartDate", "EndDate", "MaxRecords", "NextToken", "ScanBy"],
      resource: () => cloudwatch.alarmArn("*"),
      run: (input) => {
        const [from, to] = [input.time("StartDate") ?? 0, input.time("EndDate") ?? Number.MAX_SAFE_INTEGER];
        const onlyStates = (input.text("HistoryItemType") ?? "StateUpdate") === "StateUpdate";
        const all = cloudwatch
          .history()
          .filter(
            (item) =>
              onlyStates && (input.text("AlarmName") ?? item.alarm) === item.alarm && item.timeMs >= from && item.timeMs <= to,
          );
        if (input.text("ScanBy") === "TimestampAscending") all.reverse();
        const { items, nextToken } = page(all, input.text("NextToken"), input.integer("MaxRecords", 1, 100) ?? 100);
        const AlarmHistoryItems = items.map((item) => ({
          AlarmName: item.alarm,
          AlarmType: "MetricAlarm",
          Timestamp: new Date(item.timeMs),
          HistoryItemType: "StateUpdate",
          HistorySummary: item.summary,
          HistoryData: item.data,
        }));
        return { AlarmHistoryItems, NextToken: nextToken };
      },
    },
  };
}

export function treatMissingOf(value: string): TreatMissing {
  if (value === "missing" || value === "ignore" || value === "breaching" || value === "notBreaching") return value;
  throw new AwsError("ValidationError", `TreatMissingData ${value} must be missing, ignore, breaching or notBreaching.`);
}

function alarmOf(input: Input): Alarm {
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

function describe(cloudwatch: CloudWatchService, alarm: Alarm, status: AlarmStatus): object {
  const dimensions = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([Name, Value]) => ({ Name, Value }));
  const stat = alarm.queries[0]?.MetricStat;
  const percentile = stat?.Stat.startsWith("p") === true;
  const metric =
    alarm.single && stat !== undefined
      ? {
          MetricName: stat.MetricName,
          Namespace: stat.Namespace,
          [percentile ? "ExtendedStatistic" : "Statistic"]: stat.Stat,
          Dimensions: dimensions(stat.Dimensions),
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
                Dimensions: dimensions(MetricStat.Dimensions),
              },
              Period: MetricStat.Period,
              Stat: MetricStat.Stat,
              Unit: MetricStat.Unit,
            },
          })),
        };
  const state: AlarmState = status.state;
  return {
    AlarmName: alarm.name,
    AlarmArn: cloudwatch.alarmArn(alarm.name),
    AlarmDescription: alarm.description,
    ActionsEnabled: alarm.actionsEnabled,
    OKActions: alarm.actions.OK,
    AlarmActions: alarm.actions.ALARM,
    InsufficientDataActions: alarm.actions.INSUFFICIENT_DATA,
    StateValue: state,
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
