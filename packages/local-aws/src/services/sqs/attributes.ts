import { isRecord, messageOf } from "@risk/program-graph";
import { AwsError } from "../../contracts";
import { parsePolicy } from "../../permissions/policy";

const numeric: Readonly<Record<string, readonly [number, number]>> = {
  DelaySeconds: [0, 900],
  MaximumMessageSize: [1024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  VisibilityTimeout: [0, 43_200],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
};

export const settableAttributes = [...Object.keys(numeric), "Policy", "RedrivePolicy", "KmsMasterKeyId", "SqsManagedSseEnabled"];

export const defaultAttributes: Readonly<Record<string, string>> = {
  DelaySeconds: "0",
  MaximumMessageSize: "1048576",
  MessageRetentionPeriod: "345600",
  ReceiveMessageWaitTimeSeconds: "0",
  VisibilityTimeout: "30",
};

/** Checks settable queue attributes. */
export function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  for (const [name, [low, high]] of Object.entries(numeric)) {
    const value = Number(attributes[name] ?? low);
    if (!Number.isInteger(value) || value < low || value > high)
      throw new AwsError("InvalidAttributeValue", `${name} must be an integer from ${low} to ${high}, got ${attributes[name]}.`);
  }
  if (attributes.Policy !== undefined) {
    try {
      parsePolicy(attributes.Policy, "Policy", "resource");
    } catch (error) {
      throw new AwsError("InvalidAttributeValue", `Policy is not a policy document: ${messageOf(error)}`);
    }
  }
  if (attributes.RedrivePolicy !== undefined) parseRedrive(attributes.RedrivePolicy);
}

export function parseRedrive(text: string): { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number } {
  const fail = () =>
    new AwsError(
      "InvalidAttributeValue",
      'RedrivePolicy must be {"deadLetterTargetArn": "arn:…", "maxReceiveCount": 1 to 1000}.',
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail();
  }
  if (!isRecord(value)) throw fail();
  // The count may be text: CloudFormation and older consoles send it that way.
  const maxReceiveCount = Number(value.maxReceiveCount);
  if (
    typeof value.deadLetterTargetArn !== "string" ||
    !Number.isInteger(maxReceiveCount) ||
    maxReceiveCount < 1 ||
    maxReceiveCount > 1000
  )
    throw fail();
  return { deadLetterTargetArn: value.deadLetterTargetArn, maxReceiveCount };
}
