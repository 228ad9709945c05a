/** Events over REST: `POST /events` → the queue of a stream processor; `GET /decisions/{id}` → its results. */
import type { MetricAlarm } from "@pulumi/aws/cloudwatch";
import type * as pulumi from "@pulumi/pulumi";
import { EVENTS_SCHEMA } from "../../functions/rest/events-schema";
import { toDraft04 } from "../../functions/scoring/core/draft04";
import { type AlarmContext, alarm, functionAlarms } from "../shared/alarms";
import type { EventIntake } from "../shared/event-intake";
import { PlatformFunction, type PlatformFunctionArgs } from "../shared/function";
import { environmentOf } from "../shared/naming";
import { tableStatement } from "../shared/tables";
import type { RouteTarget } from "./route";
import { METRIC_NAMESPACE } from "./scoring-function";
import type { ScoringSettings } from "./settings";

export interface Events {
  readonly taker: PlatformFunction;
  readonly reader: PlatformFunction;
  /** What the gateway calls. */
  readonly targets: readonly RouteTarget[];
}

export const EVENTS_PATH = "/events";
const DECISIONS_PATH = "/decisions/{id}";

/** Enough for a body of 500 events, and below the gateway's 29 seconds. */
const TIMEOUT_SECONDS = 20;

export function createEvents(instance: string, intake: EventIntake, settings: ScoringSettings, parent: pulumi.Resource): Events {
  const taker = createTaker(instance, intake, settings, parent);
  const reader = createReader(instance, intake, settings, parent);
  const target = ({ nodes: { function: lambda } }: PlatformFunction) => ({
    invokeArn: lambda.invokeArn,
    functionName: lambda.name,
    qualifier: undefined,
  });
  return {
    taker,
    reader,
    targets: [
      {
        ...target(taker),
        method: "POST",
        path: EVENTS_PATH,
        id: "events",
        description: EVENTS_SCHEMA.description ?? "",
        operationName: "sendEvents",
        model: toDraft04(EVENTS_SCHEMA),
      },
      {
        ...target(reader),
        method: "GET",
        path: DECISIONS_PATH,
        id: "decisions",
        description: "What was decided about an event",
        operationName: "getDecision",
        model: undefined,
      },
    ],
  };
}

/** May send to the queue, and nothing else. */
function createTaker(
  instance: string,
  { profile, queue, eventTime }: EventIntake,
  settings: ScoringSettings,
  parent: pulumi.Resource,
): PlatformFunction {
  return new PlatformFunction(
    `${instance}-events`,
    {
      ...common(settings),
      description: `Takes events of ${profile.id} at POST ${EVENTS_PATH}`,
      entry: "events",
      callbackFactory: () => require("./bundles/events/index.js").handler,
      environment: {
        ...reporting(settings),
        PROFILE: profile.id,
        EVENT_QUEUE_URL: queue.url,
        MAX_EVENT_AGE_DAYS: String(eventTime.maxAgeDays),
        MAX_EVENT_FUTURE_MINUTES: String(eventTime.maxFutureMinutes),
      },
      permissions: queue.sendStatements(),
    },
    { parent },
  );
}

/** May read one result at a time, and nothing else. */
function createReader(
  instance: string,
  { profile, results }: EventIntake,
  settings: ScoringSettings,
  parent: pulumi.Resource,
): PlatformFunction {
  return new PlatformFunction(
    `${instance}-decisions`,
    {
      ...common(settings),
      description: `Answers with decisions of ${profile.id} at GET ${DECISIONS_PATH}`,
      entry: "decisions",
      callbackFactory: () => require("./bundles/decisions/index.js").handler,
      environment: { ...reporting(settings), PROFILE: profile.id, RESULTS_TABLE: results.name },
      permissions: [tableStatement("ReadResult", results, ["GetItem"]), settings.context.key.decryptStatement()],
    },
    { parent },
  );
}

type Common = Omit<PlatformFunctionArgs, "description" | "entry" | "callbackFactory" | "environment" | "permissions">;

const common = ({ context, function: { reservedConcurrency } }: ScoringSettings): Common => ({
  ...context,
  memoryMb: 512,
  timeoutSeconds: TIMEOUT_SECONDS,
  ...(reservedConcurrency === undefined ? {} : { reservedConcurrency }),
});

const reporting = ({ context }: ScoringSettings): Readonly<Record<string, string>> => ({
  METRIC_NAMESPACE,
  ENVIRONMENT: environmentOf(context.naming),
  LOG_LEVEL: "info",
});

export function createEventsAlarms(
  instance: string,
  { context, function: { errorRateAlarmPercent } }: ScoringSettings,
  { taker, reader }: Events,
  parent: pulumi.Resource,
): MetricAlarm[] {
  const alarms: AlarmContext = { parent, topicArn: context.alarmTopicArn };
  const ofFunction = (name: string, { functionName }: PlatformFunction) =>
    functionAlarms(`${instance}-${name}`, alarms, {
      functionName,
      timeoutSeconds: TIMEOUT_SECONDS,
      errorRatePercent: errorRateAlarmPercent,
    });
  // The functions answer 503 instead of failing, so that their callers know to ask again.
  const unavailable = (name: string, metricName: string, description: string) =>
    alarm(`${instance}-${name}-unavailable`, alarms, {
      alarmDescription: description,
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensions: { Environment: environmentOf(context.naming), Route: name },
      statistic: "Sum",
      period: 300,
      evaluationPeriods: 2,
      threshold: 0,
    });
  return [
    ...ofFunction("events", taker),
    unavailable("events", "EventsErrors", "Events could not be queued; their senders were told to send them again."),
    ...ofFunction("decisions", reader),
    unavailable("decisions", "DecisionErrors", "Decisions could not be read; their callers were told to ask again."),
  ];
}
