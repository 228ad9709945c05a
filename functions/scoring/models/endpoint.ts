/** A SageMaker endpoint as a model: sends rows, reads scores, and limits how long and how often it is waited for. */
import type { FeatureSet } from "../core/features";
import type { BatchModel } from "../core/model";
import type { CircuitBreaker } from "./circuit-breaker";
import type { EndpointRef } from "./document";
import { decodeScores, encodeRows } from "./endpoint-rows";
import { ModelUnavailable } from "./model-set";

export interface EndpointRequest {
  readonly endpointName: string;
  readonly contentType: EndpointRef["contentType"];
  readonly body: string;
  /** Aborted when the time is up. */
  readonly signal: AbortSignal;
}

/** Sends one request and returns the text of the response. Rejects with {@link EndpointFailure}. */
export type InvokeEndpoint = (request: EndpointRequest) => Promise<string>;

/** A failed call; `isTransient` when the same call may succeed a moment later (throttling, 5xx, a broken connection). */
export class EndpointFailure extends ModelUnavailable {
  constructor(
    reason: string,
    message: string,
    readonly isTransient: boolean,
  ) {
    super(reason, message);
    this.name = "EndpointFailure";
  }
}

export interface EndpointPorts {
  readonly invoke: InvokeEndpoint;
  readonly breaker: CircuitBreaker;
  /** Calls back after that many milliseconds, unless the returned function is called first. */
  readonly after: (milliseconds: number, callback: () => void) => () => void;
  /** Uniform in [0, 1); seeded in tests. */
  readonly random: () => number;
}

/** Including the first try. The chain has other models, so there is no point in insisting. */
const ATTEMPTS = 3;
const BASE_PAUSE_MS = 20;
/** With 40 columns of 25 characters this is 4 MB; an endpoint accepts 6 MB. */
const ROWS_A_CALL = 4000;

/**
 * All rows go in one call (in several beyond 4,000). `timeoutMs` covers a whole `scoreBatch` with its retries; retries wait with full
 * jitter. Rejects with {@link ModelUnavailable}: `timeout`, `circuit_open`, `bad_answer`, or the invoker's reason.
 */
export function endpointModel(ref: EndpointRef, features: FeatureSet, ports: EndpointPorts): BatchModel {
  const { name, endpointName, contentType, timeoutMs } = ref;
  const { invoke, breaker, after, random } = ports;
  const slots = Uint16Array.from(ref.features ?? features.definitions.map((definition) => definition.name), (feature) => {
    const slot = features.slot(feature);
    if (slot < 0) throw new Error(`Endpoint model "${name}" names the feature "${feature}", which the profile does not have.`);
    return slot;
  });

  /** A pause that an abort ends early. */
  const pause = (attempt: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const cancel = after(Math.floor(random() * BASE_PAUSE_MS * 2 ** attempt), resolve);
      signal.addEventListener(
        "abort",
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });

  const call = async (body: string, signal: AbortSignal): Promise<string> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await invoke({ endpointName, contentType, body, signal });
      } catch (error) {
        const isTransient = error instanceof EndpointFailure && error.isTransient;
        if (!isTransient || attempt >= ATTEMPTS || signal.aborted) throw error;
      }
      await pause(attempt, signal);
    }
  };

  const scoreAll = async (values: Float64Array, count: number, scores: Float64Array, signal: AbortSignal): Promise<void> => {
    for (let first = 0; first < count; first += ROWS_A_CALL) {
      const end = Math.min(count, first + ROWS_A_CALL);
      const text = await call(encodeRows(contentType, values, features.size, slots, first, end), signal);
      scores.set(decodeScores(text, end - first), first);
    }
  };

  return {
    version: name,
    async scoreBatch(values, count, out) {
      if (count === 0) return;
      if (!breaker.admits())
        throw new ModelUnavailable("circuit_open", `Endpoint ${endpointName} failed repeatedly; it is not called for a while.`);
      const controller = new AbortController();
      let cancel = (): void => {};
      const overdue = new Promise<never>((_, reject) => {
        cancel = after(timeoutMs, () => {
          reject(new ModelUnavailable("timeout", `Endpoint ${endpointName} gave no answer within ${timeoutMs} ms.`));
          controller.abort();
        });
      });
      // A late answer must not write into what the next model of the chain is writing.
      const scores = new Float64Array(count);
      try {
        await Promise.race([scoreAll(values, count, scores, controller.signal), overdue]);
        out.set(scores);
        breaker.succeeded();
      } catch (error) {
        breaker.failed();
        throw error;
      } finally {
        cancel();
      }
    },
  };
}
