/** EventBridge on SQLite: buses, rules, schedules, and deliveries that survive a restart. */
import { createHash, randomUUID } from "node:crypto";
import { AwsError, type AwsService, type DeliverOptions, type LocalContext, type Part } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import { compileEventPattern, type EventMatcher } from "../event-pattern";
import type { KinesisService } from "../kinesis";
import { serviceOf } from "../messaging/operations";
import { ticker } from "../messaging/ticker";
import { parseSchedule } from "../schedules";
import type { ServiceGate } from "../service-gate";
import type { MetricSink, SqsService } from "../sqs";
import { targetInput, valueAt } from "./input-transformer";
import { eventsOperations } from "./operations";
import { EventsStore, type PendingDelivery, type Rule } from "./store";

export { eventsBodies } from "./bodies";

export interface EventEnvelope {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

const servicePrincipal = "events.amazonaws.com";
/** Errors that a retry cannot heal: AWS sends them to the dead-letter queue at once. */
const permanentErrors = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "KMSAccessDenied",
  "ResourceNotFoundException",
  "QueueDoesNotExist",
  "NotFound",
  "NotImplemented",
  "MissingParameter",
  "StateMachineDoesNotExist",
  "InvalidExecutionInput",
]);

export class EventsService implements AwsService {
  readonly name = "events";
  readonly store: EventsStore;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly matchers = new Map<string, EventMatcher>();
  private pumping: Promise<void> | undefined;
  private readonly inFlight = new Set<number>();

