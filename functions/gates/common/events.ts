/** What the state machines pass to the functions: each event's type beside the schema that its validator is compiled from. */
import type { JsonSchema } from "../../scoring/core/json-schema";

const TEXT: JsonSchema = { type: "string" };
const COUNT: JsonSchema = { type: "integer", minimum: 0 };

function event(name: string, required: readonly string[], properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { $id: `urn:risk-scoring:schema:${name}`, type: "object", required, properties };
}

/** Of `pipeline-plan`. `input` is the execution's own input, unchecked: the plan reports what is wrong with it. */
export interface PlanEvent {
  readonly pipeline: "training" | "inference";
  readonly execution: { readonly name: string; readonly startTime: string };
  readonly input?: unknown;
}

export const PLAN_EVENT_SCHEMA = event("plan-event", ["pipeline", "execution"], {
  pipeline: { enum: ["training", "inference"] },
  execution: { type: "object", required: ["name", "startTime"], properties: { name: TEXT, startTime: TEXT } },
});

/** Of `data-quality-gate`: the part that it needs of a training plan. */
export interface QualityEvent {
  readonly dataset: string;
  readonly modelName: string;
  readonly champion: string;
}

export const QUALITY_EVENT_SCHEMA = event("quality-event", ["dataset", "modelName", "champion"], {
  dataset: TEXT,
  modelName: TEXT,
  champion: TEXT,
});

/** Of `evaluation-gate`: the part that it needs of a training plan. */
export interface EvaluationEvent {
  readonly dataset: string;
  readonly modelName: string;
}

export const EVALUATION_EVENT_SCHEMA = event("evaluation-event", ["dataset", "modelName"], { dataset: TEXT, modelName: TEXT });

/** How a day of an inference execution ended. */
export interface DayOutcome {
  readonly date: string;
  readonly inspection?: { readonly rows: number; readonly empty: boolean };
  /** As Step Functions catches it. */
  readonly error?: { readonly Error: string; readonly Cause?: string };
}

/** Of `batch-gate`: `inspect` needs `day`, `summary` needs `days`. */
export interface BatchEvent {
  readonly action: "inspect" | "summary";
  readonly day?: { readonly dataset: string; readonly date: string };
  readonly days?: readonly DayOutcome[];
  readonly dataset?: string;
  readonly modelName?: string;
}

export const BATCH_EVENT_SCHEMA = event("batch-event", ["action"], {
  action: { enum: ["inspect", "summary"] },
  day: { type: "object", required: ["dataset", "date"], properties: { dataset: TEXT, date: TEXT } },
  days: {
    type: "array",
    minItems: 1,
    items: {
      type: "object",
      required: ["date"],
      properties: {
        date: TEXT,
        inspection: { type: "object", required: ["rows", "empty"], properties: { rows: COUNT, empty: { type: "boolean" } } },
        error: { type: "object", required: ["Error"], properties: { Error: TEXT, Cause: TEXT } },
      },
    },
  },
  dataset: TEXT,
  modelName: TEXT,
});

/** What the first state of a promotion returns; the later states get it as `convert`. */
export interface Conversion {
  readonly profile: string;
  /** Of the compiled model, in the model bucket. */
  readonly key: string;
  readonly sha256: string;
  /** The champion when the promotion began. */
  readonly champion: string;
  /** Version of the models parameter at that time. */
  readonly parameterVersion: number;
}

/** Of `model-promotion`: every action but `convert` needs the result of `convert`. */
export interface PromotionEvent {
  readonly action: "convert" | "canary" | "check" | "flip";
  readonly dataset: string;
  readonly modelName: string;
  readonly convert?: Conversion;
}

export const PROMOTION_EVENT_SCHEMA = event("promotion-event", ["action", "dataset", "modelName"], {
  action: { enum: ["convert", "canary", "check", "flip"] },
  dataset: TEXT,
  // The pattern that SageMaker and the models document have for model names.
  modelName: { type: "string", pattern: "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$" },
  convert: {
    type: "object",
    required: ["profile", "key", "sha256", "champion", "parameterVersion"],
    properties: { profile: TEXT, key: TEXT, sha256: TEXT, champion: TEXT, parameterVersion: COUNT },
  },
});
