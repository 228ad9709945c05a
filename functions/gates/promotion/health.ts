/** What scoring functions have reported about a model since its canary began. */
import { type CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";

export interface ModelHealth {
  /** Records that the model failed on. */
  readonly modelFailures: number;
  /** How often a function of the profile could not follow the models parameter. */
  readonly refreshFailures: number;
}

/** Undefined when it isn't configured where the profile's functions report. */
export type HealthReader = (profile: string, model: string, sinceMs: number) => Promise<ModelHealth | undefined>;

const PERIOD_SECONDS = 60;

/** Where the stack's functions report. */
export interface ReportedMetrics {
  /** Value of the dimension `Environment`: other stacks of the account report under the same names. */
  readonly environment: string;
  /** CloudWatch namespace by profile. */
  readonly namespaces: Readonly<Record<string, string>>;
}

export function createHealthReader(
  client: () => CloudWatchClient,
  reported: ReportedMetrics | undefined,
  now: () => number,
): HealthReader {
  return async (profile, model, sinceMs) => {
    const { namespaces = {}, environment = "" } = reported ?? {};
    const namespace = Object.hasOwn(namespaces, profile) ? namespaces[profile] : undefined;
    if (namespace === undefined) return undefined;
    const query = (Id: string, MetricName: string, dimensions: Readonly<Record<string, string>>) => ({
      Id,
      MetricStat: {
        Metric: {
          Namespace: namespace,
          MetricName,
          Dimensions: Object.entries({ Environment: environment, ...dimensions }).map(([Name, Value]) => ({ Name, Value })),
        },
        Period: PERIOD_SECONDS,
        Stat: "Sum",
      },
    });
    const periodMs = PERIOD_SECONDS * 1000;
    const { MetricDataResults = [] } = await client().send(
      new GetMetricDataCommand({
        MetricDataQueries: [
          query("failures", "ModelFailures", { Profile: profile, Model: model }),
          query("refreshes", "ModelRefreshFailures", { Profile: profile }),
        ],
        // Whole periods, including the one in which the canary began.
        StartTime: new Date(Math.floor(sinceMs / periodMs) * periodMs),
        EndTime: new Date(Math.ceil((now() + 1) / periodMs) * periodMs),
      }),
    );
    const total = (id: string): number =>
      MetricDataResults.filter((result) => result.Id === id)
        .flatMap(({ Values = [] }) => Values)
        .reduce((sum, value) => sum + value, 0);
    return { modelFailures: total("failures"), refreshFailures: total("refreshes") };
  };
}
