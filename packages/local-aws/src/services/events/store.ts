import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
import { numberOf, textOf } from "../messaging/database";

interface Bus {
  readonly name: string;
}

export interface Rule {
  readonly bus: string;
  readonly name: string;
  readonly pattern?: string | undefined;
  readonly schedule?: string | undefined;
  readonly enabled: boolean;
  readonly createdMs: number;
  /** Of its schedule, epoch milliseconds. */
  readonly lastRunMs: number;
}

/** What the program or a caller gives. */
export type RuleSettings = Omit<Rule, "createdMs" | "lastRunMs">;

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
CREATE TABLE IF NOT EXISTS events_pending (id INTEGER PRIMARY KEY AUTOINCREMENT, rule_arn TEXT NOT NULL, target TEXT NOT NULL, event TEXT NOT NULL,
  attempts INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL);`;

/** Names have no spaces, so these keys are unique. */
const keyOf = (...names: readonly string[]): string => names.join(" ");

export class EventsStore {
  private readonly busesByName: Documents<Bus>;
  private readonly rulesByName: Documents<Rule>;
  private readonly targetsById: Documents<Target>;

  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number,
  ) {
    db.exec(schema);
    this.busesByName = new Documents(db, "events_bus_documents");
    this.rulesByName = new Documents(db, "events_rule_documents");
    this.targetsById = new Documents(db, "events_target_documents");
    this.saveBus("default");
  }

  buses(): Bus[] {
    return this.busesByName.sorted();
  }

  bus(name: string): Bus {
    const found = this.busesByName.get(name);
    if (found === undefined) throw new AwsError("ResourceNotFoundException", `Event bus ${name} does not exist.`);
    return found;
  }

  saveBus(name: string): void {
    if (this.busesByName.get(name) === undefined) this.busesByName.put(name, { name });
  }

  deleteBus(name: string): void {
    this.busesByName.delete(name);
  }

  rules(bus?: string): Rule[] {
    return this.rulesByName.sorted(bus && keyOf(bus, ""));
  }

  rule(bus: string, name: string): Rule {
    const rule = this.rulesByName.get(keyOf(bus, name));
    if (rule === undefined) throw new AwsError("ResourceNotFoundException", `Rule ${name} does not exist on event bus ${bus}.`);
    return rule;
  }

  saveRule(rule: RuleSettings): void {
    this.bus(rule.bus);
    const key = keyOf(rule.bus, rule.name);
    const { createdMs, lastRunMs } = this.rulesByName.get(key) ?? { createdMs: this.now(), lastRunMs: this.now() };
    this.rulesByName.put(key, { ...rule, createdMs, lastRunMs });
  }

  deleteRule(bus: string, name: string): void {
    this.rulesByName.delete(keyOf(bus, name));
  }

  markRun(rule: Rule, lastRunMs: number): void {
    this.rulesByName.put(keyOf(rule.bus, rule.name), { ...rule, lastRunMs });
  }

  targets(bus: string, rule: string): Target[] {
    return this.targetsById.sorted(keyOf(bus, rule, ""));
  }

  saveTarget(bus: string, rule: string, target: Target): void {
    this.rule(bus, rule);
    this.targetsById.put(keyOf(bus, rule, target.Id), target);
  }

  deleteTarget(bus: string, rule: string, id: string): void {
    this.targetsById.delete(keyOf(bus, rule, id));
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
