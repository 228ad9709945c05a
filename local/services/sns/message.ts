import { AwsError } from "../../contracts";
import { compileEventPattern } from "../event-pattern";
import type { MessageAttributes } from "../sqs/md5";
import type { Subscription } from "./index";

export interface Publication {
  readonly topicArn: string;
  readonly message: string;
  readonly subject: string | undefined;
  readonly attributes: MessageAttributes;
  readonly messageId: string;
}

/** Whether the subscription's filter policy accepts the message. Throws InvalidParameter on a malformed policy. */
export function accepts(
  settings: Readonly<Record<string, string>>,
  publication: Pick<Publication, "message" | "attributes">,
): boolean {
  const policy = settings.FilterPolicy;
  if (policy === undefined || policy === "" || policy === "{}") return true;
  let matches: ReturnType<typeof compileEventPattern>;
  try {
    matches = compileEventPattern(policy);
  } catch (error) {
    throw new AwsError("InvalidParameter", `FilterPolicy: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (settings.FilterPolicyScope !== "MessageBody") return matches(attributeValues(publication.attributes));
  try {
    return matches(JSON.parse(publication.message));
  } catch (error) {
    // A body that is not JSON never matches a body filter (SNS developer guide).
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function attributeValues(attributes: MessageAttributes): Record<string, unknown> {
  const values = Object.entries(attributes).flatMap(([name, { DataType, StringValue = "" }]): [string, unknown][] => {
    if (DataType === "Binary") return [];
    if (DataType === "Number") return [[name, Number(StringValue)]];
    if (DataType !== "String.Array") return [[name, StringValue]];
    try {
      return [[name, JSON.parse(StringValue)]];
    } catch {
      throw new AwsError("InvalidParameterValue", `MessageAttributes.${name}: a String.Array must be a JSON array.`);
    }
  });
  return Object.fromEntries(values);
}

/** The notification as queues and functions see it. No signature: nothing local verifies one. */
export function envelope(publication: Publication, subscription: Subscription, timestamp: string): object {
  const attributes = Object.entries(publication.attributes).map(([name, attribute]) => [
    name,
    { Type: attribute.DataType, Value: attribute.StringValue ?? attribute.BinaryValue },
  ]);
  return {
    Type: "Notification",
    MessageId: publication.messageId,
    TopicArn: publication.topicArn,
    ...(publication.subject === undefined ? {} : { Subject: publication.subject }),
    Message: publication.message,
    Timestamp: timestamp,
    UnsubscribeURL: `unsubscribe:${subscription.arn}`,
    ...(attributes.length === 0 ? {} : { MessageAttributes: Object.fromEntries(attributes) }),
  };
}
