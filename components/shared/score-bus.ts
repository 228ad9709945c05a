/**
 * The bus of all scores: REST and stream publish to it, rules of this and other stacks listen.
 */
import { type EventBus, EventRule, EventTarget } from "@pulumi/aws/cloudwatch";
import type { Role } from "@pulumi/aws/iam";
import type { input } from "@pulumi/aws/types";
import * as pulumi from "@pulumi/pulumi";
import { accountBus } from "./account-bus";
import { type AlarmContext, queueNotEmptyAlarm } from "./alarms";
import type { EncryptionKey } from "./encryption-key";
import { grant, type Statement } from "./iam";
import { type DeadLetters, EncryptedQueue } from "./queue";

export interface ScoreBusArgs {
  readonly key: EncryptionKey;
  /** Topic of the alarm about undelivered events. */
  readonly alarmTopicArn: pulumi.Input<string>;
}

export interface RouteArgs {
  readonly description: string;
  /** JSON of an EventBridge pattern. */
  readonly eventPattern: string;
  /** ARN of a log group, topic or queue whose resource policy allows EventBridge. */
  readonly targetArn: pulumi.Input<string>;
  /** Turns the event into a sentence for people. Default: the whole event. */
  readonly inputTransformer?: input.cloudwatch.EventTargetInputTransformer;
}

/** EventBridge's retries: its default maximum age, and enough attempts for an outage of an hour. */
export const DELIVERY_RETRIES = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

export class ScoreBus extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly busName: pulumi.Output<string>;
  readonly nodes: { readonly bus: EventBus; readonly undelivered: EncryptedQueue };

  constructor(name: string, args: ScoreBusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:events:ScoreBus", name, {}, opts);
    const bus = accountBus(name, { description: "Scores of the risk platform", key: args.key }, this);
    const undelivered = new EncryptedQueue(
      `${name}-undelivered`,
      {
        key: args.key,
        deadLetter: false,
        senders: [{ service: "events.amazonaws.com", sourceArns: [ruleArnPattern(bus.arn)] }],
      },
      { parent: this },
    );
    const alarms: AlarmContext = { parent: this, topicArn: args.alarmTopicArn };
    queueNotEmptyAlarm(
      `${name}-undelivered-events`,
      alarms,
      undelivered.queueName,
      "EventBridge could not deliver an event to its target for a day; the event is in the queue.",
    );
    this.arn = bus.arn;
    this.busName = bus.name;
    this.nodes = { bus, undelivered };
    this.registerOutputs({ arn: this.arn, busName: this.busName });
  }

  /** A rule with one target and the bus's dead-letter queue. */
  route(
    name: string,
    args: RouteArgs,
    opts: pulumi.CustomResourceOptions,
  ): { readonly rule: EventRule; readonly target: EventTarget } {
    const rule = new EventRule(
      `${name}-rule`,
      { eventBusName: this.busName, description: args.description, eventPattern: args.eventPattern },
      opts,
    );
    const target = new EventTarget(
      `${name}-target`,
      {
        rule: rule.name,
        eventBusName: this.busName,
        arn: args.targetArn,
        deadLetterConfig: { arn: this.nodes.undelivered.arn },
        retryPolicy: DELIVERY_RETRIES,
        ...(args.inputTransformer ? { inputTransformer: args.inputTransformer } : {}),
      },
      opts,
    );
    return { rule, target };
  }

  /** ARN pattern of this bus's rules, for the policies of their targets (Pulumi chooses the names). */
  ruleArnPattern(): pulumi.Output<string> {
    return ruleArnPattern(this.arn);
  }

  publishStatements(): Statement[] {
    return [{ sid: "PublishScores", actions: ["events:PutEvents"], resources: [this.arn] }];
  }

  /** Events that no target took. */
  deadLetters(): DeadLetters {
    return {
      queue: this.nodes.undelivered,
      back: { to: "bus", busName: this.busName },
      permissions: this.publishStatements(),
    };
  }

  /** Lets another role publish on the bus. `name` is the logical name of the IAM policy. */
  grantPublish(name: string, role: Role): void {
    grant(name, role, this.publishStatements(), { parent: this });
  }
}

function ruleArnPattern(busArn: pulumi.Output<string>): pulumi.Output<string> {
  return busArn.apply((arn) => `${arn.replace(":event-bus/", ":rule/")}/*`);
}
