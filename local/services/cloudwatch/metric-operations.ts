import { AwsError } from "../../contracts";
import { textOf, transaction } from "../messaging/database";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import type { CloudWatchService } from "./index";
import { commonPeriod, dimensionsOf, queriesOf } from "./queries";

const anything = () => "*";
const datumFields = [
  "MetricName",
  "Dimensions",
  "Timestamp",
  "Value",
  "Values",
  "Counts",
  "StatisticValues",
  "Unit",
  "StorageResolution",
];

/** Metrics and dashboards. */
export function metricOperations(cloudwatch: CloudWatchService): Record<string, Operation> {
  const { db, accountId, clock } = cloudwatch.context;
  const dashboardArn = (name: string) => `arn:aws:cloudwatch::${accountId}:dashboard/${name}`;
  return {
    PutMetricData: {
      fields: ["Namespace", "MetricData"],
      resource: anything,
      run: (input) => {
        const namespace = input.needText("Namespace");
        if (namespace.startsWith("AWS/")) throw input.error(`Namespace ${namespace}: names that begin with AWS/ are reserved`);
        const data = input.needChildren("MetricData", datumFields);
        if (data.length > 1000) throw input.error(`MetricData holds ${data.length}, more than 1,000`);
        transaction(db, () => {
          for (const datum of data) putDatum(cloudwatch, namespace, datum);
        });
        return undefined;
      },
    },
    ListMetrics: {
      fields: ["Namespace", "MetricName", "Dimensions", "NextToken"],
      resource: anything,
      run: (input) => {
        const wanted = input.children("Dimensions", ["Name", "Value"]) ?? [];
        const all = cloudwatch.store.list().filter(
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
          Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
        }));
        return { Metrics, NextToken: nextToken };
      },
    },
    GetMetricStatistics: {
      fields: [
        "Namespace",
        "MetricName",
        "Dimensions",
        "StartTime",
        "EndTime",
        "Period",
        "Statistics",
        "ExtendedStatistics",
        "Unit",
      ],
      resource: anything,
      run: (input) => getStatistics(cloudwatch, input),
    },
    GetMetricData: {
      fields: ["MetricDataQueries", "StartTime", "EndTime", "ScanBy"],
      resource: anything,
      run: (input) => {
        const queries = queriesOf(input, "MetricDataQueries");
        const { from, to, periodMs } = range(
          input,
          commonPeriod(queries, (message) => input.error(message)),
        );
        const series = cloudwatch.query(queries, periodMs, from, to);
        const ascending = input.text("ScanBy") === "TimestampAscending";
        const MetricDataResults = queries
          .filter((query) => query.ReturnData)
          .map((query) => {
            const points = [...(series.get(query.Id) ?? [])].sort(([left], [right]) => (ascending ? left - right : right - left));
            const Label = query.Label ?? query.MetricStat?.MetricName ?? query.Id;
            return {
              Id: query.Id,
              Label,
              Timestamps: points.map(([time]) => new Date(time)),
              Values: points.map(([, value]) => value),
              StatusCode: "Complete",
            };
          });
        return { MetricDataResults, Messages: [] };
      },
    },
    PutDashboard: {
      fields: ["DashboardName", "DashboardBody"],
      resource: (input) => dashboardArn(input.needText("DashboardName")),
      run: (input) => {
        saveDashboard(cloudwatch, input.needText("DashboardName"), input.needText("DashboardBody"));
        return { DashboardValidationMessages: [] };
      },
    },
    GetDashboard: {
      fields: ["DashboardName"],
      resource: (input) => dashboardArn(input.needText("DashboardName")),
      run: (input) => {
        const name = input.needText("DashboardName");
        const row = db.prepare("SELECT body FROM cw_dashboards WHERE name = ?").get(name);
        if (row === undefined) throw new AwsError("ResourceNotFound", `Dashboard ${name} does not exist.`, 404);
        return { DashboardName: name, DashboardArn: dashboardArn(name), DashboardBody: textOf(row, "body") };
      },
    },
    ListDashboards: {
      fields: ["DashboardNamePrefix", "NextToken"],
      resource: anything,
      run: (input) => {
        const rows = db.prepare("SELECT * FROM cw_dashboards ORDER BY name").all();
        const all = rows.filter((row) => textOf(row, "name").startsWith(input.text("DashboardNamePrefix") ?? ""));
        const { items, nextToken } = page(all, input.text("NextToken"), 1000);
        const DashboardEntries = items.map((row) => ({
          DashboardName: textOf(row, "name"),
          DashboardArn: dashboardArn(textOf(row, "name")),
          LastModified: new Date(Number(row.modified ?? clock.now())),
          Size: textOf(row, "body").length,
        }));
        return { DashboardEntries, NextToken: nextToken };
      },
    },
  };
}

