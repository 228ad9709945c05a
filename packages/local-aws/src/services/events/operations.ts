import { isRecord } from "@risk/program-graph";
import { AwsError } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import type { EventPort } from "./port";
import { ruleOf, targetFields, targetOf } from "./rules";
import type { Rule, Target } from "./store";

const eventLimitBytes = 262_144;
const entryFields = ["Time", "Source", "Resources", "DetailType", "Detail", "EventBusName", "TraceHeader"];

export function eventsOperations(events: EventPort): Record<string, Operation> {
  const { store } = events;
  const busOf = (input: Input) => events.busName(input.text("EventBusName"));
  const ruleResource = (field: string) => (input: Input) => events.ruleArn({ bus: busOf(input), name: input.needText(field) });
  const ofRule = (input: Input) => store.rule(busOf(input), input.needText("Rule"));
  return {
    PutEvents: {
      fields: ["Entries"],
      resource: (input) => events.busArn(events.busName(input.children("Entries", entryFields)?.[0]?.text("EventBusName"))),
      run: (input) => putEvents(events, input),
    },
    PutRule: {
      fields: ["Name", "EventBusName", "EventPattern", "ScheduleExpression", "State", "Description"],
      resource: ruleResource("Name"),
      run: (input) => {
        const rule = ruleOf(input, busOf(input));
        store.saveRule(rule);
        return { RuleArn: events.ruleArn(rule) };
      },
    },
    ListRules: {
      fields: ["NamePrefix", "EventBusName", "NextToken", "Limit"],
      resource: (input) => events.ruleArn({ bus: busOf(input), name: "*" }),
      run: (input) => {
        const prefix = input.text("NamePrefix") ?? "";
        const all = store.rules(store.bus(busOf(input)).name).filter((rule) => rule.name.startsWith(prefix));
        const { items, nextToken } = page(all, input.text("NextToken"), input.integer("Limit", 1, 100) ?? 100);
        return { Rules: items.map((rule) => describe(events, rule)), NextToken: nextToken };
      },
    },
    PutTargets: {
      fields: ["Rule", "EventBusName", "Targets"],
      resource: ruleResource("Rule"),
      run: (input) => {
        const { bus, name } = ofRule(input);
        const targets = input.needChildren("Targets", targetFields).map(targetOf);
        if (targets.length > 5) throw new AwsError("LimitExceededException", "Targets: a rule has at most 5 targets.");
        for (const target of targets) store.saveTarget(bus, name, target);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    },
    ListTargetsByRule: {
      fields: ["Rule", "EventBusName", "NextToken", "Limit"],
      resource: ruleResource("Rule"),
      run: (input) => {
        const { bus, name } = ofRule(input);
        const limit = input.integer("Limit", 1, 100) ?? 100;
        const { items, nextToken } = page(store.targets(bus, name), input.text("NextToken"), limit);
        return { Targets: items.map(describeTarget), NextToken: nextToken };
      },
    },
  };
}

function putEvents(events: EventPort, input: Input): object {
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

/** As AWS measures it: 14 bytes for a time, plus the UTF-8 bytes of the texts. */
function entrySize(entry: Input): number {
  const texts = ["Source", "DetailType", "Detail"].map((field) => entry.text(field) ?? "");
  return (
    (entry.has("Time") ? 14 : 0) +
    [...texts, ...(entry.texts("Resources") ?? [])].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  );
}

function putEvent(events: EventPort, entry: Input): string {
  const needed = (field: string) => {
    const value = entry.text(field);
    if (value === undefined || value === "")
      throw new AwsError("InvalidArgument", `Parameter ${field} is not valid. Reason: ${field} is a required argument.`);
    return value;
  };
  const source = needed("Source");
  const detailType = needed("DetailType");
  const detail = detailOf(needed("Detail"));
  if (source.startsWith("aws."))
    throw new AwsError("NotAuthorizedForSourceException", `Source ${source}: sources that begin with aws. are reserved.`);
  const bus = events.busName(entry.text("EventBusName"));
  const timeMs = entry.time("Time") ?? events.now();
  const event = events.envelope({ source, detailType, detail, resources: entry.texts("Resources") ?? [], timeMs });
  // AWS accepts an event for a bus that does not exist and drops it; here that would hide a typo.
  if (!events.store.buses().some((one) => one.name === bus))
    throw new AwsError("ResourceNotFoundException", `EventBusName ${bus} does not exist.`);
  events.publish(bus, event);
  return event.id;
}

function detailOf(text: string): unknown {
  const malformed = new AwsError("MalformedDetail", "Detail is malformed: it must be a JSON object.");
  let detail: unknown;
  try {
    detail = JSON.parse(text);
  } catch {
    throw malformed;
  }
  if (!isRecord(detail)) throw malformed;
  return detail;
}

function describe(events: EventPort, rule: Rule): object {
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

function describeTarget({ DeadLetterArn, MaximumRetryAttempts, MaximumEventAgeInSeconds, ...rest }: Target): object {
  return {
    ...rest,
    DeadLetterConfig: DeadLetterArn === undefined ? undefined : { Arn: DeadLetterArn },
    RetryPolicy: { MaximumRetryAttempts, MaximumEventAgeInSeconds },
  };
}
