import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { numberOf, optionalText, type Row, textOf } from "../messaging/database";

export interface Rule {
  readonly bus: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly pattern: string | undefined;
  readonly schedule: string | undefined;
  readonly enabled: boolean;
  readonly createdMs: number;
}

export interface Target {
  readonly Id: string;
  readonly Arn: string;
  readonly RoleArn?: string | undefined;
  readonly Input?: string | undefined;
  readonly InputTransformer?:
    | { readonly InputPathsMap: Readonly<Record<string, string>>; readonly InputTemplate: string }
    | undefined;
  readonly DeadLetterArn?: string | undefined;
  readonly MaximumRetryAttempts: number;
  readonly MaximumEventAgeInSeconds: number;
}

/** One event on its way to one target; kept until delivered, so that a restart loses nothing. */
export interface PendingDelivery {
  readonly id: number;
  readonly ruleArn: string;
  readonly target: Target;
  readonly event: string;
  readonly attempts: number;
  readonly firstMs: number;
}

const schema = `
CREATE TABLE IF NOT EXISTS events_buses (name TEXT PRIMARY KEY, policy TEXT, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events_rules (bus TEXT NOT NULL, name TEXT NOT NULL, description TEXT, pattern TEXT, schedule TEXT, enabled INTEGER NOT NULL,
  created INTEGER NOT NULL, last_run INTEGER NOT NULL, PRIMARY KEY (bus, name));
CREATE TABLE IF NOT EXISTS events_targets (bus TEXT NOT NULL, rule TEXT NOT NULL, id TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (bus, rule, id));
CREATE TABLE IF NOT EXISTS events_pending (id INTEGER PRIMARY KEY AUTOINCREMENT, rule_arn TEXT NOT NULL, target TEXT NOT NULL, event TEXT NOT NULL,
  attempts INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL);`;

export class EventsStore {
  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number,
  ) {
    db.exec(schema);
    this.saveBus("default");
  }

  buses(): { readonly name: string; readonly policy: string | undefined }[] {
    return this.db
      .prepare("SELECT * FROM events_buses ORDER BY name")
      .all()
      .map((row) => ({ name: textOf(row, "name"), policy: optionalText(row, "policy") }));
  }

  bus(name: string): { readonly name: string; readonly policy: string | undefined } {
    const found = this.buses().find((bus) => bus.name === name);
    if (found === undefined) throw new AwsError("ResourceNotFoundException", `Event bus ${name} does not exist.`);
    return found;
  }

  saveBus(name: string): void {
    this.db.prepare("INSERT OR IGNORE INTO events_buses VALUES (?, NULL, ?)").run(name, this.now());
  }

  setPolicy(name: string, policy: string | undefined): void {
    this.db.prepare("UPDATE events_buses SET policy = ? WHERE name = ?").run(policy ?? null, this.bus(name).name);
  }

  deleteBus(name: string): void {
    this.db.prepare("DELETE FROM events_buses WHERE name = ?").run(name);
  }

  rules(bus?: string): Rule[] {
    const rows = this.db.prepare("SELECT * FROM events_rules ORDER BY bus, name").all();
    return rows.map(ruleOf).filter((rule) => bus === undefined || rule.bus === bus);
  }

  rule(bus: string, name: string): Rule {
    const row = this.db.prepare("SELECT * FROM events_rules WHERE bus = ? AND name = ?").get(bus, name);
    if (row === undefined) throw new AwsError("ResourceNotFoundException", `Rule ${name} does not exist on event bus ${bus}.`);
    return ruleOf(row);
  }

  saveRule(rule: Omit<Rule, "createdMs">): void {
    this.bus(rule.bus);
    this.db
      .prepare(
        `INSERT INTO events_rules VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (bus, name) DO UPDATE SET description = excluded.description,
         pattern = excluded.pattern, schedule = excluded.schedule, enabled = excluded.enabled`,
      )
      .run(
        rule.bus,
        rule.name,
        rule.description ?? null,
        rule.pattern ?? null,
        rule.schedule ?? null,
        rule.enabled ? 1 : 0,
        this.now(),
        this.now(),
      );
  }

  deleteRule(bus: string, name: string): void {
    this.db.prepare("DELETE FROM events_rules WHERE bus = ? AND name = ?").run(bus, name);
  }

  lastRun(rule: Rule): number {
    const row = this.db.prepare("SELECT last_run FROM events_rules WHERE bus = ? AND name = ?").get(rule.bus, rule.name);
    return row === undefined ? this.now() : numberOf(row, "last_run");
  }

  markRun(rule: Rule, ms: number): void {
    this.db.prepare("UPDATE events_rules SET last_run = ? WHERE bus = ? AND name = ?").run(ms, rule.bus, rule.name);
  }

  targets(bus: string, rule: string): Target[] {
    const rows = this.db.prepare("SELECT target FROM events_targets WHERE bus = ? AND rule = ? ORDER BY id").all(bus, rule);
    return rows.map((row) => JSON.parse(textOf(row, "target")) as Target);
  }

  saveTarget(bus: string, rule: string, target: Target): void {
    this.rule(bus, rule);
    this.db
      .prepare("INSERT OR REPLACE INTO events_targets VALUES (?, ?, ?, ?)")
      .run(bus, rule, target.Id, JSON.stringify(target));
  }

  deleteTarget(bus: string, rule: string, id: string): void {
    this.db.prepare("DELETE FROM events_targets WHERE bus = ? AND rule = ? AND id = ?").run(bus, rule, id);
  }

  enqueue(ruleArn: string, target: Target, event: string): void {
    const now = this.now();
    this.db
      .prepare("INSERT INTO events_pending (rule_arn, target, event, attempts, first, next) VALUES (?, ?, ?, 0, ?, ?)")
      .run(ruleArn, JSON.stringify(target), event, now, now);
  }

  due(): PendingDelivery[] {
    const rows = this.db.prepare("SELECT * FROM events_pending WHERE next <= ? ORDER BY id LIMIT 1000").all(this.now());
    return rows.map((row) => ({
      id: numberOf(row, "id"),
      ruleArn: textOf(row, "rule_arn"),
      target: JSON.parse(textOf(row, "target")) as Target,
      event: textOf(row, "event"),
      attempts: numberOf(row, "attempts"),
      firstMs: numberOf(row, "first"),
    }));
  }

  done(id: number): void {
    this.db.prepare("DELETE FROM events_pending WHERE id = ?").run(id);
  }

  retryAt(id: number, attempts: number, ms: number): void {
    this.db.prepare("UPDATE events_pending SET attempts = ?, next = ? WHERE id = ?").run(attempts, ms, id);
  }
}

function ruleOf(row: Row): Rule {
  return {
    bus: textOf(row, "bus"),
    name: textOf(row, "name"),
    description: optionalText(row, "description"),
    pattern: optionalText(row, "pattern"),
    schedule: optionalText(row, "schedule"),
    enabled: row.enabled === 1,
    createdMs: numberOf(row, "created"),
  };
}
