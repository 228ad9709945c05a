/**
 * POST /events → messages of the event queue. Environment: PROFILE, EVENT_QUEUE_URL, METRIC_NAMESPACE, ENVIRONMENT; optional
 * MAX_EVENT_AGE_DAYS (7300), MAX_EVENT_FUTURE_MINUTES (60), LOG_LEVEL (info).
 *
 * The role needs, besides writing its own log group:
 * - sqs:SendMessage on the queue
 * - kms:GenerateDataKey and kms:Decrypt on the queue's key
 */
import { events } from "#validators";
import { createEventsHandler } from "../rest/events";
import type { RestHandler } from "../rest/route";
import { createSqs, FAST } from "../shared/clients";
import { systemClock } from "../shared/clock";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createMetrics } from "../shared/metrics";
import { createQueueSender } from "../shared/queue-sender";
import { readEventTime, readStreamedProfile } from "../stream/streamed-profile";

function wire(): RestHandler {
  const env = new EnvReader("events", process.env);
  const { profile, validate } = readStreamedProfile(env);
  const queueUrl = env.text("EVENT_QUEUE_URL");
  const namespace = env.text("METRIC_NAMESPACE");
  const environment = env.text("ENVIRONMENT");
  const eventTime = readEventTime(env);
  env.done();
  return createEventsHandler({
    profile,
    validate: events,
    validateEvent: validate,
    ...eventTime,
    queue: createQueueSender(createSqs(FAST), queueUrl),
    clock: systemClock,
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "events" }),
    metrics: createMetrics(namespace, { Environment: environment, Route: "events" }, systemClock),
  });
}

export const handler: RestHandler = wire();
