/**
 * GET /decisions/{id} → what was decided about an event. Environment: PROFILE, RESULTS_TABLE, METRIC_NAMESPACE, ENVIRONMENT; optional
 * LOG_LEVEL (info).
 *
 * The role needs, besides writing its own log group:
 * - dynamodb:GetItem on RESULTS_TABLE
 * - kms:Decrypt on the table's key
 */
import { createDecisionsHandler } from "../rest/decisions";
import type { RestHandler } from "../rest/route";
import { createDynamoDb } from "../shared/clients";
import { systemClock } from "../shared/clock";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";
import { createMetrics } from "../shared/metrics";
import { findResult } from "../stream/find-result";
import { readStreamedProfile } from "../stream/streamed-profile";

function wire(): RestHandler {
  const env = new EnvReader("decisions", process.env);
  const { profile } = readStreamedProfile(env);
  const table = env.text("RESULTS_TABLE");
  const namespace = env.text("METRIC_NAMESPACE");
  const environment = env.text("ENVIRONMENT");
  env.done();
  const client = createDynamoDb();
  return createDecisionsHandler({
    profile,
    find: (eventId) => findResult(client, table, eventId),
    clock: systemClock,
    log: createLog(env.optional("LOG_LEVEL", "info"), { function: "decisions" }),
    metrics: createMetrics(namespace, { Environment: environment, Route: "decisions" }, systemClock),
  });
}

export const handler: RestHandler = wire();
