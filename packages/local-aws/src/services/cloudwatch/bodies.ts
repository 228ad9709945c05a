import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { checkedName, physicalName } from "../../engine/names";
import { type Input, resourceInput } from "../messaging/input";
import { tagInputs } from "../messaging/naming";
import { alarmOf } from "./alarm-operations";
import type { CloudWatchService } from "./service";

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
  const applyAlarm = ({ inputs, state }: GraphResource) => service.saveAlarm(alarmOf(asRequest(inputs, state.name)));
  const applyDashboard = ({ inputs }: GraphResource) => {
    const body = typeof inputs.dashboardBody === "string" ? inputs.dashboardBody : JSON.stringify(inputs.dashboardBody);
    service.saveDashboard(String(inputs.dashboardName), body);
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
      outputs: ({ inputs }) => {
        const name = checkedName(dashboardName, String(inputs.dashboardName));
        return { id: name, state: { ...inputs, dashboardArn: service.dashboardArn(name) } };
      },
      create: applyDashboard,
      update: applyDashboard,
      delete: ({ inputs }) => service.deleteDashboard(String(inputs.dashboardName)),
    },
  ];
}

/** The alarm as PutMetricAlarm takes it. */
function asRequest(inputs: Inputs, name: unknown): Input {
  const queries = Array.isArray(inputs.metricQueries) ? (inputs.metricQueries as Inputs[]) : undefined;
  return resourceInput("MetricAlarm", "ValidationError", {
    AlarmName: name,
    AlarmDescription: inputs.alarmDescription,
    ActionsEnabled: inputs.actionsEnabled,
    OKActions: inputs.okActions,
    AlarmActions: inputs.alarmActions,
    InsufficientDataActions: inputs.insufficientDataActions,
    EvaluationPeriods: inputs.evaluationPeriods,
    DatapointsToAlarm: inputs.datapointsToAlarm,
    Threshold: inputs.threshold,
    ComparisonOperator: inputs.comparisonOperator,
    TreatMissingData: inputs.treatMissingData,
    ...(queries === undefined ? metricOf(inputs) : { Metrics: queries.map(queryOf) }),
    Period: inputs.period,
    Unit: inputs.unit,
    Statistic: inputs.statistic,
    ExtendedStatistic: inputs.extendedStatistic,
  });
}

function metricOf(inputs: Inputs): Inputs {
  const dimensions = Object.entries((inputs.dimensions ?? {}) as Inputs);
  return {
    Namespace: inputs.namespace,
    MetricName: inputs.metricName,
    Dimensions: dimensions.map(([Name, Value]) => ({ Name, Value })),
  };
}

function queryOf({ id, expression, label, returnData, metric }: Inputs): Inputs {
  const { period, stat, unit, ...of } = (metric ?? {}) as Inputs;
  return {
    Id: id,
    Expression: expression,
    Label: label,
    // Off unless it is said, other than in the API.
    ReturnData: returnData === true,
    MetricStat: metric && { Metric: metricOf(of), Period: period, Stat: stat, Unit: unit },
  };
}
