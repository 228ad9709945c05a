import { describe, expect, it } from "vitest";
import type { AwsRequest } from "../../src/contracts";
import { call, world } from "./helpers";

describe("the query protocol", () => {
  const post = (action: string, form: Record<string, string>): AwsRequest => ({
    service: "monitoring",
    region: "us-east-1",
    action,
    method: "POST",
    url: new URL("http://127.0.0.1/"),
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: Buffer.from(String(new URLSearchParams({ Action: action, Version: "2010-08-01", ...form }))),
    principal: { kind: "owner", arn: "arn:aws:iam::000000000000:root" },
  });

  it("carries lists, numbers, flags and times of older clients", async () => {
    const { cloudwatch, context } = world();
    const alarm = {
      AlarmName: "a<b",
      Namespace: "N",
      MetricName: "m",
      "Dimensions.member.2.Name": "B",
      "Dimensions.member.2.Value": "2",
      "Dimensions.member.1.Name": "A",
      "Dimensions.member.1.Value": "1",
      Statistic: "Sum",
      Period: "60",
      EvaluationPeriods: "1",
      Threshold: "1.5",
      ComparisonOperator: "GreaterThanThreshold",
      ActionsEnabled: "false",
      OKActions: "",
    };
    await cloudwatch.handle(post("PutMetricAlarm", alarm));
    expect(cloudwatch.alarms()[0]?.alarm).toMatchObject({
      threshold: 1.5,
      period: 60,
      actionsEnabled: false,
      actions: { OK: [] },
      queries: [{ MetricStat: { Dimensions: { A: "1", B: "2" } } }],
    });
    cloudwatch.put("N", "m", { A: "1", B: "2" }, 3, "Count", context.clock.now());
    const time = (ms: number) => new Date(context.clock.now() + ms).toISOString();
    const { body } = await cloudwatch.handle(post("DescribeAlarms", { "AlarmNames.member.1": "a<b" }));
    expect(String(body)).toContain("<AlarmName>a&lt;b</AlarmName>");
    await expect(cloudwatch.handle(post("DescribeAlarms", { StateValue: "BOGUS" }))).rejects.toThrow(
      "StateValue must be one of OK, ALARM, INSUFFICIENT_DATA, got 'BOGUS'",
    );
    expect(String(body)).toContain("<Dimensions><member><Name>A</Name><Value>1</Value></member>");
    const query = "MetricDataQueries.member.1";
    const data = await cloudwatch.handle(
      post("GetMetricData", {
        StartTime: time(0),
        EndTime: time(60_000),
        [`${query}.Id`]: "m",
        [`${query}.MetricStat.Metric.Namespace`]: "N",
        [`${query}.MetricStat.Metric.MetricName`]: "m",
        [`${query}.MetricStat.Metric.Dimensions.member.1.Name`]: "A",
        [`${query}.MetricStat.Metric.Dimensions.member.1.Value`]: "1",
        [`${query}.MetricStat.Metric.Dimensions.member.2.Name`]: "B",
        [`${query}.MetricStat.Metric.Dimensions.member.2.Value`]: "2",
        [`${query}.MetricStat.Period`]: "60",
        [`${query}.MetricStat.Stat`]: "Maximum",
      }),
    );
    expect(String(data.body)).toContain("<Timestamps><member>2026-01-15T12:00:00.000Z</member></Timestamps><Values><member>3");
  });
});

describe("an operation that isn't there", () => {
  it("is refused by name, with those that are", async () => {
    const { sqs, sns } = world();
    await expect(call(sqs, "PurgeQueue", {})).rejects.toMatchObject({
      code: "UnknownOperationException",
      message: expect.stringMatching(/sqs:PurgeQueue.*ReceiveMessage/),
    });
    await expect(call(sns, "CreatePlatformEndpoint", {})).rejects.toMatchObject({ code: "InvalidAction" });
  });

  it("refuses a member that it would have to ignore", async () => {
    const { sqs } = world();
    await expect(call(sqs, "CreateQueue", { QueueName: "q", tags: { a: "b" } })).rejects.toThrow(
      /CreateQueue: tags is not supported/,
    );
  });
});
