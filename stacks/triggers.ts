/** The ways in of a stack: what their settings mean, and what contradicts them. */
import type { EventBridgeTrigger, StreamTriggers } from "../components/stream-processor";
import type { Contradiction, StackConfig } from "./stack-config";
import { TRIGGERS, type TriggerName } from "./trigger-names";

/** "Understand data transformation flow", Data Firehose Developer Guide. */
const MAX_TRANSFORMATION_SECONDS = 300;

const namesIn = (config: StackConfig): string[] => config["fraud.triggers"].split(",");

export const hasTrigger = (config: StackConfig, name: TriggerName): boolean => namesIn(config).includes(name);

/** Whether events come through the queue. */
export const hasQueue = (config: StackConfig): boolean => hasTrigger(config, "eventbridge") || hasTrigger(config, "rest");

export function streamTriggers(config: StackConfig): StreamTriggers {
  return {
    ...(hasTrigger(config, "kinesis") ? { kinesis: kinesisTrigger(config) } : {}),
    ...(hasTrigger(config, "eventbridge") ? { eventBridge: eventBridgeTrigger(config) } : {}),
    ...(hasTrigger(config, "firehose") ? { firehose: { bufferSeconds: config["fraud.firehoseSeconds"] } } : {}),
    ...(hasTrigger(config, "rest") ? { rest: true } : {}),
    ...(hasTrigger(config, "s3") ? { s3: {} } : {}),
  };
}

const kinesisTrigger = (config: StackConfig): NonNullable<StreamTriggers["kinesis"]> => ({
  retentionHours: config["fraud.retentionHours"],
  batchSize: config["fraud.batchSize"],
  batchWindowSeconds: config["fraud.batchWindowSeconds"],
  parallelization: config["fraud.parallelization"],
  maxRetries: config["fraud.maxRetries"],
  maxAgeSeconds: config["fraud.maxAgeSeconds"],
});

function eventBridgeTrigger(config: StackConfig): Partial<EventBridgeTrigger> {
  const busName = config["fraud.eventBus"];
  const pattern = config["fraud.eventPattern"];
  return { ...(busName === "" ? {} : { busName }), ...(pattern === undefined ? {} : { pattern }) };
}

export function triggerContradictions(config: StackConfig): Contradiction[] {
  const names = namesIn(config);
  const unique = TRIGGERS.filter((name) => names.includes(name));
  const isSlow = hasTrigger(config, "firehose") && config["fraud.timeoutSeconds"] > MAX_TRANSFORMATION_SECONDS;
  const found: Contradiction[] = [];
  if (unique.length < names.length) found.push({ key: "fraud.triggers", expected: "each trigger once", fix: unique.join(",") });
  if (isSlow)
    found.push({
      key: "fraud.timeoutSeconds",
      expected: `at most ${MAX_TRANSFORMATION_SECONDS} with the trigger firehose, which waits no longer for a transformation`,
      fix: String(MAX_TRANSFORMATION_SECONDS),
    });
  return found;
}