/** Stores a dashboard whose body must be JSON with widgets. */
export function saveDashboard(cloudwatch: CloudWatchService, name: string, body: string): void {
  const parsed: unknown = JSON.parse(body);
  if (typeof parsed !== "object" || parsed === null || !("widgets" in parsed) || !Array.isArray(parsed.widgets)) {
    throw new AwsError("InvalidParameterInput", `DashboardBody of ${name} must be a JSON object with a list of widgets.`);
  }
  cloudwatch.context.db
    .prepare("INSERT OR REPLACE INTO cw_dashboards VALUES (?, ?, ?)")
    .run(name, body, cloudwatch.context.clock.now());
}

export function deleteDashboard(cloudwatch: CloudWatchService, name: string): void {
  cloudwatch.context.db.prepare("DELETE FROM cw_dashboards WHERE name = ?").run(name);
}

function putDatum(cloudwatch: CloudWatchService, namespace: string, datum: Input): void {
  const metric = { namespace, name: datum.needText("MetricName"), dimensions: dimensionsOf(datum) };
  const unit = datum.text("Unit") ?? "None";
  const time = datum.time("Timestamp") ?? cloudwatch.context.clock.now();
  const single = datum.number("Value");
  const values = datum.list("Values");
  const set = datum.child("StatisticValues", ["SampleCount", "Sum", "Minimum", "Maximum"]);
  if ([single, values, set].filter((given) => given !== undefined).length !== 1)
    throw datum.error("exactly one of Value, Values and StatisticValues is required");
  if (single !== undefined) cloudwatch.put(namespace, metric.name, metric.dimensions, single, unit, time);
  if (set !== undefined) {
    const need = (field: string) => {
      const value = set.number(field);
      if (value === undefined) throw set.error(`StatisticValues.${field} is required`);
      return value;
    };
    cloudwatch.store.put(
      metric,
      { sum: need("Sum"), min: need("Minimum"), max: need("Maximum"), count: need("SampleCount") },
      unit,
      time,
    );
  }
  const counts = datum.list("Counts") ?? values?.map(() => 1) ?? [];
  if (values !== undefined && counts.length !== values.length) throw datum.error("Counts must have as many entries as Values");
  values?.forEach((item, index) => {
    const [value, count] = [Number(item), Number(counts[index])];
    if (!Number.isFinite(value) || !(count > 0)) throw datum.error(`Values[${index}] must be a number with a positive count`);
    cloudwatch.store.put(metric, { sum: value * count, min: value, max: value, count }, unit, time);
  });
}

/** Start is aligned down to the period, as AWS aligns it. */
function range(input: Input, period: number): { readonly from: number; readonly to: number; readonly periodMs: number } {
  const [start, to] = [input.time("StartTime"), input.time("EndTime")];
  if (start === undefined || to === undefined || start >= to) throw input.error("StartTime must be before EndTime");
  const periodMs = period * 1000;
  return { from: Math.floor(start / periodMs) * periodMs, to, periodMs };
}

function getStatistics(cloudwatch: CloudWatchService, input: Input): object {
  const names = [...(input.texts("Statistics") ?? []), ...(input.texts("ExtendedStatistics") ?? [])];
  if (names.length === 0) throw input.error("Statistics or ExtendedStatistics is required");
  const { from, to, periodMs } = range(input, input.needInteger("Period", 1, 86_400));
  const metric = { namespace: input.needText("Namespace"), name: input.needText("MetricName"), dimensions: dimensionsOf(input) };
  const points = new Map<number, { readonly plain: Record<string, number>; readonly extended: Map<string, number> }>();
  for (const name of names) {
    for (const { timeMs, value } of cloudwatch.store.statistics(metric, name, periodMs, from, to, input.text("Unit"))) {
      const point = points.get(timeMs) ?? { plain: {} as Record<string, number>, extended: new Map<string, number>() };
      if (name.startsWith("p")) point.extended.set(name, value);
      else point.plain[name] = value;
      points.set(timeMs, point);
    }
  }
  const Datapoints = [...points].map(([time, { plain, extended }]) => ({
    Timestamp: new Date(time),
    ...plain,
    ...(extended.size > 0 ? { ExtendedStatistics: extended } : {}),
  }));
  return { Label: metric.name, Datapoints };
}
