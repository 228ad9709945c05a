import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allowService, call, world } from "./helpers";

describe("SQS", () => {
  it("hides a received message, returns it, and moves it to the dead-letter queue", async () => {
    const { sqs, advance } = world();
    await call(sqs, "CreateQueue", { QueueName: "dead" });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: sqs.arnOf("dead"), maxReceiveCount: 2 });
    const { QueueUrl } = await call(sqs, "CreateQueue", {
      QueueName: "q",
      Attributes: { RedrivePolicy, VisibilityTimeout: "30" },
    });
    await call(sqs, "SendMessage", { QueueUrl, MessageBody: "hello" });
    for (const count of ["1", "2"]) {
      const answer = await call(sqs, "ReceiveMessage", { QueueUrl, AttributeNames: ["All"] });
      expect(answer).toMatchObject({
        Messages: [
          { Body: "hello", MD5OfBody: "5d41402abc4b2a76b9719d911017c592", Attributes: { ApproximateReceiveCount: count } },
        ],
      });
      expect(await call(sqs, "ReceiveMessage", { QueueUrl })).toEqual({});
      advance(30_000);
    }
    expect(await call(sqs, "ReceiveMessage", { QueueUrl })).toEqual({});
    expect(sqs.store.counts("dead").visible).toBe(1);
  });

  it("wakes a long poll and delays messages", async () => {
    const { sqs, advance } = world();
    const { QueueUrl } = await call(sqs, "CreateQueue", { QueueName: "q" });
    const waiting = call(sqs, "ReceiveMessage", { QueueUrl, WaitTimeSeconds: 20 });
    await call(sqs, "SendMessage", { QueueUrl, MessageBody: "now" });
    expect(await waiting).toMatchObject({ Messages: [{ Body: "now" }] });
    await call(sqs, "SendMessage", { QueueUrl, MessageBody: "later", DelaySeconds: 60 });
    expect(sqs.store.counts("q")).toMatchObject({ visible: 0, inFlight: 1, delayed: 1 });
    advance(60_000);
    expect(sqs.store.counts("q").visible).toBe(2);
  });

  it("answers a batch entry by entry, and tells how many messages are where", async () => {
    const { sqs } = world();
    const { QueueUrl } = await call(sqs, "CreateQueue", { QueueName: "q" });
    for (const MessageBody of ["a", "b"]) await call(sqs, "SendMessage", { QueueUrl, MessageBody });
    const { Messages } = await call<{ Messages: { ReceiptHandle: string }[] }>(sqs, "ReceiveMessage", {
      QueueUrl,
      MaxNumberOfMessages: 2,
    });
    const [first, second] = Messages.map(({ ReceiptHandle }) => ReceiptHandle);
    const Entries = [
      { Id: "right", ReceiptHandle: first },
      { Id: "wrong", ReceiptHandle: "none" },
    ];
    expect(await call(sqs, "DeleteMessageBatch", { QueueUrl, Entries })).toMatchObject({
      Successful: [{ Id: "right" }],
      Failed: [{ Id: "wrong", SenderFault: true, Code: "ReceiptHandleIsInvalid" }],
    });
    await call(sqs, "ChangeMessageVisibilityBatch", {
      QueueUrl,
      Entries: [{ Id: "1", ReceiptHandle: second, VisibilityTimeout: 0 }],
    });
    const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "QueueArn"];
    expect(await call(sqs, "GetQueueAttributes", { QueueUrl, AttributeNames })).toEqual({
      Attributes: { ApproximateNumberOfMessages: "1", ApproximateNumberOfMessagesNotVisible: "0", QueueArn: sqs.arnOf("q") },
    });
    await expect(call(sqs, "GetQueueAttributes", { QueueUrl, AttributeNames: ["FifoQueue"] })).rejects.toThrow(
      /Unknown Attribute FifoQueue/,
    );
    await expect(call(sqs, "DeleteMessageBatch", { QueueUrl, Entries: [] })).rejects.toMatchObject({ code: "EmptyBatchRequest" });
  });
});

