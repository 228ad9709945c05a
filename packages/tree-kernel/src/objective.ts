/**
 * Objectives: how a base score becomes a margin and a margin a prediction. The formulas are those of XGBoost's
 * `src/objective/*` and `src/common/math.h`, in float32 where XGBoost computes in float32.
 */
import { refuse } from "./errors";

export type Link = "identity" | "logistic" | "exponential" | "sign" | "softmax" | "argmax";

export interface Objective {
  /** XGBoost's name, `binary:logistic`. */
  readonly name: string;
  readonly link: Link;
}

/** Objective → [base score to margin, margin to prediction]. */
const OBJECTIVES: Readonly<Record<string, readonly ["identity" | "logit" | "log", Link]>> = {
  "reg:squarederror": ["identity", "identity"],
  "reg:linear": ["identity", "identity"],
  "reg:squaredlogerror": ["identity", "identity"],
  "reg:pseudohubererror": ["identity", "identity"],
  "reg:absoluteerror": ["identity", "identity"],
  "reg:quantileerror": ["identity", "identity"],
  "reg:logistic": ["logit", "logistic"],
  "reg:gamma": ["log", "exponential"],
  "reg:tweedie": ["log", "exponential"],
  "count:poisson": ["log", "exponential"],
  "binary:logistic": ["logit", "logistic"],
  "binary:logitraw": ["identity", "identity"],
  "binary:hinge": ["identity", "sign"],
  "multi:softprob": ["identity", "softmax"],
  "multi:softmax": ["identity", "argmax"],
  "rank:pairwise": ["identity", "identity"],
  "rank:ndcg": ["identity", "identity"],
  "rank:map": ["identity", "identity"],
  "survival:cox": ["log", "exponential"],
  "survival:aft": ["log", "exponential"],
};

/** Throws for an objective whose prediction is not known here. */
export function objectiveNamed(name: string): Objective {
  if (!Object.hasOwn(OBJECTIVES, name)) {
    refuse(
      `learner.objective.name is ${JSON.stringify(name)}, whose predictions cannot be reproduced; known are ${Object.keys(OBJECTIVES).join(", ")}. Custom objectives: save the model with one of these.`,
    );
  }
  return { name, link: OBJECTIVES[name]![1] };
}

/** XGBoost's kRtEps: since 3.2 a logistic base score is kept this far from 0 and 1. */
const EDGE = Math.fround(1e-6);

/**
 * The margin of a base score. Logarithms are rounded correctly, as in glibc 2.41 and later; an older C library is one unit in the
 * last place off for one base score in 150, and so is XGBoost there.
 */
export function baseMargin(objective: Objective, score: number, version: readonly number[]): number {
  const base = Math.fround(score);
  switch (OBJECTIVES[objective.name]![0]) {
    case "identity":
      return base;
    case "log":
      if (!(base > 0)) refuse(`learner.learner_model_param.base_score is ${score}; ${objective.name} needs one above 0.`);
      return Math.fround(Math.log(base));
    case "logit": {
      const clamped = atLeast(version, [3, 2]) ? Math.min(Math.max(base, EDGE), Math.fround(1 - EDGE)) : base;
      if (!(clamped > 0 && clamped < 1)) {
        refuse(`learner.learner_model_param.base_score is ${score}; ${objective.name} needs one between 0 and 1.`);
      }
      return -Math.fround(Math.log(Math.fround(Math.fround(1 / clamped) - 1)));
    }
  }
}

/** Turns the margins of one row, `margins[at … at + outputs)`, into predictions in place. Float32, as XGBoost's. */
export function applyLink(link: Link, margins: Float32Array, at: number, outputs: number): void {
  const end = at + outputs;
  switch (link) {
    case "identity":
      return;
    case "logistic":
      for (let i = at; i < end; i++) margins[i] = logistic(margins[i]!);
      return;
    case "exponential":
      for (let i = at; i < end; i++) margins[i] = Math.exp(margins[i]!);
      return;
    case "sign":
      for (let i = at; i < end; i++) margins[i] = margins[i]! > 0 ? 1 : 0;
      return;
    case "softmax":
      softmax(margins, at, end);
      return;
    case "argmax": {
      // XGBoost answers the class; the margins of the others are gone with it.
      let best = at;
      for (let i = at + 1; i < end; i++) if (margins[i]! > margins[best]!) best = i;
      margins.fill(best - at, at, end);
    }
  }
}

/** `1 / (1 + e^-x)` in float32; the bound keeps `e^-x` finite. */
function logistic(margin: number): number {
  return 1 / Math.fround(Math.fround(Math.exp(Math.min(-margin, 88.7))) + 1);
}

function softmax(margins: Float32Array, at: number, end: number): void {
  let largest = margins[at]!;
  for (let i = at + 1; i < end; i++) largest = Math.max(largest, margins[i]!);
  let sum = 0;
  for (let i = at; i < end; i++) {
    margins[i] = Math.exp(Math.fround(margins[i]! - largest));
    sum += margins[i]!;
  }
  const divisor = Math.fround(sum);
  for (let i = at; i < end; i++) margins[i] = margins[i]! / divisor;
}

export function atLeast(version: readonly number[], least: readonly number[]): boolean {
  for (let i = 0; i < least.length; i++) {
    const difference = (version[i] ?? 0) - least[i]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
