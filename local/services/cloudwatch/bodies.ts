import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { checkedName, physicalName } from "../../engine/names";
import { tagInputs } from "../messaging/naming";
import type { Alarm, MetricQuery } from "./alarm";
import { treatMissingOf } from "./alarm-operations";
import type { CloudWatchService } from "./index";
import { deleteDashboard, saveDashboard } from "./metric-operations";

type Inputs = Readonly<Record<string, unknown>>;

const alarmInputs = [
  "name",
  "alarmDescription",
  "actionsEnabled",
  "namespace",
  "metricName",
  "dimensions",
  "statistic",
  "extendedStatistic",
  "period",
  "unit",
  "evaluationPeriods",
  "datapointsToAlarm",
  "threshold",
  "comparisonOperator",
  "treatMissingData",
  "alarmActions",
  "okActions",
  "insufficientDataActions",
  "metricQueries",
];

/** CloudWatch API reference, PutMetricAlarm. */
const alarmName: NameRule = { field: "name", maxLength: 255 };
/** CloudWatch API reference, PutDashboard. */
const dashboardName: NameRule = {
  field: "dashboardName",
  maxLength: 255,
  characters: { pattern: /^[A-Za-z0-9_-]+$/, words: "letters, digits, hyphens and underscores" },
};

export function cloudwatchBodies(service: CloudWatchService): ResourceBody[] {
  const applyAlarm = ({ inputs, state }: GraphResource) => service.saveAlarm(alarmOf(inputs, String(state.name)));
  const applyDashboard = ({ inputs }: GraphResource) => {
    const body = typeof inputs.dashboardBody === "string" ? inputs.dashboardBody : JSON.stringify(inputs.dashboardBody);
    saveDashboard(service, String(inputs.dashboardName), body);
  };
  return [
    {
      type: "aws:cloudwatch/metricAlarm:MetricAlarm",
      honoured: alarmInputs,
      cloudOnly: tagInputs,
      replaceOn: ["name"],
      autoName: alarmName,
      outputs: ({ name, inputs }) => {
        const physical = physicalName(alarmName, name, inputs);
        return { id: physical, state: { ...inputs, name: physical, arn: service.alarmArn(physical) } };
      },
      create: applyAlarm,
      update: applyAlarm,
      delete: ({ state }) => service.deleteAlarm(String(state.name)),
    },
    {
      type: "aws:cloudwatch/dashboard:Dashboard",
      honoured: ["dashboardName", "dashboardBody"],
      cloudOnly: { region: tagInputs.region },
      replaceOn: ["dashboardName"],
      outputs: ({ inputs, accountId }) => {
        const name = checkedName(dashboardName, String(inputs.dashboardName));
        return { id: name, state: { ...inputs, dashboardArn: `arn:aws:cloudwatch::${accountId}:dashboard/${name}` } };
      },
      create: applyDashboard,
      update: applyDashboard,
      delete: ({ inputs }) => deleteDashboard(service, String(inputs.dashboardName)),
    },
  ];
}

function object(value: unknown): Inputs {
  return typeof value === "object" && value !== null ? (value as Inputs) : {};
}

function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

function dimensionsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(object(value)).map(([name, item]) => [name, String(item)]));
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function statOf(inputs: Inputs, stat: string): MetricQuery["MetricStat"] {
  return {
    Namespace: String(inputs.namespace),
    MetricName: String(inputs.metricName),
    Dimensions: dimensionsOf(inputs.dimensions),
    Period: Number(inputs.period),
    Stat: stat,
    Unit: text(inputs.unit),
  };
}

function alarmOf(inputs: Inputs, name: string): Alarm {
  const single = !Array.isArray(inputs.metricQueries);
  const queries: MetricQuery[] = Array.isArray(inputs.metricQueries)
    ? inputs.metricQueries.map(object).map((query) => ({
        Id: String(query.id),
        Expression: text(query.expression),
        Label: text(query.label),
        ReturnData: query.returnData === true,
        MetricStat: query.metric === undefined ? undefined : statOf(object(query.metric), String(object(query.metric).stat)),
      }))
    : [{ Id: "m1", ReturnData: true, MetricStat: statOf(inputs, String(inputs.extendedStatistic ?? inputs.statistic)) }];
  const periods = new Set(queries.flatMap((query) => query.MetricStat?.Period ?? []));
  const [period] = periods;
  if (period === undefined || !Number.isFinite(period) || periods.size > 1) {
    throw new Error(`Alarm ${name}: its metrics must share one period in seconds, got ${[...periods].join(", ") || "none"}.`);
  }
  const evaluationPeriods = Number(inputs.evaluationPeriods);
  return {
    name,
    description: text(inputs.alarmDescription),
    actionsEnabled: inputs.actionsEnabled !== false,
    actions: {
      OK: list(inputs.okActions),
      ALARM: list(inputs.alarmActions),
      INSUFFICIENT_DATA: list(inputs.insufficientDataActions),
    },
    queries,
    single,
    period,
    evaluationPeriods,
    datapointsToAlarm: Number(inputs.datapointsToAlarm ?? evaluationPeriods),
    threshold: Number(inputs.threshold),
    comparison: String(inputs.comparisonOperator),
    treatMissing: treatMissingOf(String(inputs.treatMissingData ?? "missing")),
  };
}
