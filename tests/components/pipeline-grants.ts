/** Reads what a role of the pipelines may do. */
import type { Evaluation } from "../helpers/recorder";

interface PolicyStatement {
  readonly Sid: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: unknown;
}

export const BUCKET = "company-risk-pipelines-dev-us-east-1-a1";
export const ACCOUNT = "123456789012";

/** Statements of a role by id, ARNs shortened to what follows the account or the bucket. */
export function grants(graph: Evaluation, role: string): Record<string, readonly [readonly string[], readonly string[]]> {
  // Written by our own policyDocument, whose shape this is.
  const document = JSON.parse(String(graph.find("aws:iam/rolePolicy:RolePolicy", `${role}-permissions`).inputs.policy)) as {
    readonly Statement: readonly PolicyStatement[];
  };
  return Object.fromEntries(document.Statement.map(({ Sid, Action, Resource }) => [Sid, [Action, Resource.map(shortened)]]));
}

const shortened = (arn: string): string => arn.replace(/^arn:aws:[\w-]+:[\w-]*:\d*:/, "").replace(`${BUCKET}/`, "");

export const KEY = "platform-key-0001";
