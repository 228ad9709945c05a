/** Reads and checks rules and targets. */
import { messageOf } from "@risk/program-graph";
import { AwsError, type GraphResource } from "../../contracts";
import type { Fields } from "../../engine/fields";
import { compileEventPattern } from "../event-pattern";
import { fieldsOf } from "../resource-parts";
import { parseSchedule } from "../schedules";
import { parsePath } from "./input-transformer";
import type { RuleSettings, Target } from "./store";

const patternLimit = 4096;
/** Services that a rule can deliver to here, as they are spelled in ARNs. AWS knows more, other buses and Kinesis streams among them. */
const targetServices = ["lambda", "logs", "sns", "sqs", "states"];

const invalid = (message: string) => new AwsError("ValidationException", message);

export function ruleOf(resource: GraphResource, bus: string): RuleSettings {
  const fields = fieldsOf(resource);
  const state = fields.text("state") ?? "ENABLED";
  if (state !== "ENABLED" && state !== "DISABLED") throw invalid(`State ${state} must be ENABLED or DISABLED.`);
  const [pattern, schedule] = [fields.text("eventPattern"), fields.text("scheduleExpression")];
  if (pattern === undefined && schedule === undefined) throw invalid("EventPattern or ScheduleExpression is required.");
  if (schedule !== undefined) {
    if (bus !== "default") throw invalid("ScheduleExpression is only supported on the default event bus.");
    parseSchedule(schedule);
  }
  if (pattern !== undefined) {
    if (pattern.length > patternLimit) throw invalid(`EventPattern is longer than ${patternLimit} characters.`);
    compileEventPattern(pattern);
  }
  return { bus, name: String(resource.state.name), pattern, schedule, enabled: state === "ENABLED" };
}

export function targetOf(resource: GraphResource): Target {
  const fields = fieldsOf(resource);
  const [arn, roleArn, constant] = [fields.need("arn"), fields.text("roleArn"), fields.text("input")];
  const transformer = resource.inputs.inputTransformer === undefined ? undefined : transformerOf(fields.in("inputTransformer"));
  if (constant !== undefined && transformer !== undefined) throw invalid("Only one of Input and InputTransformer may be given.");
  if (constant !== undefined) checkJson(constant);
  const service = arn.split(":")[2] ?? "";
  if (!targetServices.includes(service))
    throw new AwsError(
      "NotImplemented",
      `The local runtime cannot deliver events to ${arn}: a target's service is one of ${targetServices.join(", ")}.`,
      501,
    );
  // State machines are started with a role; queues, topics and functions are reached by their own policies.
  if (service === "states" && roleArn === undefined) throw invalid(`RoleArn is required for target ${arn}.`);
  const retry = fields.in("retryPolicy");
  return {
    Id: String(resource.state.targetId),
    Arn: arn,
    RoleArn: roleArn,
    Input: constant,
    InputTransformer: transformer,
    DeadLetterArn: fields.in("deadLetterConfig").text("arn"),
    MaximumRetryAttempts: retry.integer("maximumRetryAttempts", 0, 185, 185),
    MaximumEventAgeInSeconds: retry.integer("maximumEventAgeInSeconds", 60, 86_400, 86_400),
  };
}

function transformerOf(fields: Fields): NonNullable<Target["InputTransformer"]> {
  const InputPathsMap = fields.record("inputPaths") as Readonly<Record<string, string>>;
  for (const path of Object.values(InputPathsMap)) parsePath(path);
  return { InputPathsMap, InputTemplate: fields.need("inputTemplate") };
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw invalid(`Input is not JSON: ${messageOf(error)}`);
  }
}