describe("EventBridge", () => {
  const setUp = async () => {
    const all = world();
    const { sqs, events } = all;
    for (const QueueName of ["q", "dead"]) {
      const Policy = allowService("events.amazonaws.com", "sqs:SendMessage", sqs.arnOf(QueueName));
      await call(sqs, "CreateQueue", { QueueName, Attributes: { Policy } });
    }
    events.store.saveBus("bus");
    await call(events, "PutRule", {
      Name: "high",
      EventBusName: "bus",
      EventPattern: JSON.stringify({ detail: { score: [{ numeric: [">", 80] }] } }),
    });
    return all;
  };
  const entry = (score: number) => ({
    Source: "lead.scoring",
    DetailType: "Lead Scored",
    EventBusName: "bus",
    Detail: JSON.stringify({ score }),
  });

  it("delivers matching events, transformed, and reports failed entries", async () => {
    const { sqs, events } = await setUp();
    const InputTransformer = {
      InputPathsMap: { score: "$.detail.score" },
      InputTemplate: '{"text":"score <score>","score":<score>}',
    };
    await call(events, "PutTargets", {
      Rule: "high",
      EventBusName: "bus",
      Targets: [{ Id: "1", Arn: sqs.arnOf("q"), InputTransformer }],
    });
    const answer = await call(events, "PutEvents", { Entries: [entry(81), entry(80), { ...entry(99), Detail: "[]" }] });
    expect(answer).toMatchObject({ FailedEntryCount: 1, Entries: [{}, {}, { ErrorCode: "MalformedDetail" }] });
    await events.settle();
    expect(sqs.receive(sqs.arnOf("q"), 10).map((message) => message.body)).toEqual(['{"text":"score 81","score":81}']);
  });

  it("sends an event that no permission lets through to the dead-letter queue", async () => {
    const { sqs, events, lines } = await setUp();
    await call(sqs, "CreateQueue", { QueueName: "closed" });
    await call(events, "PutTargets", {
      Rule: "high",
      EventBusName: "bus",
      Targets: [{ Id: "1", Arn: sqs.arnOf("closed"), DeadLetterConfig: { Arn: sqs.arnOf("dead") } }],
    });
    await call(events, "PutEvents", { Entries: [entry(90)] });
    await events.settle();
    const dead = await call<{ Messages: object[] }>(sqs, "ReceiveMessage", {
      QueueUrl: sqs.urlOf("dead"),
      MessageAttributeNames: ["ERROR_CODE", "RETRY.*"],
    });
    expect(dead.Messages).toMatchObject([
      {
        MessageAttributes: {
          ERROR_CODE: { DataType: "String", StringValue: "AccessDenied" },
          RETRY_ATTEMPTS: { DataType: "Number", StringValue: "0" },
        },
        // What moto computes for these two.
        MD5OfMessageAttributes: "69b8daba393ccca060af1a35786e9ca0",
      },
    ]);
    expect(lines.join()).toContain("may not sqs:SendMessage");
  });

  it("refuses a target that nothing is delivered to, by name", async () => {
    const { events } = await setUp();
    const stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    const request = { Rule: "high", EventBusName: "bus", Targets: [{ Id: "1", Arn: stream, RoleArn: "arn:aws:iam::0:role/r" }] };
    await expect(call(events, "PutTargets", request)).rejects.toThrow(`cannot deliver events to ${stream}`);
  });

  it("retries a failing target until its attempts are used up", async () => {
    const { sqs, events, registry, advance } = await setUp();
    let calls = 0;
    registry.register("lambda", () => {
      calls++;
      throw new Error("busy");
    });
    const target = {
      Id: "1",
      Arn: "arn:aws:lambda:us-east-1:000000000000:function:f",
      DeadLetterConfig: { Arn: sqs.arnOf("dead") },
      RetryPolicy: { MaximumRetryAttempts: 2 },
    };
    await call(events, "PutTargets", { Rule: "high", EventBusName: "bus", Targets: [target] });
    await call(events, "PutEvents", { Entries: [entry(90)] });
    for (let round = 0; round < 3; round++) {
      await events.settle();
      advance(10_000);
    }
    expect(calls).toBe(3);
    expect(sqs.store.counts("dead").visible).toBe(1);
  });

  it("runs a schedule once when it is due and not when disabled", async () => {
    const { sqs, events, advance } = await setUp();
    await call(events, "PutRule", { Name: "nightly", ScheduleExpression: "rate(5 minutes)" });
    await call(events, "PutTargets", { Rule: "nightly", Targets: [{ Id: "1", Arn: sqs.arnOf("q"), Input: "{}" }] });
    for (let minute = 0; minute < 6; minute++) {
      await events.tick();
      advance(60_000);
    }
    expect(sqs.store.counts("q").visible).toBe(1);
    await call(events, "PutRule", { Name: "nightly", ScheduleExpression: "rate(5 minutes)", State: "DISABLED" });
    advance(600_000);
    await events.tick();
    expect(sqs.store.counts("q").visible).toBe(1);
  });
});

