import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { commonPeriod, type MetricQuery, type NameValue, type StoredAlarm } from "./alarm";
import type { Series } from "./math";

/** What the operations need of the service. */
interface MonitoringPort {
  alarmArn(name: string): string;
  alarms(): StoredAlarm[];
  /** Series of every query by id; times are milliseconds since the epoch. */
  query(queries: readonly MetricQuery[], periodMs: number, fromMs: number, toMs: number): Map<string, Series>;
}

export function cloudwatchOperations(cloudwatch: MonitoringPort): Record<string, Operation> {
  return {
    GetMetricData: {
      fields: ["MetricDataQueries", "StartTime", "EndTime"],
      resource: () => "*",
      run: (input) => getMetricData(cloudwatch, input),
    },
    DescribeAlarms: {
      fields: ["AlarmNames", "MaxRecords", "NextToken"],
      resource: () => cloudwatch.alarmArn("*"),
      run: (input) => describeAlarms(cloudwatch, input),
    },
  };
}

function getMetricData(cloudwatch: MonitoringPort, input: Input): object {
  const queries = input.needChildren("MetricDataQueries", ["Id", "MetricStat", "Expression", "Label", "ReturnData"]).map(queryOf);
  const [start, to] = [input.time("StartTime"), input.time("EndTime")];
  if (start === undefined || to === undefined || start >= to) throw input.error("StartTime must be before EndTime");
  const periodMs = commonPeriod(queries) * 1000;
  // AWS aligns the start down to the period.
  const series = cloudwatch.query(queries, periodMs, Math.floor(start / periodMs) * periodMs, to);
  const MetricDataResults = queries
    .filter((query) => query.ReturnData)
    .map(({ Id, Label, MetricStat }) => {
      const points = [...(series.get(Id) ?? [])].sort(([left], [right]) => right - left);
      return {
        Id,
        Label: Label ?? MetricStat?.Metric.MetricName ?? Id,
        Timestamps: points.map(([time]) => new Date(time)),
        Values: points.map(([, value]) => value),
        StatusCode: "Complete",
      };
    });
  return { MetricDataResults, Messages: [] };
}

function queryOf(query: Input): MetricQuery {
  const stat = query.child("MetricStat", ["Metric", "Period", "Stat", "Unit"]);
  const metric = stat?.child("Metric", ["Namespace", "MetricName", "Dimensions"]);
  return {
    Id: query.needText("Id"),
    Expression: query.text("Expression"),
    Label: query.text("Label"),
    ReturnData: query.flag("ReturnData") ?? true,
    MetricStat:
      stat && metric
        ? {
            Metric: {
              Namespace: metric.needText("Namespace"),
              MetricName: metric.needText("MetricName"),
              Dimensions: dimensionsOf(metric),
            },
            Period: stat.needInteger("Period", 1, 86_400),
            Stat: stat.needText("Stat"),
            Unit: stat.text("Unit"),
          }
        : undefined,
  };
}

function dimensionsOf(metric: Input): NameValue[] {
  const dimensions = metric.children("Dimensions", ["Name", "Value"]) ?? [];
  if (dimensions.length > 30) throw metric.error("Dimensions holds more than 30");
  return dimensions.map((dimension) => ({ Name: dimension.needText("Name"), Value: dimension.needText("Value") }));
}

function describeAlarms(cloudwatch: MonitoringPort, input: Input): object {
  const names = input.texts("AlarmNames");
  const all = cloudwatch.alarms().filter(({ alarm }) => names === undefined || names.includes(alarm.AlarmName));
  const { items, nextToken } = page(all, input.text("NextToken"), input.integer("MaxRecords", 1, 100) ?? 50);
  const MetricAlarms = items.map(({ alarm, status }) => ({
    ...alarm,
    AlarmArn: cloudwatch.alarmArn(alarm.AlarmName),
    StateValue: status.state,
    StateReason: status.reason,
    StateUpdatedTimestamp: new Date(status.updatedMs),
  }));
  return { MetricAlarms, CompositeAlarms: [], NextToken: nextToken };
}
