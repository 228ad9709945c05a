import type { Validate } from "../scoring/core/json-schema";
import type { CompiledPolicy } from "../scoring/core/policy";
import { problemText } from "../scoring/core/problems";
import type { AnyProfile } from "../scoring/core/profile";
import { parsePolicy } from "../scoring/policy/compile";
import { describeError, type Log } from "./log";
import type { Metrics } from "./metrics";
import type { ParameterSource, ParameterTexts } from "./parameter-source";

export interface PolicySource {
  /**
   * The policy to score with now. Waits only for the very first document; afterwards it returns at once, and changes of the parameter are
   * taken over in the background. Throws while there has never been a valid document.
   */
  current(): Promise<CompiledPolicy>;
}

export interface PolicySourceArgs {
  readonly parameters: ParameterSource;
  /** Name of the policy's parameter. */
  readonly parameter: string;
  readonly profile: AnyProfile;
  readonly validatePolicy: Validate;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Keeps the last good policy: when SSM fails or the new document is invalid, scoring continues with the old one (decisions carry its
 * version), a metric counts it and a log line says why.
 */
export function createPolicySource(args: PolicySourceArgs): PolicySource {
  const { parameters, parameter, profile, validatePolicy, log, metrics } = args;
  let good: CompiledPolicy | undefined;
  /** Text of the last document that was compiled: an unchanged one is not compiled again. */
  let seen: string | undefined;
  let taken: Promise<ParameterTexts> | undefined;
  let taking: Promise<void> | undefined;

  const use = (texts: ParameterTexts): void => {
    const text = texts.get(parameter);
    if (text === undefined)
      throw new Error(
        `There is no SSM parameter ${parameter} to take the policy of profile "${profile.id}" from; deploy the stack again.`,
      );
    if (text === seen) return;
    const result = parsePolicy(text, profile, validatePolicy);
    if (!result.ok) {
      throw new Error(`The policy of profile "${profile.id}" is invalid: ${problemText(result.problems)}`);
    }
    seen = text;
    if (good !== undefined) log.info("policy_changed", { from: good.version, to: result.policy.version });
    good = result.policy;
  };

  return {
    async current() {
      const reading = parameters.latest();
      if (reading !== taken) {
        taken = reading;
        taking = reading.then(use);
        if (good !== undefined) {
          const { version } = good;
          taking.catch((error: unknown) => {
            metrics.add("PolicyRefreshFailures", "Count", 1);
            log.warn("policy_refresh_failed", { policyVersion: version, error: describeError(error).message });
          });
        }
      }
      if (good === undefined) await taking;
      return good as CompiledPolicy;
    },
  };
}
