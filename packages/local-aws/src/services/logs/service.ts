/** CloudWatch Logs on SQLite; every appended line is looked at for embedded metrics. */

import { messageOf } from "@risk/program-graph";
import { AwsError, type AwsService, type DeliverOptions, type LocalContext, type Part } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { Documents } from "../documents";
import { type EmfMetric, parseEmf } from "../emf";
import { numberOf, textOf, transaction } from "../messaging/database";
import { serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import type { ServiceGate } from "../service-gate";
import { groupOfArn, type LogEvent, type LogGroup, type LogPort, logsOperations, type StoredLogEvent } from "./operations";

const schema = `
CREATE TABLE IF NOT EXISTS logs_events (id INTEGER PRIMARY KEY AUTOINCREMENT, grp TEXT NOT NULL, stream TEXT NOT NULL, ts INTEGER NOT NULL, ingested INTEGER NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS logs_events_by_time ON logs_events (grp, ts, id);`;

interface ResourcePolicy {
  readonly name: string;
  /** JSON. */
  readonly document: string;
}

export class LogsService implements AwsService, LogPort {
  readonly name = "logs";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly groupsByName: Documents<LogGroup>;
  private readonly policiesByName: Documents<ResourcePolicy>;

  constructor(
    private readonly context: LocalContext,
    private readonly gate: ServiceGate,
    registry: DeliverRegistry,
    private readonly embedded: (metric: EmfMetric) => void = () => undefined,
  ) {
    context.db.exec(schema);
    this.groupsByName = new Documents(context.db, "logs_group_documents");
    this.policiesByName = new Documents(context.db, "logs_policy_documents");
    const service = serviceOf({
      name: this.name,
      iamPrefix: "logs",
      validationCode: "InvalidParameterException",
      jsonVersion: "1.1",
      operations: logsOperations(this),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
    registry.register("logs", (arn, payload, options) => this.deliver(arn, payload, options));
  }

  /** Deletes events older than the retention of their group, once a minute. */
  part(): Part {
    return ticker("Log retention", 60_000, () => this.trim(), this.context.log);
  }

  trim(): void {
    for (const { name, retentionDays } of this.groups()) {
      if (retentionDays !== undefined)
        this.context.db
          .prepare("DELETE FROM logs_events WHERE grp = ? AND ts < ?")
          .run(name, this.context.clock.now() - retentionDays * 86_400_000);
    }
  }

  arnOf(group: string): string {
    return `arn:aws:logs:${this.context.region}:${this.context.accountId}:log-group:${group}`;
  }

  groups(): LogGroup[] {
    return this.groupsByName.sorted();
  }

  requireGroup(name: string): void {
    if (this.groupsByName.get(name) === undefined)
      throw new AwsError("ResourceNotFoundException", `The specified log group does not exist: ${name}.`);
  }

  /** @throws AwsError when CloudWatch Logs may not use the key. */
  saveGroup(name: string, retentionDays: number | undefined, kmsKey?: string): void {
    const targetArn = this.arnOf(name);
    if (kmsKey !== undefined) {
      const service = `logs.${this.context.region}.amazonaws.com`;
      this.gate.require({ service, target: "log group", targetArn, sourceArn: targetArn, keyId: kmsKey });
    }
    this.groupsByName.put(name, { name, retentionDays });
  }

  deleteGroup(name: string): void {
    transaction(this.context.db, () => {
      this.context.db.prepare("DELETE FROM logs_events WHERE grp = ?").run(name);
      this.groupsByName.delete(name);
    });
  }

  /** Appends to a stream. The group must exist. Timestamps are ms since the epoch. */
  append(group: string, stream: string, events: readonly LogEvent[]): void {
    const now = this.context.clock.now();
    transaction(this.context.db, () => {
      this.requireGroup(group);
      const insert = this.context.db.prepare(
        "INSERT INTO logs_events (grp, stream, ts, ingested, message) VALUES (?, ?, ?, ?, ?)",
      );
      for (const event of events) {
        insert.run(group, stream, event.timestamp, now, event.message);
        this.extract(group, event.message);
      }
    });
  }

  private extract(group: string, message: string): void {
    try {
      for (const metric of parseEmf(message)) this.embedded(metric);
    } catch (error) {
      this.context.log(`A line in ${group} is not valid embedded metric format: ${messageOf(error)}`);
    }
  }

  /** Events of a group ordered by time; `fromMs` inclusive, `toMs` exclusive. */
  events(group: string, fromMs: number, toMs: number): StoredLogEvent[] {
    this.requireGroup(group);
    const rows = this.context.db
      .prepare("SELECT * FROM logs_events WHERE grp = ? AND ts >= ? AND ts < ? ORDER BY ts, id")
      .all(group, fromMs, toMs);
    return rows.map((row) => ({
      id: numberOf(row, "id"),
      stream: textOf(row, "stream"),
      timestamp: numberOf(row, "ts"),
      ingested: numberOf(row, "ingested"),
      message: textOf(row, "message"),
    }));
  }

  policies(): ResourcePolicy[] {
    return this.policiesByName.sorted();
  }

  savePolicy(name: string, document: string): void {
    this.policiesByName.put(name, { name, document });
  }

  deletePolicy(name: string): void {
    this.policiesByName.delete(name);
  }

  /** A log group as an event target: one line per event, allowed by an account's resource policy. */
  private deliver(arn: string, payload: string, options: DeliverOptions): void {
    const group = groupOfArn(arn);
    this.requireGroup(group);
    if (options.servicePrincipal !== undefined) this.requireAccess(group, options.servicePrincipal, options.sourceArn);
    const now = this.context.clock.now();
    this.append(group, `${(options.sourceArn ?? "local").replace(/^.*\//, "").replace(/[:*]/g, "-")}`, [
      { timestamp: now, message: payload },
    ]);
  }

  private requireAccess(group: string, servicePrincipal: string, sourceArn: string | undefined): void {
    const statements = this.policies().flatMap(({ document }) => {
      const parsed = JSON.parse(document) as { Statement: unknown };
      return Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
    });
    this.gate.require({
      service: servicePrincipal,
      target: "log group",
      targetArn: this.arnOf(group),
      sourceArn: sourceArn ?? "",
      ...(statements.length === 0 ? {} : { policy: JSON.stringify({ Statement: statements }) }),
    });
  }
}
