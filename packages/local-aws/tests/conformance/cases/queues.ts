import {
  CreateTopicCommand,
  ListSubscriptionsByTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import type { Case } from "../sides";

const NOBODY = "arn:aws:sns:us-east-1:000000000000:nobody";

export const queues: readonly Case[] = [
  {
    name: "a message is sent, received once and deleted",
    run: async ({ given, sqs }) => {
      const { url: QueueUrl } = await given.queue("letters");
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"a":"é"}' }));
      const receive = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ["ApproximateReceiveCount"],
      });
      const { Messages = [] } = await sqs.send(receive);
      await sqs.send(receive);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0]?.ReceiptHandle }));
    },
  },
  {
    name: "a batch gives messages back and deletes them, and tells which entries failed",
    run: async ({ given, sqs, refused }) => {
      const { url: QueueUrl } = await given.queue("batches");
      for (const MessageBody of ["one", "two"]) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
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
    name: "a queue is found by its name, and tells its counts",
    run: async ({ given, sqs }) => {
      const { url: QueueUrl } = await given.queue("counted");
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "one" }));
      await sqs.send(new GetQueueUrlCommand({ QueueName: "counted" }));
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
      await sqs.send(new ListQueuesCommand({ QueueNamePrefix: "counted" }));
    },
  },
  {
    name: "a queue is made once, and changed",
    run: async ({ sqs, refused }) => {
      const create = (VisibilityTimeout: string, QueueName = "made") =>
        sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout } }));
      const { QueueUrl } = await create("20");
      await create("20");
      await refused(create("21"));
      await refused(create("43201", "too-long"));
      await refused(create("20", "not allowed"));
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: "5" } }));
      await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["DelaySeconds", "VisibilityTimeout"] }));
      await refused(sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: "901" } })));
    },
  },
  {
    name: "what is no queue, and what SQS does not take, is refused",
    run: async ({ given, sqs, refused }) => {
      const { url: QueueUrl } = await given.queue("strict");
      const none = QueueUrl.replace(/strict$/, "none");
      await refused(sqs.send(new GetQueueUrlCommand({ QueueName: "none" })));
      await refused(sqs.send(new SendMessageCommand({ QueueUrl: none, MessageBody: "x" })));
      await refused(sqs.send(new ReceiveMessageCommand({ QueueUrl: none })));
      await refused(sqs.send(new GetQueueAttributesCommand({ QueueUrl: none, AttributeNames: ["All"] })));
      await refused(sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Nonsense" as "All"] })));
      await refused(sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 })));
      await refused(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "" })));
      await refused(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "x", DelaySeconds: 901 })));
      await refused(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "not \u0001 allowed" })));
      await refused(sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: "no-handle" })));
    },
  },
  {
    name: "a topic takes a message for its subscribers",
    run: async ({ sns, refused }) => {
      const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "news" }));
      const subscriber = { Protocol: "email", Endpoint: "somebody@example.com", ReturnSubscriptionArn: true };
      await sns.send(new SubscribeCommand({ TopicArn, ...subscriber }));
      await sns.send(new PublishCommand({ TopicArn, Subject: "Hello", Message: "the text" }));
      await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
      await sns.send(new ListTopicsCommand({}));
      await refused(sns.send(new PublishCommand({ TopicArn: NOBODY, Message: "x" })));
      await refused(sns.send(new PublishCommand({ TopicArn, Message: "" })));
      await refused(sns.send(new PublishCommand({ TopicArn, Message: "x", Subject: "y".repeat(101) })));
      await refused(sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: NOBODY })));
      await refused(sns.send(new SubscribeCommand({ TopicArn: NOBODY, ...subscriber })));
      await refused(sns.send(new SubscribeCommand({ TopicArn, ...subscriber, Protocol: "pigeon" })));
      await refused(sns.send(new CreateTopicCommand({ Name: "not allowed" })));
    },
  },
];
