import type { Validate } from "../scoring/core/json-schema";
import type { CompiledPolicy } from "../scoring/core/policy";
import type { AnyProfile } from "../scoring/core/profile";
import { parsePolicy } from "../scoring/policy/compile";
import { type FollowedDocument, followDocument } from "./followed-document";
import type { Log } from "./log";
import type { Metrics } from "./metrics";
import type { ParameterSource } from "./parameter-source";

/** The policy to score with. Decisions carry its version. */
export type PolicySource = FollowedDocument<CompiledPolicy>;

export interface PolicySourceArgs {
  readonly parameters: ParameterSource;
  /** Name of the policy's parameter. */
  readonly parameter: string;
  readonly profile: AnyProfile;
  readonly validatePolicy: Validate;
  readonly log: Log;
  readonly metrics: Metrics;
}

export function createPolicySource({ profile, validatePolicy, ...args }: PolicySourceArgs): PolicySource {
  return followDocument({
    ...args,
    name: "policy",
    title: `policy of profile "${profile.id}"`,
    failures: "PolicyRefreshFailures",
    parse: (text) => {
      const result = parsePolicy(text, profile, validatePolicy);
      return result.ok ? { ok: true, value: result.policy } : result;
    },
  });
}
