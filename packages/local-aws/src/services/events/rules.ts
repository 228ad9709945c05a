/** Reads and checks rules and targets in the API's spelling, for bodies and operations. */

import { messageOf } from "@risk/program-graph";
import { AwsError } from "../../contracts";
import { compileEventPattern } from "../event-pattern";
import type { Input } from "../messaging/input";
import { parseSchedule } from "../schedules";
import { parsePath } from "./input-transformer";
import type { RuleSettings, Target } from "./store";

const patternLimit = 4096;
/** Fields of a target with a local effect. */
export const targetFields = ["Id", "Arn", "RoleArn", "Input", "InputTransformer", "DeadLetterConfig", "RetryPolicy"];
/** Services that a rule can deliver to here, as they are spelled in ARNs. AWS knows more, Kinesis streams among them. */
const targetServices = ["events", "lambda", "logs", "sns", "sqs", "states"];

export function ruleOf(input: Input, bus: string): RuleSettings {
  const state = input.text("State") ?? "ENABLED";
  if (state !== "ENABLED" && state !== "DISABLED") throw input.error(`State ${state} must be ENABLED or DISABLED`);
  const rule = {
    bus,
    name: input.needText("Name"),
    description: input.text("Description"),
    pattern: input.text("EventPattern"),
    schedule: input.text("ScheduleExpression"),
    enabled: state === "ENABLED",
  };
  if (rule.pattern === undefined && rule.schedule === undefined)
    throw new AwsError("ValidationException", "EventPattern or ScheduleExpression is required.");
  if (rule.schedule !== undefined) {
    if (bus !== "default")
      throw new AwsError("ValidationException", "ScheduleExpression is only supported on the default event bus.");
    parseSchedule(rule.schedule);
  }
  if (rule.pattern !== undefined) {
    if (rule.pattern.length > patternLimit)
      throw new AwsError("ValidationException", `EventPattern is longer than ${patternLimit} characters.`);
    compileEventPattern(rule.pattern);
  }
  return rule;
}

export function targetOf(input: Input): Target {
  const transformer = input.child("InputTransformer", ["InputPathsMap", "InputTemplate"]);
  const paths = transformer?.textMap("InputPathsMap") ?? {};
  const retry = input.child("RetryPolicy", ["MaximumRetryAttempts", "MaximumEventAgeInSeconds"]);
  const [arn, roleArn, constant] = [input.needText("Arn"), input.text("RoleArn"), input.text("Input")];
  if (constant !== undefined && transformer !== undefined)
    throw input.error("only one of Input and InputTransformer may be given");
  for (const path of Object.values(paths)) parsePath(path);
  if (constant !== undefined) checkJson(input, constant);
  const service = arn.split(":")[2] ?? "";
  if (!targetServices.includes(service))
    throw new AwsError(
      "NotImplemented",
      `The local runtime cannot deliver events to ${arn}: a target's service is one of ${targetServices.join(", ")}.`,
      501,
    );
  // State machines are started with a role; queues, topics and functions are reached by their own policies.
  if (service === "states" && roleArn === undefined)
    throw new AwsError("ValidationException", `RoleArn is required for target ${arn}.`);
  return {
    Id: input.needText("Id"),
    Arn: arn,
    RoleArn: roleArn,
    Input: constant,
    InputTransformer:
      transformer === undefined ? undefined : { InputPathsMap: paths, InputTemplate: transformer.needText("InputTemplate") },
    DeadLetterArn: input.child("DeadLetterConfig", ["Arn"])?.text("Arn"),
    MaximumRetryAttempts: retry?.integer("MaximumRetryAttempts", 0, 185) ?? 185,
    MaximumEventAgeInSeconds: retry?.integer("MaximumEventAgeInSeconds", 60, 86_400) ?? 86_400,
  };
}

function checkJson(input: Input, text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw input.error(`Input is not JSON: ${messageOf(error)}`);
  }
}
