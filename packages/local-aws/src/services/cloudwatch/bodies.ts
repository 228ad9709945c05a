import type { GraphResource, NameRule, ResourceBody } from "../../contracts";
import { checkedName } from "../../engine/names";
import { type Input, resourceInput } from "../messaging/input";
import { documentText, hyphenated, named, nameValues, put, regionInput, tagInputs } from "../resource-parts";
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
const dashboardName: NameRule = { field: "dashboardName", maxLength: 255, characters: hyphenated };

export function cloudwatchBodies(service: CloudWatchService): ResourceBody[] {
  const applyAlarm = ({ inputs, state }: GraphResource) => service.saveAlarm(alarmOf(asRequest(inputs, state.name)));
  const applyDashboard = ({ inputs }: GraphResource) =>
    service.saveDashboard(String(inputs.dashboardName), documentText(inputs.dashboardBody));
  return [
    {
      type: "aws:cloudwatch/metricAlarm:MetricAlarm",
      honoured: alarmInputs,
      cloudOnly: tagInputs,
      replaceOn: ["name"],
      ...named(alarmName, (name, { inputs }) => ({ id: name, state: { ...inputs, name, arn: service.alarmArn(name) } })),
      ...put(applyAlarm),
      delete: ({ state }) => service.deleteAlarm(String(state.name)),
    },
    {
      type: "aws:cloudwatch/dashboard:Dashboard",
      honoured: ["dashboardName", "dashboardBody"],
      cloudOnly: regionInput,
      replaceOn: ["dashboardName"],
      outputs: ({ inputs }) => {
        const name = checkedName(dashboardName, String(inputs.dashboardName));
        return { id: name, state: { ...inputs, dashboardArn: service.dashboardArn(name) } };
      },
      ...put(applyDashboard),
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
  const dimensions = (inputs.dimensions ?? {}) as Inputs;
  return { Namespace: inputs.namespace, MetricName: inputs.metricName, Dimensions: nameValues(dimensions) };
}

function queryOf({ id, expression, label, returnData, metric }: Inputs): Inputs {
  const { period, stat, unit, ...of } = (metric ?? {}) as Inputs;
  return {
    Id: id,
    Expression: expression,
    Label: label,
    // Off by default, unlike in the API.
    ReturnData: returnData === true,
    MetricStat: metric && { Metric: metricOf(of), Period: period, Stat: stat, Unit: unit },
  };
}
