import { DescribeAlarmsCommand, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CreateLogGroupCommand, FilterLogEventsCommand, PutRetentionPolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { Case } from "../sides";

const HOUR_MS = 3_600_000;

export const observation: readonly Case[] = [
  {
    name: "events of a log group are read and filtered",
    run: async ({ given, logs, note }) => {
      const logGroupName = "/conformance/events";
      await given.logGroup(logGroupName);
      await given.logEvents(logGroupName, "s", ["plain ERROR text", '{"level":"info","n":5}', '{"level":"error","n":12}']);
      for (const filterPattern of [undefined, "ERROR", "ERROR -text", "?plain ?info", '"ERROR text"']) {
        const found = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
        note([filterPattern, found.events?.map(({ message }) => message)]);
      }
    },
  },
  {
    name: "what is no log group is refused, and one that is there is not made twice",
    run: async ({ given, logs, refused }) => {
      const logGroupName = "/conformance/none";
      await given.logGroup("/conformance/there");
      await refused(logs.send(new CreateLogGroupCommand({ logGroupName: "/conformance/there" })));
      await logs.send(new CreateLogGroupCommand({ logGroupName: "/conformance/new" }));
      await logs.send(new PutRetentionPolicyCommand({ logGroupName: "/conformance/new", retentionInDays: 7 }));
      await refused(logs.send(new PutRetentionPolicyCommand({ logGroupName: "/conformance/new", retentionInDays: 8 })));
      await refused(logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 })));
      await refused(logs.send(new FilterLogEventsCommand({ logGroupName })));
      await refused(logs.send(new CreateLogGroupCommand({ logGroupName: "not allowed!" })));
    },
  },
  {
    name: "metrics are summed up",
    run: async ({ given, cloudwatch, note, refused }) => {
      const Namespace = "Conformance/Metrics";
      await given.metric(Namespace, "Scored", [1, 2, 6]);
      const Metric = { Namespace, MetricName: "Scored" };
      const query = (Stat: string, EndTime: Date) =>
        new GetMetricDataCommand({
          StartTime: new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS),
          EndTime,
          MetricDataQueries: [{ Id: "one", Label: "mine", MetricStat: { Metric, Period: 7200, Stat } }],
        });
      for (const statistic of ["Sum", "Average", "Minimum", "Maximum", "SampleCount"]) {
        const { MetricDataResults } = await cloudwatch.send(query(statistic, new Date(Date.now() + HOUR_MS)));
        note([statistic, MetricDataResults?.[0]?.Values?.reduce((sum, value) => sum + value, 0)]);
      }
      await refused(cloudwatch.send(query("Sum", new Date(0))));
    },
  },
  {
    name: "alarms tell what they were made of",
    run: async ({ given, cloudwatch }) => {
      const name = "conformance-alarm";
      await given.alarm({
        name,
        description: "for the comparison",
        namespace: "Conformance",
        metricName: "Errors",
        threshold: 5,
      });
      await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
      await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: ["none"] }));
    },
  },
];
