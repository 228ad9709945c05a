import type { Alarm, MetricQuery, StoredAlarm } from "./alarm";
import type { Series } from "./math";
import type { MetricId } from "./metrics-store";

export interface Dashboard {
  readonly name: string;
  /** JSON. */
  readonly body: string;
}

/** What the operations need of the service. */
export interface MonitoringPort {
  alarmArn(name: string): string;
  dashboardArn(name: string): string;
  alarms(): StoredAlarm[];
  saveAlarm(alarm: Alarm): void;
  metrics(): MetricId[];
  /** Series of every query by id; times are milliseconds since the epoch. */
  query(queries: readonly MetricQuery[], periodMs: number, fromMs: number, toMs: number): Map<string, Series>;
  dashboards(): Dashboard[];
}
