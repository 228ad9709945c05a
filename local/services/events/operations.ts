import { AwsError } from "../../contracts";
import { parsePolicy } from "../../gateway/permissions/policy";
import { compileEventPattern } from "../event-pattern";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { parseSchedule } from "../schedules";
import type { EventsService } from "./index";
import { parsePath } from "./input-transformer";
import type { Rule, Target } from "./store";

const eventLimitBytes = 262_144;
const patternLimit = 4096;
/** Fields of a target with a local effect. */
export const targetFields = [
  "Id",
  "Arn",
  "RoleArn",
  "Input",
  "InputPath",
  "InputTransformer",
  "DeadLetterConfig",
  "RetryPolicy",
  "SqsParameters",
  "KinesisParameters",
];

export function eventsOperations(events: EventsService): Record<string, Operation> {
  const { store } = events;
  const busOf = (input: Input, field = "EventBusName") => events.busName(input.text(field));
  const busResource = (field: string) => (input: Input) => events.busArn(busOf(input, field));
  const ruleResource = (field: string) => (input: Input) => events.ruleArn({ bus: busOf(input), name: input.needText(field) });
  const onRule = (
    fields: readonly string[],
    run: (rule: Rule, input: Input) => object | undefined,
    field = "Name",
  ): Operation => ({
    fields: [field, "EventBusName", ...fields],
    resource: ruleResource(field),
    run: (input) => run(store.rule(busOf(input), input.needText(field)), input),
  });
  const enable = (enabled: boolean) =>
    onRule([], (rule) => {
      store.saveRule({ ...rule, enabled });
      return undefined;
    });
  return {
    PutEvents: {
      fields: ["Entries"],
      resource: (input) => events.busArn(events.busName(input.children("Entries", entryFields)?.[0]?.text("EventBusName"))),
      run: (input) => putEvents(events, input),
    },
    TestEventPattern: {
      fields: ["EventPattern", "Event"],
      resource: () => "*",
      run: (input) => {
        const matcher = compileEventPattern(input.needText("EventPattern"));
        return { Result: matcher(parseJson(input, "Event")) };
      },
    },
    CreateEventBus: {
      fields: ["Name", "Tags", "Description"],
      resource: busResource("Name"),
      run: (input) => {
        const name = input.needText("Name");
        if (store.buses().some((bus) => bus.name === name))
          throw new AwsError("ResourceAlreadyExistsException", `Event bus ${name} already exists.`);
        store.saveBus(name);
        return { EventBusArn: events.busArn(name) };
      },
    },
    DeleteEventBus: {
      fields: ["Name"],
      resource: busResource("Name"),
      run: (input) => {
        events.deleteBus(input.needText("Name"));
        return undefined;
      },
    },
    DescribeEventBus: {
      fields: ["Name"],
      resource: busResource("Name"),
      run: (input) => {
        const bus = store.bus(busOf(input, "Name"));
        return { Name: bus.name, Arn: events.busArn(bus.name), Policy: bus.policy };
      },
    },
    ListEventBuses: {
      fields: ["NamePrefix", "NextToken", "Limit"],
      resource: () => "*",
      run: (input) => {
        const all = store.buses().filter((bus) => bus.name.startsWith(input.text("NamePrefix") ?? ""));
        const { items, nextToken } = page(all, input.text("NextToken"), input.integer("Limit", 1, 100) ?? 100);
        return {
          EventBuses: items.map((bus) => ({ Name: bus.name, Arn: events.busArn(bus.name), Policy: bus.policy })),
          NextToken: nextToken,
        };
      },
    },
    PutPermission: {
      fields: ["EventBusName", "Policy"],
      resource: busResource("EventBusName"),
      run: (input) => {
        const policy = input.needText("Policy");
        parsePolicy(policy, "Policy");
        store.setPolicy(busOf(input), policy);
        return undefined;
      },
    },
    PutRule: {
      fields: ["Name", "EventBusName", "EventPattern", "ScheduleExpression", "State", "Description"],
      resource: ruleResource("Name"),
      run: (input) => {
        const state = input.text("State") ?? "ENABLED";
        if (state !== "ENABLED" && state !== "DISABLED") throw input.error(`State ${state} must be ENABLED or DISABLED`);
        const rule = {
          bus: busOf(input),
          name: input.needText("Name"),
          description: input.text("Description"),
          pattern: input.text("EventPattern"),
          schedule: input.text("ScheduleExpression"),
          enabled: state === "ENABLED",
        };
        checkRule(rule);
        store.saveRule(rule);
        return { RuleArn: events.ruleArn(rule) };
      },
    },
    DeleteRule: onRule(["Force"], (rule) => {
      events.deleteRule(rule.bus, rule.name);
      return undefined;
    }),
    DescribeRule: onRule([], (rule) => describe(events, rule)),
    EnableRule: enable(true),
    DisableRule: enable(false),
    ListRules: {
      fields: ["NamePrefix", "EventBusName", "NextToken", "Limit"],
      resource: (input) => events.ruleArn({ bus: busOf(input), name: "*" }),
      run: (input) => {
        const all = store
          .rules(store.bus(busOf(input)).name)
          .filter((rule) => rule.name.startsWith(input.text("NamePrefix") ?? ""));
        const { items, nextToken } = page(all, input.text("NextToken"), input.integer("Limit", 1, 100) ?? 100);
        return { Rules: items.map((rule) => describe(events, rule)), NextToken: nextToken };
      },
    },
    PutTargets: onRule(
      ["Targets"],
      (rule, input) => {
        const targets = input.needChildren("Targets", targetFields).map(targetOf);
        if (targets.length > 5) throw new AwsError("LimitExceededException", "Targets: a rule has at most 5 targets.");
        for (const target of targets) store.saveTarget(rule.bus, rule.name, target);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
      "Rule",
    ),
    RemoveTargets: onRule(
      ["Ids", "Force"],
      (rule, input) => {
        for (const id of input.texts("Ids") ?? []) store.deleteTarget(rule.bus, rule.name, id);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
      "Rule",
    ),
    ListTargetsByRule: onRule(
      ["NextToken", "Limit"],
      (rule, input) => {
        const { items, nextToken } = page(
          store.targets(rule.bus, rule.name),
          input.text("NextToken"),
          input.integer("Limit", 1, 100) ?? 100,
        );
        return { Targets: items.map(describeTarget), NextToken: nextToken };
      },
      "Rule",
    ),
  };
}

const entryFields = ["Time", "Source", "Resources", "DetailType", "Detail", "EventBusName", "TraceHeader"];

function putEvents(events: EventsService, input: Input): object {
  const entries = input.needChildren("Entries", entryFields);
  if (entries.length < 1 || entries.length > 10) throw input.error(`Entries must hold 1 to 10 entries, got ${entries.length}`);
  const bytes = entries.reduce((sum, entry) => sum + entrySize(entry), 0);
  if (bytes > eventLimitBytes) throw input.error(`Entries hold ${bytes} bytes, more than ${eventLimitBytes}`);
  const results = entries.map((entry) => {
    try {
      return { EventId: putEvent(events, entry) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { ErrorCode: error.code, ErrorMessage: error.message };
    }
  });
  return { FailedEntryCount: results.filter((result) => "ErrorCode" in result).length, Entries: results };
}

/** AWS's own measure: 14 bytes for a time, and the UTF-8 bytes of the texts. */
function entrySize(entry: Input): number {
  const texts = ["Source", "DetailType", "Detail"].map((field) => entry.text(field) ?? "");
  return (
    (entry.has("Time") ? 14 : 0) +
    [...texts, ...(entry.texts("Resources") ?? [])].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  );
}

function putEvent(events: EventsService, entry: Input): string {
  const needed = (field: string) => {
    const value = entry.text(field);
    if (value === undefined || value === "")
      throw new AwsError("InvalidArgument", `Parameter ${field} is not valid. Reason: ${field} is a required argument.`);
    return value;
  };
  const source = needed("Source");
  const detailType = needed("DetailType");
  const detailText = needed("Detail");
  if (source.startsWith("aws."))
    throw new AwsError("NotAuthorizedForSourceException", `Source ${source}: sources that begin with aws. are reserved.`);
  let detail: unknown;
  try {
    detail = JSON.parse(detailText);
  } catch {
    throw new AwsError("MalformedDetail", "Detail is malformed: it must be a JSON object.");
  }
  if (typeof detail !== "object" || detail === null || Array.isArray(detail))
    throw new AwsError("MalformedDetail", "Detail is malformed: it must be a JSON object.");
  const bus = events.busName(entry.text("EventBusName"));
  const known = events.store.buses().some((one) => one.name === bus);
  const timeMs = entry.time("Time") ?? events.context.clock.now();
  const event = events.envelope({ source, detailType, detail, resources: entry.texts("Resources") ?? [], timeMs });
  // AWS accepts an event for a bus that does not exist and drops it; here that would hide a typo.
  if (!known) throw new AwsError("ResourceNotFoundException", `EventBusName ${bus} does not exist.`);
  events.publish(bus, event);
  return event.id;
}

export function checkRule(rule: Pick<Rule, "bus" | "name" | "pattern" | "schedule">): void {
  if (rule.pattern === undefined && rule.schedule === undefined)
    throw new AwsError("ValidationException", "EventPattern or ScheduleExpression is required.");
  if (rule.schedule !== undefined) {
    if (rule.bus !== "default")
      throw new AwsError("ValidationException", "ScheduleExpression is only supported on the default event bus.");
    parseSchedule(rule.schedule);
  }
  if (rule.pattern !== undefined) {
    if (rule.pattern.length > patternLimit)
      throw new AwsError("ValidationException", `EventPattern is longer than ${patternLimit} characters.`);
    compileEventPattern(rule.pattern);
  }
}

/** State machines are started with a role; queues, topics and functions are reached by their own policies. */
export function checkTargetRole(arn: string, roleArn: string | undefined): void {
  if (arn.split(":")[2] === "states" && roleArn === undefined)
    throw new AwsError("ValidationException", `RoleArn is required for target ${arn}.`);
}

function targetOf(input: Input): Target {
  const transformer = input.child("InputTransformer", ["InputPathsMap", "InputTemplate"]);
  const paths = transformer?.textMap("InputPathsMap") ?? {};
  const retry = input.child("RetryPolicy", ["MaximumRetryAttempts", "MaximumEventAgeInSeconds"]);
  const chosen = ["Input", "InputPath", "InputTransformer"].filter((name) => input.has(name));
  if (chosen.length > 1)
    throw input.error(`only one of Input, InputPath and InputTransformer may be given, got ${chosen.join(", ")}`);
  for (const path of [...Object.values(paths), input.text("InputPath") ?? "$"]) parsePath(path);
  if (input.has("Input")) parseJson(input, "Input");
  checkTargetRole(input.needText("Arn"), input.text("RoleArn"));
  return {
    Id: input.needText("Id"),
    Arn: input.needText("Arn"),
    RoleArn: input.text("RoleArn"),
    Input: input.text("Input"),
    InputPath: input.text("InputPath"),
    InputTransformer:
      transformer === undefined ? undefined : { InputPathsMap: paths, InputTemplate: transformer.needText("InputTemplate") },
    DeadLetterArn: input.child("DeadLetterConfig", ["Arn"])?.text("Arn"),
    MaximumRetryAttempts: retry?.integer("MaximumRetryAttempts", 0, 185) ?? 185,
    MaximumEventAgeInSeconds: retry?.integer("MaximumEventAgeInSeconds", 60, 86_400) ?? 86_400,
    MessageGroupId: input.child("SqsParameters", ["MessageGroupId"])?.text("MessageGroupId"),
    PartitionKeyPath: input.child("KinesisParameters", ["PartitionKeyPath"])?.text("PartitionKeyPath"),
  };
}

function parseJson(input: Input, field: string): unknown {
  try {
    return JSON.parse(input.needText(field));
  } catch (error) {
    if (error instanceof SyntaxError) throw input.error(`${field} is not JSON: ${error.message}`);
    throw error;
  }
}

function describe(events: EventsService, rule: Rule): object {
  return {
    Name: rule.name,
    Arn: events.ruleArn(rule),
    EventPattern: rule.pattern,
    ScheduleExpression: rule.schedule,
    State: rule.enabled ? "ENABLED" : "DISABLED",
    Description: rule.description,
    EventBusName: rule.bus,
  };
}

function describeTarget(target: Target): object {
  const { DeadLetterArn, MaximumRetryAttempts, MaximumEventAgeInSeconds, MessageGroupId, PartitionKeyPath, ...rest } = target;
  return {
    ...rest,
    DeadLetterConfig: DeadLetterArn === undefined ? undefined : { Arn: DeadLetterArn },
    RetryPolicy: { MaximumRetryAttempts, MaximumEventAgeInSeconds },
    SqsParameters: MessageGroupId === undefined ? undefined : { MessageGroupId },
    KinesisParameters: PartitionKeyPath === undefined ? undefined : { PartitionKeyPath },
  };
}
