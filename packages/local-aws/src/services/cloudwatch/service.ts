/** CloudWatch metrics and alarms on SQLite. */
import { messageOf } from "@risk/program-graph";
import { AwsError, type AwsService, type LocalContext, type Part } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { Documents } from "../documents";
import type { EmfMetric } from "../emf";
import { serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import {
  type Alarm,
  type AlarmStatus,
  actionsOf,
  alarmMessage,
  commonPeriod,
  type MetricQuery,
  queriesOf,
  type StoredAlarm,
} from "./alarm";
import { comparisons, decide, extraPeriods } from "./evaluation";
import { evaluateMath, type Series } from "./math";
import { MetricsStore } from "./metrics-store";
import { cloudwatchOperations } from "./operations";

export class CloudWatchService implements AwsService {
  readonly name = "monitoring";
  readonly store: MetricsStore;
  private readonly alarmsByName: Documents<StoredAlarm>;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];

  constructor(
    private readonly context: LocalContext,
    private readonly registry: DeliverRegistry,
  ) {
    this.store = new MetricsStore(context.db);
    this.alarmsByName = new Documents(context.db, "cw_alarm_documents");
    const service = serviceOf({
      name: this.name,
      iamPrefix: "cloudwatch",
      validationCode: "InvalidParameterValue",
      jsonVersion: "1.0",
      operations: cloudwatchOperations(this),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /** Evaluates alarms every 2 s; AWS does so once a minute, which is too slow at a terminal. */
  part(): Part {
    const alarms = ticker("CloudWatch alarms", 2000, () => this.tick(), this.context.log);
    return {
      ...alarms,
      end: async () => {
        await alarms.end?.();
        this.store.flush();
      },
    };
  }

  async tick(): Promise<void> {
    this.store.trim(this.context.clock.now());
    for (const { alarm, status } of this.alarms()) await this.evaluate(alarm, status);
  }

  /** Records one value; for other parts of the runtime. */
  readonly put = (
    namespace: string,
    name: string,
    dimensions: Readonly<Record<string, string>>,
    value: number,
    unit = "None",
    timestampMs = this.context.clock.now(),
  ): void => {
    this.store.put({ namespace, name, dimensions }, value, unit, timestampMs);
  };

  readonly putEmbedded = (metric: EmfMetric): void => {
    for (const value of metric.values)
      this.put(metric.namespace, metric.name, metric.dimensions, value, metric.unit, metric.timestampMs);
  };

  alarmArn(name: string): string {
    return `arn:aws:cloudwatch:${this.context.region}:${this.context.accountId}:alarm:${name}`;
  }

  alarms(): StoredAlarm[] {
    return this.alarmsByName.sorted();
  }

  saveAlarm(alarm: Alarm): void {
    if (comparisons[alarm.ComparisonOperator] === undefined)
      throw new AwsError(
        "ValidationError",
        `ComparisonOperator ${alarm.ComparisonOperator} is not supported by the local runtime; use ${Object.keys(comparisons).join(", ")}.`,
      );
    if (alarm.DatapointsToAlarm > alarm.EvaluationPeriods)
      throw new AwsError("ValidationError", "DatapointsToAlarm must not be more than EvaluationPeriods.");
    const queries = queriesOf(alarm);
    if (queries.filter((query) => query.ReturnData).length !== 1)
      throw new AwsError("ValidationError", "Metrics: exactly one query must have ReturnData true.");
    // Evaluating once over nothing finds unknown functions, ids and statistics before they are stored.
    this.query(queries, commonPeriod(queries) * 1000, 0, 0);
    const initial: AlarmStatus = {
      state: "INSUFFICIENT_DATA",
      reason: "Unchecked: Initial alarm creation",
      updatedMs: this.context.clock.now(),
    };
    const { status = initial } = this.alarmsByName.get(alarm.AlarmName) ?? {};
    this.alarmsByName.put(alarm.AlarmName, { alarm, status });
  }

  deleteAlarm(name: string): void {
    this.alarmsByName.delete(name);
  }

  query(queries: readonly MetricQuery[], periodMs: number, fromMs: number, toMs: number): Map<string, Series> {
    const results = new Map<string, Series>();
    const open = new Set<string>();
    const resolve = (id: string): Series => {
      const done = results.get(id);
      if (done !== undefined) return done;
      const query = queries.find((one) => one.Id === id);
      if (query === undefined || open.has(id))
        throw new AwsError("ValidationError", `Metric query id ${id} is ${query === undefined ? "unknown" : "part of a cycle"}.`);
      open.add(id);
      const { MetricStat: stat, Expression: expression } = query;
      if ((stat === undefined) === (expression === undefined))
        throw new AwsError("ValidationError", `Metric query ${id} needs exactly one of MetricStat and Expression.`);
      const series = stat ? this.statistics(stat, periodMs, fromMs, toMs) : evaluateMath(expression ?? "", resolve);
      results.set(id, series);
      return series;
    };
    for (const query of queries) resolve(query.Id);
    return results;
  }

  private statistics({ Metric, Stat, Unit }: NonNullable<MetricQuery["MetricStat"]>, ...span: [number, number, number]): Series {
    const dimensions = Object.fromEntries(Metric.Dimensions.map(({ Name, Value }) => [Name, Value]));
    const metric = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions };
    return new Map(this.store.statistics(metric, Stat, ...span, Unit).map(({ timeMs, value }) => [timeMs, value]));
  }

  private async evaluate(alarm: Alarm, status: AlarmStatus): Promise<void> {
    const queries = queriesOf(alarm);
    const { EvaluationPeriods: wanted, DatapointsToAlarm: needed, ComparisonOperator: operator, Threshold } = alarm;
    const periodMs = commonPeriod(queries) * 1000;
    const resolution = Math.min(periodMs, 60_000);
    const count = wanted + extraPeriods;
    const returned = queries.find((query) => query.ReturnData)?.Id ?? "";
    const read = (endMs: number): (number | undefined)[] => {
      const series = this.query(queries, periodMs, endMs - count * periodMs, endMs).get(returned);
      return Array.from({ length: count }, (_, index) => series?.get(endMs - (index + 1) * periodMs));
    };
    const complete = Math.floor(this.context.clock.now() / resolution) * resolution;
    // The current minute counts as soon as it has data; an empty one isn't missing yet.
    const running = read(complete + resolution);
    const points = running[0] === undefined ? read(complete) : running;
    const breaches = (value: number) => comparisons[operator]?.(value, Threshold) ?? false;
    const state = decide(points, wanted, needed, breaches, alarm.TreatMissingData, status.state);
    if (state === status.state) return;
    const values = points.filter((point) => point !== undefined).slice(0, wanted);
    const reason =
      values.length === 0
        ? `No datapoints were received for ${wanted} period(s); missing data is treated as ${alarm.TreatMissingData}.`
        : `Threshold Crossed: ${values.filter(breaches).length} of the last ${values.length} datapoints [${values.join(", ")}] breach ${operator} ${Threshold} (${needed} of ${wanted} needed).`;
    await this.setState(alarm, status, { state, reason, updatedMs: this.context.clock.now() });
  }

  /** Stores a transition and delivers the actions of the new state; a failed action is reported and does not stop the others. */
  private async setState(alarm: Alarm, before: AlarmStatus, now: AlarmStatus): Promise<void> {
    this.alarmsByName.put(alarm.AlarmName, { alarm, status: now });
    this.context.log(`Alarm ${alarm.AlarmName}: ${before.state} → ${now.state}. ${now.reason}`);
    if (!alarm.ActionsEnabled) return;
    const sourceArn = this.alarmArn(alarm.AlarmName);
    const { subject, text } = alarmMessage(alarm, sourceArn, this.context, before.state, now);
    for (const action of actionsOf(alarm, now.state)) {
      try {
        await this.registry.deliver(action, text, { servicePrincipal: "cloudwatch.amazonaws.com", sourceArn, subject });
      } catch (error) {
        this.context.log(`Alarm ${alarm.AlarmName} could not deliver to ${action}: ${messageOf(error)}`);
      }
    }
  }
}
