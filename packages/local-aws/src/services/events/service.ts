/** EventBridge on SQLite: buses, rules, schedules, and deliveries that survive a restart. */
import { randomUUID } from "node:crypto";
import { AwsError, type AwsService, type LocalContext, type Part } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { compileEventPattern, type EventMatcher } from "../event-pattern";
import { serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import { parseSchedule } from "../schedules";
import type { ServiceGate } from "../service-gate";
import type { MetricSink, SqsService } from "../sqs";
import { Deliveries } from "./deliveries";
import { listTargetsOperation } from "./list-targets";
import { type EventEnvelope, type EventParts, putEventsOperation } from "./put-events";
import { EventsStore, type Rule } from "./store";

export class EventsService implements AwsService {
  readonly name = "events";
  readonly store: EventsStore;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly matchers = new Map<string, EventMatcher>();
  private readonly deliveries: Deliveries;
  readonly now = (): number => this.context.clock.now();

  constructor(
    private readonly context: LocalContext,
    readonly gate: ServiceGate,
    { registry, sqs }: { readonly registry: DeliverRegistry; readonly sqs: SqsService },
    private readonly metrics: MetricSink = () => undefined,
  ) {
    this.store = new EventsStore(context.db, this.now);
    this.deliveries = new Deliveries(context, this.store, registry, sqs, metrics);
    const service = serviceOf({
      name: this.name,
      iamPrefix: "events",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: { PutEvents: putEventsOperation(this), ListTargetsByRule: listTargetsOperation(this) },
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /** Runs schedules and retries once a second. */
  part(): Part {
    return ticker("EventBridge schedules and retries", 1000, () => this.tick(), this.context.log);
  }

  async tick(): Promise<void> {
    const now = this.now();
    for (const rule of this.store.rules()) {
      if (!rule.enabled || rule.schedule === undefined) continue;
      const due = parseSchedule(rule.schedule).next(rule.lastRunMs, rule.createdMs);
      if (due === undefined || due > now) continue;
      // Runs missed while the machine slept are skipped, as on AWS.
      this.store.markRun(rule, now);
      const event = this.envelope({
        source: "aws.events",
        detailType: "Scheduled Event",
        detail: {},
        resources: [this.ruleArn(rule)],
        timeMs: due,
      });
      this.trigger(rule, JSON.stringify(event));
    }
    await this.settle();
  }

  busArn(name: string): string {
    return `arn:aws:events:${this.context.region}:${this.context.accountId}:event-bus/${name}`;
  }

  /** @throws AwsError ValidationException for the default bus and one that has rules. */
  deleteBus(name: string): void {
    const rules = this.store.rules(name).map((rule) => rule.name);
    if (name === "default" || rules.length > 0)
      throw new AwsError(
        "ValidationException",
        `Event bus ${name} cannot be deleted: ${name === "default" ? "it is the account's own" : `delete its rules first (${rules.join(", ")})`}.`,
      );
    this.store.deleteBus(name);
  }

  /** @throws AwsError ValidationException for a rule with targets. */
  deleteRule(bus: string, name: string): void {
    const targets = this.store.targets(bus, name).map(({ Id }) => Id);
    if (targets.length > 0)
      throw new AwsError(
        "ValidationException",
        `Rule ${name} can't be deleted since it has targets; remove them first (${targets.join(", ")}).`,
      );
    this.store.deleteRule(bus, name);
  }

  busName(nameOrArn: string | undefined): string {
    return nameOrArn === undefined ? "default" : nameOrArn.slice(nameOrArn.lastIndexOf("/") + 1);
  }

  ruleArn(rule: Pick<Rule, "bus" | "name">): string {
    const path = rule.bus === "default" ? rule.name : `${rule.bus}/${rule.name}`;
    return `arn:aws:events:${this.context.region}:${this.context.accountId}:rule/${path}`;
  }

  envelope(event: EventParts): EventEnvelope {
    return {
      version: "0",
      id: randomUUID(),
      "detail-type": event.detailType,
      source: event.source,
      account: this.context.accountId,
      time: new Date(event.timeMs).toISOString().replace(/\.\d+Z$/, "Z"),
      region: this.context.region,
      resources: event.resources,
      detail: event.detail,
    };
  }

  /** Hands an event to every matching rule of a bus. The deliveries are stored before this returns. */
  publish(bus: string, event: EventEnvelope): void {
    const text = JSON.stringify(event);
    for (const rule of this.store.rules(bus)) {
      if (rule.enabled && rule.pattern !== undefined && this.matcher(rule.pattern)(event)) this.trigger(rule, text);
    }
    this.settle().catch((error: unknown) => this.context.log(`EventBridge deliveries stopped: ${String(error)}`));
  }

  /** Resolves when every delivery that is due has been tried. */
  settle(): Promise<void> {
    return this.deliveries.settle();
  }

  private matcher(pattern: string): EventMatcher {
    let matcher = this.matchers.get(pattern);
    if (matcher === undefined) {
      matcher = compileEventPattern(pattern);
      this.matchers.set(pattern, matcher);
    }
    return matcher;
  }

  private trigger(rule: Rule, event: string): void {
    const dimensions = { RuleName: rule.name };
    const arn = this.ruleArn(rule);
    const targets = this.store.targets(rule.bus, rule.name);
    if (rule.pattern !== undefined) this.metrics("AWS/Events", "MatchedEvents", dimensions, 1, "Count");
    this.metrics("AWS/Events", "TriggeredRules", dimensions, 1, "Count");
    for (const target of targets) this.store.enqueue(arn, target, event);
  }
}
