import { Queue, QueuePolicy } from "@pulumi/aws/sqs";
import * as pulumi from "@pulumi/pulumi";
import type { EncryptionKey } from "./encryption-key";
import { policyDocument, type Statement, tlsOnly } from "./iam";

/** An AWS service that may send to the queue, and on behalf of which resources. */
export interface QueueSender {
  readonly service: "events.amazonaws.com" | "s3.amazonaws.com";
  /** ARNs of rules or buckets; `*` stands for any characters. */
  readonly sourceArns: readonly pulumi.Input<string>[];
}

export interface EncryptedQueueArgs {
  readonly key: EncryptionKey;
  /**
   * Seconds that a received message stays hidden. For a Lambda consumer at least six times its timeout plus the batching window, as AWS
   * recommends, so that a throttled retry doesn't see the message twice. Default 30.
   */
  readonly visibilityTimeoutSeconds?: number;
  /** Receives of one message before it moves to the dead-letter queue. Default 5. */
  readonly maxReceives?: number;
  /** Services allowed to send. Roles are allowed by their own policies. Default none. */
  readonly senders?: readonly QueueSender[];
  /** `false` for a queue that is itself a dead-letter queue. Default true. */
  readonly deadLetter?: boolean;
  /** Services allowed to send to the dead-letter queue, which is theirs as well. SQS itself always may. Default none. */
  readonly deadLetterSenders?: readonly QueueSender[];
}

/** Messages that were given up, and how `npm run redrive` puts them back the way they came. */
export interface DeadLetters {
  readonly queue: EncryptedQueue;
  readonly back:
    | { readonly to: "queue"; readonly url: pulumi.Input<string>; readonly arn: pulumi.Input<string> }
    /** Undelivered events of a bus: to the queue that did not take them, or onto the bus again. */
    | { readonly to: "bus"; readonly busName: pulumi.Input<string> }
    /** Executions that did not start: with the input that their rule gives them. */
    | { readonly to: "executions" }
    /** Runs of a function that needs no more than another run. */
    | { readonly to: "function"; readonly functionName: pulumi.Input<string> };
  /** What putting them back needs. */
  readonly permissions: readonly Statement[];
}

/** SQS keeps a message for at most 14 days. Everything here is worth that: losing a message would lose a score. */
const RETENTION_SECONDS = 14 * 24 * 3600;

/** A queue encrypted with a customer-managed key, reachable only over TLS, with a dead-letter queue of the same kind. */
export class EncryptedQueue extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly url: pulumi.Output<string>;
  readonly queueName: pulumi.Output<string>;
  readonly deadLetterQueue: EncryptedQueue | undefined;
  readonly nodes: { readonly queue: Queue; readonly policy: QueuePolicy };
  private readonly key: EncryptionKey;

  constructor(name: string, args: EncryptedQueueArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:Queue", name, {}, opts);
    this.key = args.key;
    this.deadLetterQueue =
      args.deadLetter === false
        ? undefined
        : new EncryptedQueue(
            `${name}-dlq`,
            { key: args.key, deadLetter: false, senders: args.deadLetterSenders ?? [] },
            { parent: this },
          );
    const queue = new Queue(
      `${name}-queue`,
      {
        kmsMasterKeyId: args.key.arn,
        // One data key for five minutes, SQS's default: one KMS call in that time instead of one per message.
        kmsDataKeyReusePeriodSeconds: 300,
        messageRetentionSeconds: RETENTION_SECONDS,
        visibilityTimeoutSeconds: args.visibilityTimeoutSeconds ?? 30,
        receiveWaitTimeSeconds: 20,
        ...(this.deadLetterQueue
          ? {
              redrivePolicy: pulumi.jsonStringify({
                deadLetterTargetArn: this.deadLetterQueue.arn,
                maxReceiveCount: args.maxReceives ?? 5,
              }),
            }
          : {}),
      },
      { parent: this },
    );
    const policy = new QueuePolicy(
      `${name}-policy`,
      { queueUrl: queue.url, policy: policyDocument(queuePolicy(queue.arn, args.senders ?? [])) },
      { parent: this },
    );
    this.arn = queue.arn;
    this.url = queue.url;
    this.queueName = queue.name;
    this.nodes = { queue, policy };
    this.registerOutputs({ arn: this.arn, url: this.url });
  }

  /** What a consumer needs. */
  consumeStatements(): Statement[] {
    return [
      {
        sid: "ConsumeQueue",
        actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
        resources: [this.arn],
      },
      this.key.decryptStatement(),
    ];
  }

  /** The messages that this queue's consumers gave up. */
  deadLetters(): DeadLetters[] {
    const queue = this.deadLetterQueue;
    if (queue === undefined) return [];
    return [{ queue, back: { to: "queue", url: this.url, arn: this.arn }, permissions: this.sendStatements() }];
  }

  /** What a producer needs. */
  sendStatements(): Statement[] {
    return [{ sid: "SendToQueue", actions: ["sqs:SendMessage"], resources: [this.arn] }, this.key.useStatement()];
  }
}

function queuePolicy(arn: pulumi.Input<string>, senders: readonly QueueSender[]): Statement[] {
  return [
    tlsOnly(["sqs:*"], [arn]),
    ...senders.map(
      (sender, index): Statement => ({
        sid: `Sender${index}`,
        principals: { service: [sender.service] },
        actions: ["sqs:SendMessage"],
        resources: [arn],
        conditions: { ArnLike: { "aws:SourceArn": sender.sourceArns } },
      }),
    ),
  ];
}
