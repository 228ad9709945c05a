import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { compileFilter } from "./filter-pattern";
import type { LogsService } from "./index";

const retentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const latest = Number.MAX_SAFE_INTEGER;

export function logsOperations(logs: LogsService): Record<string, Operation> {
  const groupOf = (input: Input) => {
    const name = input.text("logGroupName") ?? input.text("logGroupIdentifier");
    if (name === undefined) throw input.error("logGroupName is required");
    return name.startsWith("arn:") ? name.split(":").slice(6).join(":").replace(/:\*$/, "") : name;
  };
  const resource = (input: Input) => `${logs.arnOf(groupOf(input))}:*`;
  const streamResource = (input: Input) => `${logs.arnOf(groupOf(input))}:log-stream:${input.needText("logStreamName")}`;
  return {
    CreateLogGroup: {
      fields: ["logGroupName", "kmsKeyId", "tags"],
      resource,
      run: (input) => {
        const name = groupOf(input);
        if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name))
          throw input.error(`logGroupName ${name} must be 1 to 512 of a-z A-Z 0-9 . - _ / #`);
        if (logs.groups().some((group) => group.name === name))
          throw new AwsError("ResourceAlreadyExistsException", `The specified log group already exists: ${name}.`);
        logs.saveGroup(name, undefined, input.text("kmsKeyId"));
        return undefined;
      },
    },
    DeleteLogGroup: {
      fields: ["logGroupName"],
      resource,
      run: (input) => {
        logs.requireGroup(groupOf(input));
        logs.deleteGroup(groupOf(input));
        return undefined;
      },
    },
    PutRetentionPolicy: {
      fields: ["logGroupName", "retentionInDays"],
      resource,
      run: (input) => {
        const days = input.needInteger("retentionInDays", 1, 3653);
        if (!retentionDays.includes(days))
          throw input.error(`retentionInDays ${days} must be one of ${retentionDays.join(", ")}`);
        logs.requireGroup(groupOf(input));
        logs.saveGroup(groupOf(input), days);
        return undefined;
      },
    },
    CreateLogStream: {
      fields: ["logGroupName", "logStreamName"],
      resource: streamResource,
      run: (input) => {
        const stream = input.needText("logStreamName");
        logs.requireGroup(groupOf(input));
        if (logs.streams(groupOf(input)).some((one) => one.name === stream))
          throw new AwsError("ResourceAlreadyExistsException", `The specified log stream already exists: ${stream}.`);
        logs.createStream(groupOf(input), stream);
        return undefined;
      },
    },
    PutLogEvents: {
      // sequenceToken is accepted and ignored, as AWS does since 2023.
      fields: ["logGroupName", "logStreamName", "logEvents", "sequenceToken"],
      resource: streamResource,
      run: (input) => {
        const stream = input.needText("logStreamName");
        const events = input
          .needChildren("logEvents", ["timestamp", "message"])
          .map((event) => ({ timestamp: event.needInteger("timestamp", 0, latest), message: event.needText("message") }));
        if (events.length < 1 || events.length > 10_000)
          throw input.error(`logEvents must hold 1 to 10,000 events, got ${events.length}`);
        const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(event.message) + 26, 0);
        if (bytes > 1_048_576) throw input.error(`logEvents hold ${bytes} bytes, more than 1,048,576`);
        logs.requireGroup(groupOf(input));
        if (!logs.streams(groupOf(input)).some((one) => one.name === stream))
          throw new AwsError("ResourceNotFoundException", `The specified log stream does not exist: ${stream}.`);
        logs.append(groupOf(input), stream, events);
        return {};
      },
    },
    DescribeLogGroups: {
      fields: ["logGroupNamePrefix", "logGroupNamePattern", "nextToken", "limit"],
      resource: () => logs.arnOf("*"),
      run: (input) => {
        const prefix = input.text("logGroupNamePrefix") ?? "";
        const part = (input.text("logGroupNamePattern") ?? "").toLowerCase();
        const all = logs.groups().filter((group) => group.name.startsWith(prefix) && group.name.toLowerCase().includes(part));
        const { items, nextToken } = page(all, input.text("nextToken"), input.integer("limit", 1, 50) ?? 50);
        const logGroups = items.map((group) => ({
          logGroupName: group.name,
          creationTime: group.createdMs,
          retentionInDays: group.retentionDays,
          arn: `${logs.arnOf(group.name)}:*`,
          logGroupArn: logs.arnOf(group.name),
        }));
        return { logGroups, nextToken };
      },
    },
    DescribeLogStreams: {
      fields: ["logGroupName", "logGroupIdentifier", "logStreamNamePrefix", "orderBy", "descending", "nextToken", "limit"],
      resource,
      run: (input) => {
        const group = groupOf(input);
        logs.requireGroup(group);
        const last = new Map<string, number>();
        for (const event of logs.events(group, 0, latest))
          last.set(event.stream, Math.max(event.timestamp, last.get(event.stream) ?? 0));
        const all = logs.streams(group).filter((stream) => stream.name.startsWith(input.text("logStreamNamePrefix") ?? ""));
        if (input.text("orderBy") === "LastEventTime")
          all.sort((left, right) => (last.get(left.name) ?? 0) - (last.get(right.name) ?? 0));
        if (input.flag("descending") === true) all.reverse();
        const { items, nextToken } = page(all, input.text("nextToken"), input.integer("limit", 1, 50) ?? 50);
        const arn = logs.arnOf(group);
        const logStreams = items.map(({ name, createdMs }) => ({
          logStreamName: name,
          creationTime: createdMs,
          lastEventTimestamp: last.get(name),
          arn: `${arn}:log-stream:${name}`,
        }));
        return { logStreams, nextToken };
      },
    },
    GetLogEvents: {
      fields: [
        "logGroupName",
        "logGroupIdentifier",
        "logStreamName",
        "startTime",
        "endTime",
        "nextToken",
        "limit",
        "startFromHead",
      ],
      resource: streamResource,
      run: (input) => getEvents(logs, groupOf(input), input),
    },
    FilterLogEvents: {
      fields: [
        "logGroupName",
        "logGroupIdentifier",
        "logStreamNames",
        "logStreamNamePrefix",
        "startTime",
        "endTime",
        "filterPattern",
        "nextToken",
        "limit",
        "interleaved",
      ],
      resource,
      run: (input) => {
        const test = compileFilter(input.text("filterPattern") ?? "");
        const names = input.texts("logStreamNames");
        const prefix = input.text("logStreamNamePrefix") ?? "";
        const events = [
          ...logs.events(groupOf(input), input.number("startTime") ?? 0, (input.number("endTime") ?? latest - 1) + 1),
        ].filter(
          (event) =>
            (names === undefined || names.includes(event.stream)) && event.stream.startsWith(prefix) && test(event.message),
        );
        const { items, nextToken } = page(events, input.text("nextToken"), input.integer("limit", 1, 10_000) ?? 10_000);
        const shown = items.map((event) => ({
          logStreamName: event.stream,
          timestamp: event.timestamp,
          message: event.message,
          ingestionTime: event.ingested,
          eventId: String(event.id).padStart(56, "0"),
        }));
        return { events: shown, searchedLogStreams: [], nextToken };
      },
    },
    DescribeResourcePolicies: {
      fields: [],
      resource: () => "*",
      run: () => ({
        resourcePolicies: logs.policies().map(({ name, document }) => ({ policyName: name, policyDocument: document })),
      }),
    },
  };
}

