import { isRecord } from "@risk/program-graph";
import { AwsError, type GraphResource, type NameRule, type ResourceBody } from "../../contracts";
import type { Fields } from "../../engine/fields";
import { checkedName } from "../../engine/names";
import { documentText, fieldsOf, hyphenated, named, put, regionInput, tagInputs } from "../resource-parts";
import type { Alarm, Metric, MetricQuery } from "./alarm";
import type { TreatMissing } from "./evaluation";
import type { CloudWatchService } from "./service";

/** CloudWatch API reference, PutMetricAlarm. */
const alarmName: NameRule = { field: "name", maxLength: 255 };
/** CloudWatch API reference, PutDashboard. */
const dashboardName: NameRule = { field: "dashboardName", maxLength: 255, characters: hyphenated };

export function cloudwatchBodies(service: CloudWatchService): ResourceBody[] {
  return [
    {
      type: "aws:cloudwatch/metricAlarm:MetricAlarm",
      honoured: [
        "name",
        "alarmDescription",
        "actionsEnabled",
        "namespace",
        "metricName",
        "dimensions",
        "statistic",
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
      ],
      cloudOnly: tagInputs,
      replaceOn: ["name"],
      ...named(alarmName, (name, { inputs }) => ({ id: name, state: { ...inputs, name, arn: service.alarmArn(name) } })),
      ...put((alarm) => service.saveAlarm(alarmOf(alarm))),
      delete: ({ state }) => service.deleteAlarm(String(state.name)),
    },
    {
      type: "aws:cloudwatch/dashboard:Dashboard",
      honoured: ["dashboardName", "dashboardBody"],
      cloudOnly: regionInput,
      replaceOn: ["dashboardName"],
      outputs: ({ inputs, accountId }) => {
        const name = checkedName(dashboardName, String(inputs.dashboardName));
        return { id: name, state: { ...inputs, dashboardArn: `arn:aws:cloudwatch::${accountId}:dashboard/${name}` } };
      },
      // Nothing draws it here.
      ...put(checkDashboard),
      delete: () => undefined,
    },
  ];
}

function checkDashboard({ inputs }: GraphResource): void {
  const body: unknown = JSON.parse(documentText(inputs.dashboardBody));
  if (!isRecord(body) || !Array.isArray(body.widgets))
    throw new AwsError("InvalidParameterInput", "DashboardBody must be a JSON object with a list of widgets.");
}

function alarmOf(resource: GraphResource): Alarm {
  const fields = fieldsOf(resource);
  const EvaluationPeriods = fields.integer("evaluationPeriods", 1, 1440);
  const Threshold = fields.number("threshold");
  if (Threshold === undefined) throw new AwsError("ValidationError", "Threshold is required.");
  return {
    AlarmName: String(resource.state.name),
    AlarmDescription: fields.text("alarmDescription"),
    ActionsEnabled: fields.flag("actionsEnabled") ?? true,
    OKActions: fields.texts("okActions") ?? [],
    AlarmActions: fields.texts("alarmActions") ?? [],
    InsufficientDataActions: fields.texts("insufficientDataActions") ?? [],
    EvaluationPeriods,
    DatapointsToAlarm: fields.integer("datapointsToAlarm", 1, 1440, EvaluationPeriods),
    Threshold,
    ComparisonOperator: fields.need("comparisonOperator"),
    TreatMissingData: treatMissingOf(fields.text("treatMissingData") ?? "missing"),
    ...(resource.inputs.metricQueries === undefined
      ? {
          ...metricOf(fields),
          Period: fields.integer("period", 1, 86_400),
          Statistic: fields.need("statistic"),
          Unit: fields.text("unit"),
        }
      : { Metrics: fields.items("metricQueries").map(queryOf) }),
  };
}

function treatMissingOf(value: string): TreatMissing {
  if (value === "missing" || value === "ignore" || value === "breaching" || value === "notBreaching") return value;
  throw new AwsError("ValidationError", `TreatMissingData ${value} must be missing, ignore, breaching or notBreaching.`);
}

function metricOf(fields: Fields): Metric {
  return {
    Namespace: fields.need("namespace"),
    MetricName: fields.need("metricName"),
    Dimensions: Object.entries(fields.record("dimensions")).map(([Name, Value]) => ({ Name, Value: String(Value) })),
  };
}

function queryOf(fields: Fields): MetricQuery {
  const metric = fields.in("metric");
  const isAbsent = Object.keys(fields.record("metric")).length === 0;
  return {
    Id: fields.need("id"),
    Expression: fields.text("expression"),
    Label: fields.text("label"),
    // Off by default, unlike in the API.
    ReturnData: fields.flag("returnData") ?? false,
    MetricStat: isAbsent
      ? undefined
      : {
          Metric: metricOf(metric),
          Period: metric.integer("period", 1, 86_400),
          Stat: metric.need("stat"),
          Unit: metric.text("unit"),
        },
  };
}
