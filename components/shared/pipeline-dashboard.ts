/** Widgets of the pipelines' dashboard: what ran, how it ended, how long it took, how much was extracted. */

export interface PipelineDashboardArgs {
  readonly region: string;
  readonly machines: readonly { readonly label: string; readonly arn: string }[];
  readonly glueJobs: readonly { readonly label: string; readonly name: string }[];
  readonly functions: readonly { readonly label: string; readonly name: string }[];
}

type Metric = readonly (string | Readonly<Record<string, string>>)[];

const HALF_WIDTH = 12;
const HEIGHT = 6;
/** Runs are hours apart, so there is one point per hour. */
const PERIOD_SECONDS = 3600;

/** JSON of a CloudWatch dashboard with two widgets per row. */
export function pipelineDashboardBody({ region, machines, glueJobs, functions }: PipelineDashboardArgs): string {
  const perMachine = (metric: string): Metric[] =>
    machines.map(({ label, arn }) => ["AWS/States", metric, "StateMachineArn", arn, { label }]);
  const perJob = (metric: string, type: "count" | "gauge"): Metric[] =>
    glueJobs.map(({ label, name }) => ["Glue", metric, "JobName", name, "JobRunId", "ALL", "Type", type, { label }]);
  const perFunction = (metric: string): Metric[] =>
    functions.map(({ label, name }) => ["AWS/Lambda", metric, "FunctionName", name, { label }]);
  const widgets = [
    { title: "Executions that succeeded", stat: "Sum", metrics: perMachine("ExecutionsSucceeded") },
    { title: "Executions that failed", stat: "Sum", metrics: perMachine("ExecutionsFailed") },
    {
      title: "Executions that timed out or were stopped",
      stat: "Sum",
      metrics: [...perMachine("ExecutionsTimedOut"), ...perMachine("ExecutionsAborted")],
    },
    { title: "Duration (ms)", stat: "Maximum", metrics: perMachine("ExecutionTime") },
    { title: "Glue: elapsed time (ms)", stat: "Sum", metrics: perJob("glue.driver.aggregate.elapsedTime", "count") },
    { title: "Glue: bytes read", stat: "Sum", metrics: perJob("glue.driver.aggregate.bytesRead", "count") },
    { title: "Gates: refusals and errors", stat: "Sum", metrics: perFunction("Errors") },
    { title: "Gates: duration (ms)", stat: "Maximum", metrics: perFunction("Duration") },
  ];
  return JSON.stringify({
    widgets: widgets.map(({ title, stat, metrics }, index) => ({
      type: "metric",
      x: (index % 2) * HALF_WIDTH,
      y: Math.floor(index / 2) * HEIGHT,
      width: HALF_WIDTH,
      height: HEIGHT,
      properties: { title, region, view: "timeSeries", stat, period: PERIOD_SECONDS, metrics },
    })),
  });
}
