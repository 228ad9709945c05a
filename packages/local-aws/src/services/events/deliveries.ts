/** Carries stored deliveries to their targets, with retries and dead-letter queues. */
import { createHash } from "node:crypto";
import { messageOf } from "@risk/program-graph";
import { AwsError, type DeliverOptions, type LocalContext } from "../../contracts";
import type { DeliverRegistry } from "../deliver";
import type { MetricSink, SqsService } from "../sqs";
import type { MessageAttribute } from "../sqs/store";
import { targetInput } from "./input-transformer";
import type { EventEnvelope } from "./put-events";
import type { EventsStore, PendingDelivery } from "./store";

const servicePrincipal = "events.amazonaws.com";
/** Errors that a retry can't fix: AWS sends them to the dead-letter queue at once. */
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

export class Deliveries {
  private pumping: Promise<void> | undefined;
  private readonly inFlight = new Set<number>();

  constructor(
    private readonly context: LocalContext,
    private readonly store: EventsStore,
    private readonly registry: DeliverRegistry,
    /** Dead letters carry attributes, which other deliveries don't. */
    private readonly sqs: SqsService,
    private readonly metrics: MetricSink,
  ) {}

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
    if (service === "states") {
      const deliveryId = executionName((JSON.parse(event) as EventEnvelope).id, ruleArn, target.Id);
      const roleArn = target.RoleArn === undefined ? {} : { roleArn: target.RoleArn };
      await this.registry.deliver(target.Arn, payload, { ...options, deliveryId, ...roleArn });
    } else await this.registry.deliver(target.Arn, payload, options);
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
    const text = (StringValue: string): MessageAttribute => ({ DataType: "String", StringValue });
    try {
      this.sqs.deliver(queue, delivery.event, {
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
      this.context.log(`EventBridge could not send to the dead-letter queue ${queue}: ${messageOf(error)}`);
    }
  }
}

/** An event starts one execution for each target, however often its delivery is tried. At most 80 characters. */
function executionName(eventId: string, ruleArn: string, targetId: string): string {
  return `${eventId}_${createHash("sha256").update(`${ruleArn} ${targetId}`).digest("hex").slice(0, 36)}`;
}
