/**
 * The parameters that a function follows, read in one call. An account has 40 reads per second in a region for GetParameter,
 * GetParameters and GetParametersByPath together ("AWS Systems Manager endpoints and quotas"), which all warm containers of all
 * functions share: hence one call for all names, a TTL, and read times that don't align.
 */
import { GetParametersCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { type Backoff, DEFAULT_BACKOFF, pauseMs } from "./backoff";
import type { Clock } from "./clock";
import { describeError } from "./log";
import { isTransient } from "./sdk-error";

/** Values by name. Names that SSM doesn't know are missing. */
export type ParameterTexts = ReadonlyMap<string, string>;

export interface ParameterSource {
  /**
   * The newest read, running or done. Until the next one is due it is the same promise, so a promise seen before brings nothing new. Only
   * the very first is worth waiting for. Rejects with {@link ParametersUnavailable} or the SDK's error.
   */
  latest(): Promise<ParameterTexts>;
}

/** SSM refused for longer than a function waits. */
export class ParametersUnavailable extends Error {
  readonly code = "parameters_unavailable";

  constructor(tries: number, milliseconds: number, cause: unknown) {
    const { name, message } = describeError(cause);
    super(
      `The SSM parameters could not be read in ${tries} tries over ${milliseconds} ms (${name}: ${message}). If it is throttled: an account makes ` +
        "40 reads a second; raise risk:policyTtlSeconds, or Parameter Store's throughput (aws ssm update-service-setting).",
      { cause },
    );
    this.name = "ParametersUnavailable";
  }
}

/** A cold start waits for its read: this and one last call fit into the shortest time limit of a scoring function, 10 s. */
const PATIENCE_MS = 6_000;
/** A container that was frozen during a read finds its time over when it wakes up; it still tries this often. */
const MIN_TRIES = 3;
const WAITS = { baseMs: 100, capMs: 2_000 };

/** Share of the TTL by which the time between two reads varies, in either direction. */
const SPREAD = 0.2;

export interface ParameterSourceArgs {
  /** One call, without retries. */
  readonly read: () => Promise<ParameterTexts>;
  /** Mean time between two reads. */
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Uniform in [0, 1); seeded in tests. */
  readonly random?: () => number;
  readonly sleep?: Backoff["sleep"];
}

/**
 * Reads on demand: at the first call, then whenever the TTL is over. The first TTL is cut to a random part and later ones vary, so that
 * containers started together by one burst of traffic don't keep reading together.
 */
export function createParameterSource(args: ParameterSourceArgs): ParameterSource {
  const { read, ttlMs, clock, random = Math.random, sleep = DEFAULT_BACKOFF.sleep } = args;
  let newest: Promise<ParameterTexts> | undefined;
  let dueAt = Number.NEGATIVE_INFINITY;
  let wasRead = false;

  const begin = (): Promise<ParameterTexts> => {
    dueAt = Number.POSITIVE_INFINITY;
    const reading = patiently(read, { ...WAITS, random, sleep }, clock);
    const rest = (ttls: number): void => {
      dueAt = clock.now() + ttlMs * ttls;
    };
    const varied = (): number => 1 - SPREAD + 2 * SPREAD * random();
    reading.then(
      () => {
        rest(wasRead ? varied() : random());
        wasRead = true;
      },
      // If nothing has ever been read, there is nothing to continue with: the next caller waits for another try.
      () => rest(wasRead ? varied() : 0),
    );
    return reading;
  };

  return {
    latest() {
      if (newest === undefined || clock.now() >= dueAt) newest = begin();
      return newest;
    },
  };
}

async function patiently<T>(read: () => Promise<T>, backoff: Omit<Backoff, "attempts">, clock: Clock): Promise<T> {
  const startedAt = clock.now();
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (!isTransient(error)) throw error;
      const waitMs = pauseMs(backoff, tries);
      const passedMs = clock.now() - startedAt;
      if (tries >= MIN_TRIES && passedMs + waitMs > PATIENCE_MS) throw new ParametersUnavailable(tries, passedMs, error);
      await backoff.sleep(waitMs);
    }
  }
}

/**
 * One GetParameters call with at most ten names; empty names are left out. The stack's parameters are plain text, so nothing is
 * decrypted. Errors are the SDK's. The client should make a single attempt, since the source retries by itself.
 */
export const parametersReader = (client: SSMClient, names: readonly string[]) => async (): Promise<ParameterTexts> => {
  const { Parameters = [] } = await client.send(new GetParametersCommand({ Names: names.filter((name) => name !== "") }));
  return new Map(Parameters.map(({ Name = "", Value = "" }) => [Name, Value]));
};
