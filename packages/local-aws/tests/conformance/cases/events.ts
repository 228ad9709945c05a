import { ListTargetsByRuleCommand, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { Case } from "../sides";

export const busEvents: readonly Case[] = [
  {
    name: "a rule takes the events that its pattern matches to a queue",
    run: async ({ given, events, sqs, note }) => {
      const EventBusName = "conformance-bus";
      await given.bus(EventBusName);
      const { url: QueueUrl, arn } = await given.queue("matched");
      const pattern = JSON.stringify({
        source: ["conformance"],
        detail: { score: [{ numeric: [">=", 80] }], kind: [{ "anything-but": "test" }], name: [{ prefix: "a" }] },
      });
      await given.rule(EventBusName, pattern, arn);
      await events.send(new ListTargetsByRuleCommand({ EventBusName, Rule: "rule" }));
      const entry = (detail: object, Source = "conformance") => ({
        EventBusName,
        Source,
        DetailType: "Scored",
        Detail: JSON.stringify(detail),
      });
      const Entries = [
        entry({ score: 79, kind: "real", name: "ab" }),
        entry({ score: 81, kind: "test", name: "ab" }),
        entry({ score: 82, kind: "real", name: "ba" }),
        entry({ score: 83, kind: "real", name: "ab" }, "other"),
        entry({ score: 84, kind: "real", name: "ab" }),
      ];
      await events.send(new PutEventsCommand({ Entries }));
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      note(Messages.map(({ Body }): unknown => JSON.parse(Body ?? "{}")));
    },
  },
  {
    name: "entries that are no events fail by themselves, and too few or many are refused",
    run: async ({ given, events, refused }) => {
      const EventBusName = "strict-bus";
      await given.bus(EventBusName);
      const good = { EventBusName, Source: "s", DetailType: "t", Detail: "{}" };
      await events.send(new PutEventsCommand({ Entries: [good, { ...good, Detail: "no json" }, { ...good, Source: "" }] }));
      await refused(events.send(new PutEventsCommand({ Entries: [] })));
      await refused(events.send(new PutEventsCommand({ Entries: Array.from({ length: 11 }, () => good) })));
    },
  },
];
