/** What starts a pipeline's machines: a schedule per dataset, or an event; and the queue of starts that failed. */
import { EventRule, EventTarget, type MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Role } from "@pulumi/aws/iam";
import type { input } from "@pulumi/aws/types";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account";
import { queueNotEmptyAlarm } from "./alarms";
import type { PlatformContext } from "./context";
import { grant, type Statement, serviceRole } from "./iam";
import { type DeadLetters, EncryptedQueue } from "./queue";
import type { StateMachine } from "./state-machine";

export interface StarterArgs {
  readonly context: PlatformContext;
  readonly account: Account;
  readonly machines: readonly StateMachine[];
}

export interface Start {
  readonly description: string;
  readonly machine: StateMachine;
  readonly when:
    | { readonly schedule: string; readonly enabled: boolean }
    /** JSON of a pattern on the default bus. */
    | { readonly eventPattern: pulumi.Input<string> };
  readonly input: { readonly text: string } | { readonly transformer: input.cloudwatch.EventTargetInputTransformer };
}

/** EventBridge's default maximum age; an execution that starts a day late would meet the next one. */
const RETRY = { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 30 };

/** One role and one dead-letter queue for all starts of a pipeline. */
export class Starter extends pulumi.ComponentResource {
  readonly role: Role;
  readonly nodes: { readonly undelivered: EncryptedQueue; readonly alarm: MetricAlarm };
  private readonly machines: readonly StateMachine[];
  /** Pattern; Pulumi chooses the rules' names. */
  private readonly ruleArns: pulumi.Output<string>;

  constructor(
    private readonly instance: string,
    args: StarterArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:lib:Starter", instance, {}, opts);
    const { partition, region, accountId } = args.account;
    this.role = serviceRole(
      `${instance}-role`,
      { service: "events.amazonaws.com", description: "EventBridge starts the pipeline" },
      { parent: this },
    );
    grant(`${instance}-permissions`, this.role, startStatements(args.machines), { parent: this });
    this.machines = args.machines;
    this.ruleArns = pulumi.interpolate`arn:${partition}:events:${region}:${accountId}:rule/${instance}-*`;
    const undelivered = new EncryptedQueue(
      `${instance}-undelivered`,
      {
        key: args.context.key,
        deadLetter: false,
        senders: [{ service: "events.amazonaws.com", sourceArns: [this.ruleArns] }],
      },
      { parent: this },
    );
    const alarm = queueNotEmptyAlarm(
      `${instance}-undelivered-starts`,
      { parent: this, topicArn: args.context.alarmTopicArn },
      undelivered.queueName,
      "EventBridge could not start an execution; its input is in the queue.",
    );
    this.nodes = { undelivered, alarm };
    this.registerOutputs({});
  }

  /** Executions that could not be started. The rule's target says which input they get. */
  deadLetters(): DeadLetters {
    return {
      queue: this.nodes.undelivered,
      back: { to: "executions" },
      permissions: [
        ...startStatements(this.machines),
        { sid: "ReadTargets", actions: ["events:ListTargetsByRule"], resources: [this.ruleArns] },
      ],
    };
  }

  /** A rule with the machine as its only target; in logical names, `name` is appended to the starter's own. */
  start(name: string, { description, machine, when, input }: Start): EventRule {
    const rule = new EventRule(
      `${this.instance}-${name}`,
      "schedule" in when
        ? { description, scheduleExpression: when.schedule, state: when.enabled ? "ENABLED" : "DISABLED" }
        : { description, eventPattern: when.eventPattern },
      { parent: this },
    );
    new EventTarget(
      `${this.instance}-${name}-target`,
      {
        rule: rule.name,
        arn: machine.arn,
        roleArn: this.role.arn,
        ...("text" in input ? { input: input.text } : { inputTransformer: input.transformer }),
        deadLetterConfig: { arn: this.nodes.undelivered.arn },
        retryPolicy: RETRY,
      },
      { parent: this, dependsOn: [machine.policy, this.nodes.undelivered.nodes.policy] },
    );
    return rule;
  }
}

const startStatements = (machines: readonly StateMachine[]): Statement[] => [
  { sid: "StartExecutions", actions: ["states:StartExecution"], resources: machines.map(({ arn }) => arn) },
];