describe("CloudWatch", () => {
  it("raises an alarm from embedded metrics and mails it", async () => {
    const { cloudwatch, logs, sns, context, advance } = world();
    sns.saveTopic("ops", { Policy: allowService("cloudwatch.amazonaws.com", "sns:Publish", sns.arnOf("ops")) });
    sns.subscribe(sns.arnOf("ops"), "email", "ops@example.com");
    await call(cloudwatch, "PutMetricAlarm", {
      AlarmName: "slow",
      Namespace: "LeadScoring",
      MetricName: "ScoringLatency",
      Statistic: "Average",
      Period: 300,
      EvaluationPeriods: 2,
      Threshold: 3000,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "notBreaching",
      AlarmActions: [sns.arnOf("ops")],
    });
    logs.saveGroup("/aws/lambda/f", 7);
    const report = (value: number) => {
      const now = context.clock.now();
      const _aws = {
        Timestamp: now,
        CloudWatchMetrics: [
          { Namespace: "LeadScoring", Dimensions: [[]], Metrics: [{ Name: "ScoringLatency", Unit: "Milliseconds" }] },
        ],
      };
      logs.append("/aws/lambda/f", "s", [{ timestamp: now, message: JSON.stringify({ _aws, ScoringLatency: value }) }]);
    };
    await cloudwatch.tick();
    expect(cloudwatch.alarms()[0]?.status.state).toBe("OK");
    report(4000);
    advance(300_000);
    report(5000);
    await cloudwatch.tick();
    expect(cloudwatch.alarms()[0]?.status.state).toBe("ALARM");
    const [mail] = readdirSync(join(context.dataDir, "mail"));
    expect(readFileSync(join(context.dataDir, "mail", mail ?? ""), "utf8")).toContain(
      'Subject: ALARM: "slow" in US East (N. Virginia)',
    );
  });

  it("computes metric math and refuses unknown functions by name", async () => {
    const { cloudwatch, context } = world();
    const now = context.clock.now();
    cloudwatch.put("N", "errors", {}, 3, "Count", now);
    cloudwatch.put("N", "calls", {}, 12, "Count", now);
    const metric = (Id: string, MetricName: string) => ({
      Id,
      ReturnData: false,
      MetricStat: { Metric: { Namespace: "N", MetricName }, Period: 60, Stat: "Sum" },
    });
    const ask = (Expression: string) =>
      call(cloudwatch, "GetMetricData", {
        StartTime: now / 1000,
        EndTime: now / 1000 + 120,
        MetricDataQueries: [metric("e", "errors"), metric("c", "calls"), { Id: "r", Expression }],
      });
    expect(await ask("100 * e / c")).toMatchObject({ MetricDataResults: [{ Id: "r", Values: [25] }] });
    expect(await ask("-(c - e) * 2 + 1")).toMatchObject({ MetricDataResults: [{ Values: [-17] }] });
    expect(await ask("e / (c - c)")).toMatchObject({ MetricDataResults: [{ Values: [] }] });
    await expect(ask("SEARCH('x', 'Sum')")).rejects.toThrow(/SEARCH/);
    await expect(ask("e / (c")).rejects.toThrow(/not closed/);
    await expect(ask("100 / 3")).rejects.toThrow(/names no metric/);
  });

  it("filters log events by terms and JSON selectors", async () => {
    const { logs, context } = world();
    logs.saveGroup("g", undefined);
    const timestamp = context.clock.now();
    logs.append(
      "g",
      "s",
      ['{"level":"ERROR","ms":12}', '{"level":"INFO","ms":5}', "plain ERROR"].map((message) => ({ timestamp, message })),
    );
    const count = async (filterPattern: string) => {
      const answer = await call<{ events: unknown[] }>(logs, "FilterLogEvents", { logGroupName: "g", filterPattern });
      return answer.events.length;
    };
    expect(await count("ERROR")).toBe(2);
    expect(await count('{ $.level = "ERR*" && $.ms > 10 }')).toBe(1);
    expect(await count('{ $.level != "ERROR" || $.ms = 12 }')).toBe(2);
    expect(await count("?INFO ?plain")).toBe(2);
    expect(await count("ERROR -plain")).toBe(1);
    await expect(count("[a, b]")).rejects.toThrow(/not supported/);
    await expect(count("{ $.level IS NULL }")).rejects.toThrow(/expected a comparison.*IS NULL/);
    await expect(count("{ $.a = 1 && $.b = 1 || $.c = 1 }")).rejects.toThrow(/together/);
    await expect(count("{ $.a = 1 && }")).rejects.toThrow(/needs a comparison after/);
  });
});
