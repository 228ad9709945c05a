import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allowService, call, world } from "./helpers";

describe("SQS", () => {
  it("hides a received message, returns it, and moves it to the dead-letter queue", async () => {
    const { sqs, queue, advance } = world();
    await queue("dead");
    const redrivePolicy = JSON.stringify({ deadLetterTargetArn: sqs.arnOf("dead"), maxReceiveCount: 2 });
    const QueueUrl = await queue("q", { redrivePolicy, visibilityTimeoutSeconds: 30 });
    sqs.deliver(sqs.arnOf("q"), "hello");
    for (const count of ["1", "2"]) {
      const answer = await call(sqs, "ReceiveMessage", { QueueUrl, MessageSystemAttributeNames: ["All"] });
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
    const { sqs, queue, advance } = world();
    const QueueUrl = await queue("q");
    const waiting = call(sqs, "ReceiveMessage", { QueueUrl, WaitTimeSeconds: 20 });
    sqs.deliver(sqs.arnOf("q"), "now");
    expect(await waiting).toMatchObject({ Messages: [{ Body: "now" }] });
    await queue("q", { delaySeconds: 60 });
    sqs.deliver(sqs.arnOf("q"), "later");
    expect(sqs.store.counts("q")).toMatchObject({ visible: 0, inFlight: 1, delayed: 1 });
    advance(60_000);
    expect(sqs.store.counts("q").visible).toBe(2);
  });

  it("refuses settings that SQS doesn't take", async () => {
    const { queue } = world();
    await expect(queue("q", { visibilityTimeoutSeconds: 43_201 })).rejects.toMatchObject({ code: "InvalidAttributeValue" });
    await expect(queue("q", { redrivePolicy: "{}" })).rejects.toMatchObject({ code: "InvalidAttributeValue" });
  });

  it("answers a batch entry by entry, and tells how many messages are where", async () => {
    const { sqs, queue } = world();
    const QueueUrl = await queue("q");
    for (const body of ["a", "b"]) sqs.deliver(sqs.arnOf("q"), body);
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

describe("SQS's SendMessageBatch", () => {
  it("takes each message for itself, up to a mebibyte in all", async () => {
    const { sqs, queue } = world();
    const QueueUrl = await queue("q");
    const send = (bodies: readonly string[]) =>
      call<{ Successful: object[]; Failed?: object[] }>(sqs, "SendMessageBatch", {
        QueueUrl,
        Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
      });
    expect(await send(["a", "\u0001", "é"])).toMatchObject({
      Successful: [{ Id: "0", MessageId: expect.any(String), MD5OfMessageBody: "0cc175b9c0f1b6a831c399e269772661" }, { Id: "2" }],
      Failed: [{ Id: "1", SenderFault: true, Code: "InvalidMessageContents" }],
    });
    const { Messages } = await call<{ Messages: { Body: string }[] }>(sqs, "ReceiveMessage", {
      QueueUrl,
      MaxNumberOfMessages: 10,
    });
    expect(Messages.map(({ Body }) => Body).sort()).toEqual(["a", "é"]);
    const half = "x".repeat(524_288);
    expect((await send([half, half])).Successful).toHaveLength(2);
    await expect(send([half, half, "x"])).rejects.toMatchObject({ code: "BatchRequestTooLong" });
    await expect(send([])).rejects.toMatchObject({ code: "EmptyBatchRequest" });
    await expect(send(Array.from({ length: 11 }, () => "x"))).rejects.toMatchObject({ code: "TooManyEntriesInBatchRequest" });
  });
});

describe("EventBridge", () => {
  const setUp = async () => {
    const all = world();
    const { sqs, events, queue, rule } = all;
    for (const name of ["q", "dead"])
      await queue(name, { policy: allowService("events.amazonaws.com", "sqs:SendMessage", sqs.arnOf(name)) });
    events.store.saveBus("bus");
    await rule("high", { eventBusName: "bus", eventPattern: JSON.stringify({ detail: { score: [{ numeric: [">", 80] }] } }) });
    const target = (inputs: object) => all.target("high", { eventBusName: "bus", ...inputs });
    return { ...all, target };
  };
  const entry = (score: number) => ({
    Source: "lead.scoring",
    DetailType: "Lead Scored",
    EventBusName: "bus",
    Detail: JSON.stringify({ score }),
  });

  it("delivers matching events, transformed, and reports failed entries", async () => {
    const { sqs, events, target } = await setUp();
    const inputTransformer = {
      inputPaths: { score: "$.detail.score" },
      inputTemplate: '{"text":"score <score>","score":<score>}',
    };
    await target({ arn: sqs.arnOf("q"), inputTransformer });
    const answer = await call(events, "PutEvents", { Entries: [entry(81), entry(80), { ...entry(99), Detail: "[]" }] });
    expect(answer).toMatchObject({ FailedEntryCount: 1, Entries: [{}, {}, { ErrorCode: "MalformedDetail" }] });
    await events.settle();
    expect(sqs.receive(sqs.arnOf("q"), 10).map((message) => message.body)).toEqual(['{"text":"score 81","score":81}']);
  });

  it("sends an event that no permission lets through to the dead-letter queue", async () => {
    const { sqs, events, lines, queue, target } = await setUp();
    await queue("closed");
    await target({ arn: sqs.arnOf("closed"), deadLetterConfig: { arn: sqs.arnOf("dead") } });
    await call(events, "PutEvents", { Entries: [entry(90)] });
    await events.settle();
    expect(sqs.receive(sqs.arnOf("dead"), 1)).toMatchObject([
      {
        attributes: {
          ERROR_CODE: { DataType: "String", StringValue: "AccessDenied" },
          RETRY_ATTEMPTS: { DataType: "Number", StringValue: "0" },
        },
      },
    ]);
    expect(lines.join()).toContain("may not sqs:SendMessage");
  });

  it("refuses rules and targets that AWS or the local runtime doesn't take", async () => {
    const { sqs, rule, target } = await setUp();
    const stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
    await expect(target({ arn: stream, roleArn: "arn:aws:iam::0:role/r" })).rejects.toThrow(`cannot deliver events to ${stream}`);
    const arn = sqs.arnOf("q");
    await expect(target({ arn, input: "no json" })).rejects.toThrow(/Input is not JSON/);
    await expect(target({ arn, retryPolicy: { maximumRetryAttempts: 186 } })).rejects.toThrow(/from 0 to 185/);
    await expect(target({ arn, eventBusName: "default" })).rejects.toThrow(/Rule high does not exist on event bus default/);
    await expect(rule("r", {})).rejects.toThrow(/EventPattern or ScheduleExpression/);
    await expect(rule("r", { eventPattern: "no json" })).rejects.toMatchObject({ code: "InvalidEventPatternException" });
    await expect(rule("r", { scheduleExpression: "every day" })).rejects.toThrow(/ScheduleExpression is not valid/);
    await expect(rule("r", { eventBusName: "bus", scheduleExpression: "rate(1 day)" })).rejects.toThrow(/default event bus/);
    await expect(rule("r", { eventBusName: "none", eventPattern: '{"source":["s"]}' })).rejects.toThrow(/none does not exist/);
  });

  it("retries a failing target until its attempts are used up", async () => {
    const { sqs, events, registry, advance, target } = await setUp();
    let calls = 0;
    registry.register("lambda", () => {
      calls++;
      throw new Error("busy");
    });
    await target({
      arn: "arn:aws:lambda:us-east-1:000000000000:function:f",
      deadLetterConfig: { arn: sqs.arnOf("dead") },
      retryPolicy: { maximumRetryAttempts: 2 },
    });
    await call(events, "PutEvents", { Entries: [entry(90)] });
    for (let round = 0; round < 3; round++) {
      await events.settle();
      advance(10_000);
    }
    expect(calls).toBe(3);
    expect(sqs.store.counts("dead").visible).toBe(1);
  });

  it("runs a schedule once when it is due and not when disabled", async () => {
    const { sqs, events, advance, rule, target } = await setUp();
    const schedule = { scheduleExpression: "rate(5 minutes)" };
    await rule("nightly", schedule);
    await target({ rule: "nightly", eventBusName: "default", arn: sqs.arnOf("q"), input: "{}" });
    for (let minute = 0; minute < 6; minute++) {
      await events.tick();
      advance(60_000);
    }
    expect(sqs.store.counts("q").visible).toBe(1);
    await rule("nightly", { ...schedule, state: "DISABLED" });
    advance(600_000);
    await events.tick();
    expect(sqs.store.counts("q").visible).toBe(1);
  });
});

describe("CloudWatch", () => {
  it("raises an alarm from embedded metrics and mails it", async () => {
    const { cloudwatch, logs, sns, context, advance, alarm } = world();
    sns.saveTopic("ops", { Policy: allowService("cloudwatch.amazonaws.com", "sns:Publish", sns.arnOf("ops")) });
    sns.subscribe(sns.arnOf("ops"), "email", "ops@example.com", `${sns.arnOf("ops")}:1`);
    await alarm("slow", {
      namespace: "LeadScoring",
      metricName: "ScoringLatency",
      statistic: "Average",
      period: 300,
      evaluationPeriods: 2,
      threshold: 3000,
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "notBreaching",
      alarmActions: [sns.arnOf("ops")],
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

  it("refuses alarms that AWS doesn't take, and dashboards without widgets", async () => {
    const { create, alarm } = world();
    const good = {
      namespace: "N",
      metricName: "m",
      statistic: "Sum",
      period: 60,
      evaluationPeriods: 1,
      threshold: 0,
      comparisonOperator: "GreaterThanThreshold",
    };
    await expect(alarm("a", { ...good, evaluationPeriods: 0 })).rejects.toThrow(/evaluationPeriods.*from 1 to 1440/);
    await expect(alarm("a", { ...good, comparisonOperator: "Above" })).rejects.toThrow(/ComparisonOperator Above/);
    await expect(alarm("a", { ...good, datapointsToAlarm: 2 })).rejects.toThrow(/not be more than EvaluationPeriods/);
    const { namespace: _, metricName: __, ...common } = good;
    const metric = (period: number) => ({ namespace: "N", metricName: "m", period, stat: "Sum" });
    const queries = (...metricQueries: object[]) => alarm("a", { ...common, metricQueries });
    await expect(queries({ id: "a", returnData: true })).rejects.toThrow(/share one Period, got none/);
    const [one, other] = [60, 300].map((period) => ({ id: `m${period}`, metric: metric(period) }));
    await expect(queries({ ...one, returnData: true }, other ?? {})).rejects.toThrow(/share one Period, got 60, 300/);
    await expect(queries({ ...one, expression: "1", returnData: true })).rejects.toThrow(/exactly one of MetricStat/);
    await expect(queries(one ?? {})).rejects.toThrow(/exactly one query must have ReturnData/);
    const dashboard = (dashboardBody: string) =>
      create("aws:cloudwatch/dashboard:Dashboard", "d", { dashboardName: "d", dashboardBody });
    await expect(dashboard("{}")).rejects.toThrow(/list of widgets/);
    await expect(dashboard('{"widgets":[]}')).resolves.toBeDefined();
  });

  it("filters log events by terms", async () => {
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
    expect(await count("?INFO ?plain")).toBe(2);
    expect(await count("ERROR -plain")).toBe(1);
    await expect(count("[a, b]")).rejects.toThrow(/knows terms/);
    await expect(count("{ $.level = 1 }")).rejects.toThrow(/knows terms/);
  });
});

describe("an operation that isn't there", () => {
  it("is refused by name, with those that are", async () => {
    const { sqs, sns } = world();
    await expect(call(sqs, "PurgeQueue", {})).rejects.toMatchObject({
      code: "UnknownOperationException",
      message: expect.stringMatching(/sqs:PurgeQueue.*ReceiveMessage/),
    });
    await expect(call(sns, "CreatePlatformEndpoint", {})).rejects.toMatchObject({ code: "UnknownOperationException" });
  });

  it("refuses a member that it would have to ignore", async () => {
    const { sqs } = world();
    await expect(call(sqs, "ReceiveMessage", { QueueUrl: "q", ReceiveRequestAttemptId: "a" })).rejects.toThrow(
      /ReceiveMessage: ReceiveRequestAttemptId is not supported/,
    );
  });
});
