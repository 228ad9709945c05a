import type { Input } from "../messaging/input";
import type { MetricQuery } from "./alarm";

export const queryFields = ["Id", "MetricStat", "Expression", "Label", "ReturnData", "Period"];

export function dimensionsOf(input: Input): Record<string, string> {
  const dimensions = input.children("Dimensions", ["Name", "Value"]) ?? [];
  if (dimensions.length > 30) throw input.error("Dimensions holds more than 30");
  return Object.fromEntries(dimensions.map((dimension) => [dimension.needText("Name"), dimension.needText("Value")]));
}

export function queriesOf(input: Input, field: string): MetricQuery[] {
  return input.needChildren(field, queryFields).map((query) => {
    const stat = query.child("MetricStat", ["Metric", "Period", "Stat", "Unit"]);
    const metric = stat?.child("Metric", ["Namespace", "MetricName", "Dimensions"]);
    if ((stat === undefined) === !query.has("Expression"))
      throw query.error("exactly one of MetricStat and Expression is required");
    return {
      Id: query.needText("Id"),
      Expression: query.text("Expression"),
      Label: query.text("Label"),
      ReturnData: query.flag("ReturnData") ?? true,
      MetricStat:
        stat === undefined || metric === undefined
          ? undefined
          : {
              Namespace: metric.needText("Namespace"),
              MetricName: metric.needText("MetricName"),
              Dimensions: dimensionsOf(metric),
              Period: stat.needInteger("Period", 1, 86_400),
              Stat: stat.needText("Stat"),
              Unit: stat.text("Unit"),
            },
    };
  });
}

/** The one period (seconds) of a set of queries. Queries of different periods are refused. */
export function commonPeriod(queries: readonly MetricQuery[], fail: (message: string) => Error): number {
  const periods = new Set(queries.flatMap((query) => query.MetricStat?.Period ?? []));
  const [period] = periods;
  if (period === undefined || periods.size > 1)
    throw fail(`the metrics must share one Period, got ${[...periods].join(", ") || "none"}`);
  return period;
}
