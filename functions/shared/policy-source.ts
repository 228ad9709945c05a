import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import type { Validate } from "../core/json-schema";
import { problemText } from "../core/problems";
import type { AnyProfile } from "../core/profile";
import { type CompiledPolicy, parsePolicy } from "../policy/compile";
import type { Clock } from "./clock";
import { describeError, type Log } from "./log";
import type { Metrics } from "./metrics";

export interface PolicySource {
  /**
   * The policy to score with now. Waits only for the very first document; afterwards it answers at once and refreshes in the
   * background when the value is older than the TTL. Throws when there has never been a valid document.
   */
  current(): Promise<CompiledPolicy>;
}

export interface PolicySourceArgs {
  /** Reads the text of the parameter. */
  readonly read: () => Promise<string>;
  readonly profile: AnyProfile;
  readonly validatePolicy: Validate;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The parameter's text straight from SSM. */
export const parameterReader = (client: SSMClient, name: string) => async (): Promise<string> => {
  const answer = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
  const text = answer.Parameter?.Value;
  if (text === undefined) throw new Error(`SSM parameter ${name} has no value; put the policy document of the profile into it.`);
  return text;
};

/**
 * Keeps the last good policy: when SSM fails or the new document is invalid, scoring goes on with the old one (whose
 * version every decision carries), a metric counts it and a log line says why.
 */
export function createPolicySource(args: PolicySourceArgs): PolicySource {
  const { read, profile, validatePolicy, ttlMs, clock, log, metrics } = args;
  let good: CompiledPolicy | undefined;
  /** Text of the last document that was looked at, good or bad: an unchanged one is not compiled again. */
  let seen: string | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    const text = await read();
    if (text === seen) return;
    const result = parsePolicy(text, profile, validatePolicy);
    if (!result.ok) {
      throw new Error(`The policy of profile "${profile.id}" is invalid: ${problemText(result.problems)}`);
    }
    seen = text;
    if (good !== undefined) log.info("policy_changed", { from: good.version, to: result.policy.version });
    good = result.policy;
  };

  const refresh = (): Promise<void> => {
    underWay ??= load().finally(() => {
      checkedAt = clock.now();
      underWay = undefined;
    });
    return underWay;
  };

  return {
    async current() {
      if (good === undefined) {
        await refresh();
      } else if (clock.now() - checkedAt >= ttlMs) {
        refresh().catch((error: unknown) => {
          metrics.add("PolicyRefreshFailures", "Count", 1);
          log.warn("policy_refresh_failed", { policyVersion: good?.version, error: describeError(error).message });
        });
      }
      return good as CompiledPolicy;
    },
  };
}
