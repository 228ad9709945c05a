import {
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { Case } from "../sides";

const NO_QUEUE = "arn:aws:sqs:us-east-1:000000000000:none";

export const busEvents: readonly Case[] = [
  {
    name: "a rule takes the events that its pattern matches to a queue",
    run: async ({ given, events, sqs, note }) => {
      const EventBusName = "conformance-bus";
      await given.bus(EventBusName);
      const { url: QueueUrl, arn: Arn } = await given.queue("matched");
      const pattern = JSON.stringify({
        source: ["conformance"],
        detail: { score: [{ numeric: [">=", 80] }], kind: [{ "anything-but": "test" }], name: [{ prefix: "a" }] },
      });
      await events.send(new PutRuleCommand({ EventBusName, Name: "high", EventPattern: pattern }));
      await events.send(new PutTargetsCommand({ EventBusName, Rule: "high", Targets: [{ Id: "one", Arn }] }));
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
      await events.send(new ListRulesCommand({ EventBusName }));
      await events.send(new ListTargetsByRuleCommand({ EventBusName, Rule: "high" }));
    },
  },
  {
    name: "entries that are no events fail by themselves, and what is no bus is refused",
    run: async ({ given, events, refused }) => {
      const EventBusName = "strict-bus";
      await given.bus(EventBusName);
      const good = { EventBusName, Source: "s", DetailType: "t", Detail: "{}" };
      await events.send(new PutEventsCommand({ Entries: [good, { ...good, Detail: "no json" }, { ...good, Source: "" }] }));
      await refused(events.send(new PutEventsCommand({ Entries: [] })));
      await refused(events.send(new PutEventsCommand({ Entries: Array.from({ length: 11 }, () => good) })));
      await refused(events.send(new ListRulesCommand({ EventBusName: "none" })));
      await refused(events.send(new ListTargetsByRuleCommand({ EventBusName, Rule: "none" })));
      const EventPattern = JSON.stringify({ source: ["s"] });
      await refused(events.send(new PutRuleCommand({ EventBusName: "none", Name: "r", EventPattern })));
      await refused(events.send(new PutRuleCommand({ EventBusName, Name: "r", EventPattern: "no json" })));
      await refused(events.send(new PutRuleCommand({ EventBusName, Name: "r", EventPattern: '{"source":"not a list"}' })));
      await refused(events.send(new PutRuleCommand({ EventBusName, Name: "r" })));
      await refused(events.send(new PutRuleCommand({ EventBusName, Name: "r", ScheduleExpression: "rate(1 day)" })));
      await refused(events.send(new PutRuleCommand({ Name: "r", ScheduleExpression: "every day" })));
      await refused(events.send(new PutTargetsCommand({ EventBusName, Rule: "none", Targets: [{ Id: "1", Arn: NO_QUEUE }] })));
    },
  },
];