function getEvents(logs: LogsService, group: string, input: Input): object {
  const stream = input.needText("logStreamName");
  if (!logs.streams(group).some((one) => one.name === stream))
    throw new AwsError("ResourceNotFoundException", `The specified log stream does not exist: ${stream}.`);
  const events = [...logs.events(group, input.number("startTime") ?? 0, input.number("endTime") ?? latest)].filter(
    (event) => event.stream === stream,
  );
  const limit = input.integer("limit", 1, 10_000) ?? 10_000;
  const token = /^([fb])\/(\d+)$/.exec(input.text("nextToken") ?? "");
  if (input.has("nextToken") && token === null) throw input.error("nextToken is not one that GetLogEvents returned");
  const mark = Number(token?.[2] ?? 0);
  const forward = token === null ? input.flag("startFromHead") === true : token[1] === "f";
  const from = token === null ? (forward ? 0 : Math.max(0, events.length - limit)) : forward ? mark : Math.max(0, mark - limit);
  const to = token === null || forward ? Math.min(events.length, from + limit) : mark;
  const shown = events
    .slice(from, to)
    .map((event) => ({ timestamp: event.timestamp, message: event.message, ingestionTime: event.ingested }));
  // The same token comes back when there is nothing more in that direction.
  return { events: shown, nextForwardToken: `f/${to}`, nextBackwardToken: `b/${from}` };
}
