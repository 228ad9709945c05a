/** CloudWatch metrics, alarms and dashboards on SQLite. */

import { isRecord, messageOf } from "@risk/program-graph";
import { AwsError, type AwsService, type LocalContext, type Part } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { Documents } from "../documents";
import type { EmfMetric } from "../emf";
import { serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import { type Alarm, type AlarmStatus, alarmMessage, type MetricQuery, type StoredAlarm } from "./alarm";
import { alarmOperations } from "./alarm-operations";
import { comparisons, decide, extraPeriods } from "./evaluation";
import { evaluateMath, type Series } from "./math";
import { metricOperations } from "./metric-operations";
import { type MetricId, MetricsStore } from "./metrics-store";
import type { Dashboard, MonitoringPort } from "./port";

export class CloudWatchService implements AwsService, MonitoringPort {
  readonly name = "monitoring";
  readonly store: MetricsStore;
  private readonly alarmsByName: Documents<StoredAlarm>;
  private readonly dashboardsByName: Documents<Dashboard>;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];

  constructor(
    private readonly context: LocalContext,
    private readonly registry: DeliverRegistry,
  ) {
    this.store = new MetricsStore(context.db);
    this.alarmsByName = new Documents(context.db, "cw_alarm_documents");
    this.dashboardsByName = new Documents(context.db, "cw_dashboard_documents");
    const service = serviceOf({
      name: this.name,
      iamPrefix: "cloudwatch",
      validationCode: "InvalidParameterValue",
      jsonVersion: "1.0",
      queryNamespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
      operations: { ...metricOperations(this), ...alarmOperations(this) },
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /** Evaluates alarms every 2 s; AWS does so once a minute, which is too slow at a terminal. */
  part(): Part {
    return ticker("CloudWatch alarms", 2000, () => this.tick(), this.context.log);
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

  metrics(): MetricId[] {
    return this.store.list();
  }

  dashboardArn(name: string): string {
    return `arn:aws:cloudwatch::${this.context.accountId}:dashboard/${name}`;
  }

  dashboards(): Dashboard[] {
    return this.dashboardsByName.sorted();
  }

  /** Stores a dashboard whose body must be JSON with widgets. */
  saveDashboard(name: string, body: string): void {
    const parsed: unknown = JSON.parse(body);
    if (!isRecord(parsed) || !Array.isArray(parsed.widgets))
      throw new AwsError("InvalidParameterInput", `DashboardBody of ${name} must be a JSON object with a list of widgets.`);
    this.dashboardsByName.put(name, { name, body });
  }

  deleteDashboard(name: string): void {
    this.dashboardsByName.delete(name);
  }

  alarms(): StoredAlarm[] {
    return this.alarmsByName.sorted();
  }

  saveAlarm(alarm: Alarm): void {
    if (comparisons[alarm.comparison] === undefined)
      throw new AwsError(
        "ValidationError",
        `ComparisonOperator ${alarm.comparison} is not supported by the local runtime; use ${Object.keys(comparisons).join(", ")}.`,
      );
    if (alarm.datapointsToAlarm > alarm.evaluationPeriods)
      throw new AwsError("ValidationError", "DatapointsToAlarm must not be more than EvaluationPeriods.");
    if (alarm.queries.filter((query) => query.ReturnData).length !== 1)
      throw new AwsError("ValidationError", "Metrics: exactly one query must have ReturnData true.");
    // Evaluating once over nothing finds unknown functions, ids and statistics before they are stored.
    this.query(alarm.queries, alarm.period * 1000, 0, 0);
    const initial: AlarmStatus = {
      state: "INSUFFICIENT_DATA",
      reason: "Unchecked: Initial alarm creation",
      updatedMs: this.context.clock.now(),
    };
    this.alarmsByName.put(alarm.name, { alarm, status: this.alarmsByName.get(alarm.name)?.status ?? initial });
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
      const stat = query.MetricStat;
      const series: Series =
        stat === undefined
          ? evaluateMath(query.Expression ?? "", resolve)
          : new Map(
              this.store
                .statistics(
                  { namespace: stat.Namespace, name: stat.MetricName, dimensions: stat.Dimensions },
                  stat.Stat,
                  periodMs,
                  fromMs,
                  toMs,
                  stat.Unit,
                )
                .map((point) => [point.timeMs, point.value]),
            );
      results.set(id, series);
      return series;
    };
    for (const query of queries) resolve(query.Id);
    return results;
  }

  private async evaluate(alarm: Alarm, status: AlarmStatus): Promise<void> {
    const periodMs = alarm.period * 1000;
    const resolution = Math.min(periodMs, 60_000);
    const count = alarm.evaluationPeriods + extraPeriods;
    const returned = alarm.queries.find((query) => query.ReturnData)?.Id ?? "";
    const read = (endMs: number): (number | undefined)[] => {
      const series = this.query(alarm.queries, periodMs, endMs - count * periodMs, endMs).get(returned);
      return Array.from({ length: count }, (_, index) => series?.get(endMs - (index + 1) * periodMs));
    };
    const complete = Math.floor(this.context.clock.now() / resolution) * resolution;
    // The current minute counts as soon as it has data; an empty one isn't missing yet.
    const running = read(complete + resolution);
    const points = running[0] === undefined ? read(complete) : running;
    const breaches = (value: number) => comparisons[alarm.comparison]?.(value, alarm.threshold) ?? false;
    const state = decide(points, alarm.evaluationPeriods, alarm.datapointsToAlarm, breaches, alarm.treatMissing, status.state);
    if (state === status.state) return;
    const values = points.filter((point) => point !== undefined).slice(0, alarm.evaluationPeriods);
    const reason =
      values.length === 0
        ? `No datapoints were received for ${alarm.evaluationPeriods} period(s); missing data is treated as ${alarm.treatMissing}.`
        : `Threshold Crossed: ${values.filter(breaches).length} of the last ${values.length} datapoints [${values.join(", ")}] breach ${alarm.comparison} ${alarm.threshold} (${alarm.datapointsToAlarm} of ${alarm.evaluationPeriods} needed).`;
    await this.setState(alarm, status, { state, reason, updatedMs: this.context.clock.now() });
  }

  /** Stores a transition and delivers the actions of the new state; a failed action is reported and does not stop the others. */
  private async setState(alarm: Alarm, before: AlarmStatus, now: AlarmStatus): Promise<void> {
    this.alarmsByName.put(alarm.name, { alarm, status: now });
    this.context.log(`Alarm ${alarm.name}: ${before.state} → ${now.state}. ${now.reason}`);
    if (!alarm.actionsEnabled) return;
    const sourceArn = this.alarmArn(alarm.name);
    const { subject, text } = alarmMessage(alarm, sourceArn, this.context.region, this.context.accountId, before.state, now);
    for (const action of alarm.actions[now.state]) {
      try {
        await this.registry.deliver(action, text, { servicePrincipal: "cloudwatch.amazonaws.com", sourceArn, subject });
      } catch (error) {
        this.context.log(`Alarm ${alarm.name} could not deliver to ${action}: ${messageOf(error)}`);
      }
    }
  }
}
