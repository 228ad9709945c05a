/** A document in an SSM parameter that a function follows while it runs. */
import { problemText } from "../scoring/core/problems";
import type { Problem } from "../scoring/core/types";
import { describeError, type Log } from "./log";
import type { Metrics } from "./metrics";
import type { ParameterSource, ParameterTexts } from "./parameter-source";

export interface FollowedDocument<T> {
  /**
   * The document to work with now. Waits only for the very first one; afterwards it returns at once, and changes of the parameter are
   * taken over in the background. Throws while there has never been a valid document.
   */
  current(): Promise<T>;
}

export interface FollowedDocumentArgs<T> {
  readonly parameters: ParameterSource;
  /** Name of the parameter. */
  readonly parameter: string;
  /** For log lines: `policy` makes `policy_changed` and `policyVersion`. */
  readonly name: string;
  /** For error messages: `policy of profile "fraud"`. */
  readonly title: string;
  /** Metric that counts failed reads. */
  readonly failures: string;
  readonly parse: (
    text: string,
  ) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Keeps the last good document: when SSM fails or a new one is invalid, a metric counts it and a log line says why. */
export function followDocument<T extends { readonly version: string }>(args: FollowedDocumentArgs<T>): FollowedDocument<T> {
  const { parameters, parameter, name, title, log, metrics } = args;
  let good: T | undefined;
  /** Text of the last document that was parsed: an unchanged one is not parsed again. */
  let seen: string | undefined;
  let taken: Promise<ParameterTexts> | undefined;
  let taking: Promise<void> | undefined;

  const use = (texts: ParameterTexts): void => {
    const text = texts.get(parameter);
    if (text === undefined)
      throw new Error(`There is no SSM parameter ${parameter} to take the ${title} from; deploy the stack again.`);
    if (text === seen) return;
    const result = args.parse(text);
    if (!result.ok) throw new Error(`The ${title} is invalid: ${problemText(result.problems)}`);
    seen = text;
    if (good !== undefined) log.info(`${name}_changed`, { from: good.version, to: result.value.version });
    good = result.value;
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
            metrics.add(args.failures, "Count", 1);
            log.warn(`${name}_refresh_failed`, { [`${name}Version`]: version, error: describeError(error).message });
          });
        }
      }
      if (good === undefined) await taking;
      return good as T;
    },
  };
}