  constructor(
    readonly context: LocalContext,
    readonly gate: ServiceGate,
    private readonly services: { readonly registry: DeliverRegistry; readonly sqs: SqsService; readonly kinesis: KinesisService },
    private readonly metrics: MetricSink = () => undefined,
  ) {
    this.store = new EventsStore(context.db, () => context.clock.now());
    const service = serviceOf({
      name: this.name,
      iamPrefix: "events",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: eventsOperations(this),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
    services.registry.register("events", (arn, payload) => this.deliver(arn, payload));
  }

  /** Runs schedules and retries once a second. */
  part(): Part {
    return ticker("EventBridge schedules and retries", 1000, () => this.tick(), this.context.log);
  }

  async tick(): Promise<void> {
    const now = this.context.clock.now();
    for (const rule of this.store.rules()) {
      if (!rule.enabled || rule.schedule === undefined) continue;
      const due = parseSchedule(rule.schedule).next(this.store.lastRun(rule), rule.createdMs);
      if (due === undefined || due > now) continue;
      // Runs that were missed while the machine slept are not made up for, as AWS does not either.
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

  envelope(event: {
    readonly source: string;
    readonly detailType: string;
    readonly detail: unknown;
    readonly resources: readonly string[];
    readonly timeMs: number;
  }): EventEnvelope {
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
  async settle(): Promise<void> {
    while (this.pumping !== undefined) await this.pumping;
    this.pumping = this.pump().finally(() => {
      this.pumping = undefined;
    });
    await this.pumping;
  }

  private async pump(): Promise<void> {
    for (let due = this.store.due(); due.length > 0; due = this.store.due().filter((one) => !this.inFlight.has(one.id))) {
      for (const delivery of due) this.inFlight.add(delivery.id);
      await Promise.all(due.map((delivery) => this.attempt(delivery).finally(() => this.inFlight.delete(delivery.id))));
    }
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

  private async attempt(delivery: PendingDelivery): Promise<void> {
    const dimensions = { RuleName: delivery.ruleArn.slice(delivery.ruleArn.lastIndexOf("/") + 1) };
    try {
      await this.send(delivery);
      this.store.done(delivery.id);
      this.metrics("AWS/Events", "Invocations", dimensions, 1, "Count");
    } catch (error) {
      this.failed(delivery, error instanceof Error ? error : new Error(String(error)), dimensions);
    }
  }

  private async send({ target, event, ruleArn }: PendingDelivery): Promise<void> {
    const payload = targetInput(target, event, ruleArn, this.context.clock.now());
    const options: DeliverOptions = { servicePrincipal, sourceArn: ruleArn };
    const service = target.Arn.split(":")[2];
    if (service === "sqs") this.services.sqs.deliver(target.Arn, payload, { ...options, groupId: target.MessageGroupId });
    else if (service === "kinesis") {
      const key =
        target.PartitionKeyPath === undefined
          ? (JSON.parse(event) as EventEnvelope).id
          : valueAt(JSON.parse(event), target.PartitionKeyPath);
      this.services.kinesis.deliver(target.Arn, payload, String(key));
    } else if (service === "states") {
      const deliveryId = executionName((JSON.parse(event) as EventEnvelope).id, ruleArn, target.Id);
      await this.services.registry.deliver(target.Arn, payload, {
        ...options,
        deliveryId,
        ...(target.RoleArn === undefined ? {} : { roleArn: target.RoleArn }),
      });
    } else await this.services.registry.deliver(target.Arn, payload, options);
  }

  private failed(delivery: PendingDelivery, error: Error, dimensions: Readonly<Record<string, string>>): void {
    const { target, id, attempts, firstMs } = delivery;
    const now = this.context.clock.now();
    const code = error instanceof AwsError ? error.code : error.name;
    const exhausted =
      attempts >= target.MaximumRetryAttempts
        ? "MaximumRetryAttempts"
        : now - firstMs >= target.MaximumEventAgeInSeconds * 1000
          ? "MaximumEventAgeInSeconds"
          : undefined;
    if (!permanentErrors.has(code) && exhausted === undefined) {
      // Exponential back-off from one second to five minutes; AWS publishes no exact numbers.
      this.store.retryAt(id, attempts + 1, now + Math.min(300_000, 1000 * 2 ** attempts));
      this.metrics("AWS/Events", "RetryInvocationAttempts", dimensions, 1, "Count");
      return;
    }
    this.metrics("AWS/Events", "FailedInvocations", dimensions, 1, "Count");
    this.context.log(`EventBridge could not deliver to ${target.Arn} after ${attempts + 1} attempt(s): ${error.message}`);
    this.deadLetter(delivery, code, error.message, exhausted, dimensions);
    this.store.done(id);
  }

  private deadLetter(
    delivery: PendingDelivery,
    code: string,
    message: string,
    exhausted: string | undefined,
    dimensions: Readonly<Record<string, string>>,
  ): void {
    const queue = delivery.target.DeadLetterArn;
    if (queue === undefined) return;
    const text = (StringValue: string) => ({ DataType: "String", StringValue });
    try {
      this.services.sqs.deliver(queue, delivery.event, {
        servicePrincipal,
        sourceArn: delivery.ruleArn,
        attributes: {
          RULE_ARN: text(delivery.ruleArn),
          TARGET_ARN: text(delivery.target.Arn),
          ERROR_CODE: text(code),
          ERROR_MESSAGE: text(message),
          ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: text(exhausted) }),
          RETRY_ATTEMPTS: { DataType: "Number", StringValue: String(delivery.attempts) },
        },
      });
      this.metrics("AWS/Events", "InvocationsSentToDlq", dimensions, 1, "Count");
    } catch (error) {
      this.metrics("AWS/Events", "InvocationsFailedToBeSentToDlq", dimensions, 1, "Count");
      this.context.log(
        `EventBridge could not send to the dead-letter queue ${queue}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** A bus as a target: the payload is a whole event. */
  private deliver(busArn: string, payload: string): void {
    this.publish(this.store.bus(this.busName(busArn)).name, JSON.parse(payload) as EventEnvelope);
  }
}

/** An event starts one execution for each target, however often its delivery is tried. At most 80 characters. */
function executionName(eventId: string, ruleArn: string, targetId: string): string {
  return `${eventId}_${createHash("sha256").update(`${ruleArn} ${targetId}`).digest("hex").slice(0, 36)}`;
}
