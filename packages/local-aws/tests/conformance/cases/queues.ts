import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { Case } from "../sides";

export const queues: readonly Case[] = [
  {
    name: "a message is received once and deleted",
    run: async ({ given, sqs }) => {
      const { url: QueueUrl } = await given.queue("letters", ['{"a":"é"}']);
      const receive = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ["ApproximateReceiveCount"],
      });
      const { Messages = [] } = await sqs.send(receive);
      await sqs.send(receive);
      const Entries = [{ Id: "1", ReceiptHandle: Messages[0]?.ReceiptHandle }];
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    },
  },
  {
    name: "a message is sent, received for a time of the receiver's own, and deleted",
    run: async ({ given, sqs, refused }) => {
      const { url: QueueUrl } = await given.queue("sent");
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "a\tü" }));
      await refused(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "\u0001" })));
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 60 }));
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle }));
    },
  },
  {
    name: "messages are sent in a batch, each with an answer of its own",
    run: async ({ given, sqs, refused }) => {
      const { url: QueueUrl } = await given.queue("several");
      const Entries = ["a", "ü"].map((MessageBody, index) => ({ Id: `entry-${index}`, MessageBody }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      await refused(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [...Entries, ...Entries] })));
      await refused(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [] })));
      await refused(sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: "a b", MessageBody: "x" }] })));
    },
  },
  {
    name: "a batch gives messages back and deletes them, and tells which entries failed",
    run: async ({ given, sqs, refused }) => {
      const { url: QueueUrl } = await given.queue("batches", ["one", "two"]);
      const handles = [];
      for (let received = 0; received < 2; received++) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1 }));
        handles.push(Messages[0]?.ReceiptHandle);
      }
      const entries = handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      await sqs.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl,
          Entries: entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 })),
        }),
      );
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1 }));
      const Entries = [{ Id: "good", ReceiptHandle: Messages[0]?.ReceiptHandle }];
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      await refused(sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [...Entries, ...Entries] })));
      await refused(sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [] })));
      await refused(sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: "bad", ReceiptHandle: "no-handle" }] })));
    },
  },
  {
    name: "a queue tells its counts",
    run: async ({ given, sqs }) => {
      const { url: QueueUrl } = await given.queue("counted", ["one"]);
      await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "QueueArn",
            "VisibilityTimeout",
          ],
        }),
      );
    },
  },
  {
    name: "what is no queue, and what SQS does not take, is refused",
    run: async ({ given, sqs, refused }) => {
      const { url: QueueUrl } = await given.queue("strict");
      const none = QueueUrl.replace(/strict$/, "none");
      await refused(sqs.send(new ReceiveMessageCommand({ QueueUrl: none })));
      await refused(sqs.send(new GetQueueAttributesCommand({ QueueUrl: none, AttributeNames: ["All"] })));
      await refused(sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Nonsense" as "All"] })));
      await refused(sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 })));
    },
  },
];
