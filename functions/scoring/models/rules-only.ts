import type { Model } from "../core/model";

/** No model at all: probability 0, so that the rules alone make the score. */
export const RULES_ONLY: Model = {
  version: "rules-only",
  score: () => 0,
  explain: () => [],
  scoreBatch(_rows, count, out) {
    out.fill(0, 0, count);
  },
};
