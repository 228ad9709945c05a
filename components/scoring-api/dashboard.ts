/** Widgets of the scoring dashboard: latency, scores, traffic, refusals, and how the models perform. */
import { Dashboard } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import { environmentOf, type Naming } from "../shared/naming";
import type { Gateway } from "./gateway";
import { METRIC_NAMESPACE, type ScoringFunction } from "./scoring-function";

export function createDashboard(
  instance: string,
  naming: Naming,
  { api, stage }: Gateway,
  functions: readonly ScoringFunction[],
  takesEvents: boolean,
  parent: pulumi.Resource,
): Dashboard {
  const names = pulumi.output({
    region: currentAccount(parent).region,
    apiName: api.name,
    stageName: stage.stageName,
    functions: functions.map(({ route, fn }) => ({ profile: route.profile.id, functionName: fn.functionName })),
  });
  return new Dashboard(
    `${instance}-dashboard`,
    {
      dashboardName: `${instance}-${naming.environment}-${naming.suffix}`,
      dashboardBody: names.apply((known) =>
        dashboardBody({ ...known, takesEvents, metricNamespace: METRIC_NAMESPACE, environment: environmentOf(naming) }),
      ),
    },
    { parent },
  );
}

export interface DashboardArgs {
  readonly region: string;
  readonly metricNamespace: string;
  /** Value of the dimension `Environment`. */
  readonly environment: string;
  readonly apiName: string;
  readonly stageName: string;
  readonly functions: readonly { readonly profile: string; readonly functionName: string }[];
  /** Whether the API has the routes of events. */
  readonly takesEvents: boolean;
}

type Metric = readonly (string | Readonly<Record<string, string>>)[];

/** One line for each model that has reported, since promotions bring and remove models. */
const everyModel = ({ metricNamespace, environment }: DashboardArgs, metric: string, statistic: string): Metric => [
  {
    expression: `SEARCH('{${metricNamespace},Environment,Profile,Model} MetricName="${metric}" Environment="${environment}"', '${statistic}', 60)`,
    label: `\${PROP('Dim.Model')}`,
  },
];

const FEEDBACK = ["LabelsAccepted", "LabelsRepeated", "FeedbackRefused", "FeedbackErrors"];
const EVENTS = ["EventsAccepted", "EventsInvalid", "EventsUnavailable", "EventsRefused", "EventsErrors"];
const HALF_WIDTH = 12;
const HEIGHT = 6;

/** JSON of a CloudWatch dashboard with two widgets per row. */
export function dashboardBody(args: DashboardArgs): string {
  const own = (metric: string): Metric => [args.metricNamespace, metric, "Environment", args.environment];
  const perProfile = (metric: string): Metric[] =>
    args.functions.map(({ profile }) => [...own(metric), "Profile", profile, { label: profile }]);
  const perFunction = (metric: string): Metric[] =>
    args.functions.map(({ profile, functionName }) => ["AWS/Lambda", metric, "FunctionName", functionName, { label: profile }]);
  const gateway = (metric: string): Metric => ["AWS/ApiGateway", metric, "ApiName", args.apiName, "Stage", args.stageName];
  const widgets = [
    { title: "Scoring latency (ms)", stat: "Average", metrics: perProfile("ScoringLatency") },
    { title: "Average score", stat: "Average", metrics: perProfile("LeadScore") },
    { title: "Invocations", stat: "Sum", metrics: perFunction("Invocations") },
    { title: "Errors and throttles", stat: "Sum", metrics: [...perFunction("Errors"), ...perFunction("Throttles")] },
    { title: "Labels", stat: "Sum", metrics: FEEDBACK.map((metric) => [...own(metric), "Route", "feedback"]) },
    ...(args.takesEvents
      ? [{ title: "Events", stat: "Sum", metrics: EVENTS.map((metric) => [...own(metric), "Route", "events"]) }]
      : []),
    { title: "Requests", stat: "Sum", metrics: [gateway("Count"), gateway("4XXError"), gateway("5XXError")] },
    { title: "Latency at the gateway (ms)", stat: "p99", metrics: [gateway("Latency"), gateway("IntegrationLatency")] },
    { title: "Models that failed to answer", stat: "Sum", metrics: [everyModel(args, "ModelFailures", "Sum")] },
    {
      title: "Challengers: mean difference of scores",
      stat: "Average",
      metrics: [everyModel(args, "ChallengerScoreDifference", "Average")],
    },
  ];
  return JSON.stringify({
    widgets: widgets.map(({ title, stat, metrics }, index) => ({
      type: "metric",
      x: (index % 2) * HALF_WIDTH,
      y: Math.floor(index / 2) * HEIGHT,
      width: HALF_WIDTH,
      height: HEIGHT,
      properties: { title, region: args.region, view: "timeSeries", stat, period: 60, metrics },
    })),
  });
}
