import { Parameter } from "@pulumi/aws/ssm";
import type * as pulumi from "@pulumi/pulumi";
import type { PolicyDocument } from "../../functions/scoring/core/policy-document";
import { MAX_POLICY_BYTES } from "../../functions/scoring/policy/schema";
import type { Statement } from "./iam";

/**
 * The policy of a profile as a parameter that running functions read again regularly: changing a threshold only touches this
 * resource.
 * @throws Error when the document is larger than a standard parameter.
 */
export function policyParameter(
  name: string,
  args: { readonly parameterName?: string; readonly policy: PolicyDocument },
  opts: pulumi.CustomResourceOptions,
): Parameter {
  const value = JSON.stringify(args.policy);
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_POLICY_BYTES) {
    throw new Error(
      `Policy of profile "${args.policy.profile}" is ${bytes} bytes; a standard SSM parameter holds ${MAX_POLICY_BYTES}. ` +
        "Shorten the texts of its rules or remove rules.",
    );
  }
  return new Parameter(
    name,
    {
      ...(args.parameterName === undefined ? {} : { name: args.parameterName }),
      type: "String",
      description: `Rules, weights, thresholds and bands of profile ${args.policy.profile}; read by running functions`,
      value,
    },
    opts,
  );
}

/** Functions read all their parameters in one call. IAM checks every name in it, so one that isn't granted fails the whole call. */
export function readParameter(parameter: Parameter, sid = "ReadPolicy"): Statement {
  return { sid, actions: ["ssm:GetParameters"], resources: [parameter.arn] };
}
