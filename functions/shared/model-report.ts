import { reasonOf } from "../scoring/models/model-set";
import type { Comparison } from "../scoring/models/shadow";
import { describeError, type Log } from "./log";
import type { Metrics } from "./metrics";

/** Reports on models: failures of any model, and how challengers compare with the answers. */
export interface ModelReport {
  failed(model: string, error: unknown): void;
  compared(comparison: Comparison): void;
}

/**
 * EMF metrics under the dimension `Model`: `ModelFailures`; for challengers `ChallengerScored` and `ChallengerAgreed` (same band), whose
 * quotient is the agreement, and `ChallengerScoreDifference`, the mean |difference| of scores over a batch.
 */
export function createModelReport(log: Log, metrics: Metrics): ModelReport {
  return {
    failed(model, error) {
      const own = metrics.under({ Model: model });
      own.add("ModelFailures", "Count", 1);
      own.flush();
      log.warn("model_failed", { model, reason: reasonOf(error), error: describeError(error).message });
    },
    compared({ model, scored, agreed, difference }) {
      if (scored === 0) return;
      const own = metrics.under({ Model: model });
      own.add("ChallengerScored", "Count", scored);
      own.add("ChallengerAgreed", "Count", agreed);
      own.add("ChallengerScoreDifference", "None", difference / scored);
      own.flush();
    },
  };
}
