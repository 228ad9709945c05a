import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { nameValues } from "../resource-parts";
import type { MonitoringPort } from "./port";
import { commonPeriod, queriesOf } from "./queries";

const anything = () => "*";

/** Metrics and dashboards. */
export function metricOperations(cloudwatch: MonitoringPort): Record<string, Operation> {
  return {
    ListMetrics: {
      fields: ["Namespace", "MetricName", "Dimensions", "NextToken"],
      resource: anything,
      run: (input) => {
        const wanted = input.children("Dimensions", ["Name", "Value"]) ?? [];
        const all = cloudwatch.metrics().filter(
          (metric) =>
            (input.text("Namespace") ?? metric.namespace) === metric.namespace &&
            (input.text("MetricName") ?? metric.name) === metric.name &&
            wanted.every((dimension) => {
              const value = metric.dimensions[dimension.needText("Name")];
              return value !== undefined && (dimension.text("Value") ?? value) === value;
            }),
        );
        const { items, nextToken } = page(all, input.text("NextToken"), 500);
        const Metrics = items.map((metric) => ({
          Namespace: metric.namespace,
          MetricName: metric.name,
          Dimensions: nameValues(metric.dimensions),
        }));
        return { Metrics, NextToken: nextToken };
      },
    },
    GetMetricData: {
      fields: ["MetricDataQueries", "StartTime", "EndTime", "ScanBy"],
      resource: anything,
      run: (input) => getMetricData(cloudwatch, input),
    },
    GetDashboard: {
      fields: ["DashboardName"],
      resource: (input) => cloudwatch.dashboardArn(input.needText("DashboardName")),
      run: (input) => {
        const name = input.needText("DashboardName");
        const found = cloudwatch.dashboards().find((dashboard) => dashboard.name === name);
        if (found === undefined) throw new AwsError("ResourceNotFound", `Dashboard ${name} does not exist.`, 404);
        return { DashboardName: name, DashboardArn: cloudwatch.dashboardArn(name), DashboardBody: found.body };
      },
    },
  };
}

function getMetricData(cloudwatch: MonitoringPort, input: Input): object {
  const queries = queriesOf(input, "MetricDataQueries");
  const [start, to] = [input.time("StartTime"), input.time("EndTime")];
  if (start === undefined || to === undefined || start >= to) throw input.error("StartTime must be before EndTime");
  const periodMs = commonPeriod(queries, (message) => input.error(message)) * 1000;
  // AWS aligns the start down to the period.
  const series = cloudwatch.query(queries, periodMs, Math.floor(start / periodMs) * periodMs, to);
  const ascending = input.text("ScanBy") === "TimestampAscending";
  const MetricDataResults = queries
    .filter((query) => query.ReturnData)
    .map((query) => {
      const points = [...(series.get(query.Id) ?? [])].sort(([left], [right]) => (ascending ? left - right : right - left));
      return {
        Id: query.Id,
        Label: query.Label ?? query.MetricStat?.MetricName ?? query.Id,
        Timestamps: points.map(([time]) => new Date(time)),
        Values: points.map(([, value]) => value),
        StatusCode: "Complete",
      };
    });
  return { MetricDataResults, Messages: [] };
}
