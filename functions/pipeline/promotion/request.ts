/** Events of the promotion's states. */
import { fail } from "../errors";
import { count, listed, oneOf, openObject, type Read, read, text } from "../json";

export type PromotionAction = "convert" | "canary" | "check" | "flip";

/** What the first state found and made; the others get it back as `convert`. */
export interface Conversion {
  readonly profile: string;
  /** Of the compiled model, in the model bucket. */
  readonly key: string;
  readonly sha256: string;
  /** Who was in front when the promotion began. */
  readonly champion: string;
  /** Of the models parameter, then. */
  readonly parameterVersion: number;
}

export interface PromotionRequest {
  readonly action: PromotionAction;
  readonly dataset: string;
  readonly modelName: string;
  /** Undefined for `convert`. */
  readonly conversion: Conversion | undefined;
}

interface Event {
  readonly action: PromotionAction;
  readonly dataset: string;
  readonly modelName: string;
  readonly convert?: Conversion;
}

const CONVERSION: Read<Conversion> = openObject<Conversion>(
  { profile: text(), key: text(), sha256: text(), champion: text(), parameterVersion: count },
  {},
);

/** As SageMaker and the models document name models. */
const MODEL_NAME = { pattern: /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/, form: "a name of at most 63 letters, digits and hyphens" };

const EVENT: Read<Event> = openObject<Event>(
  { action: oneOf("convert", "canary", "check", "flip"), dataset: text(), modelName: text(MODEL_NAME) },
  { convert: CONVERSION },
);

/** Throws `InvalidInput`. */
export function readPromotion(event: unknown): PromotionRequest {
  const parsed = read(EVENT, event);
  if (!parsed.ok)
    fail("InvalidInput", `The event of model-promotion is wrong: ${listed(parsed.problems)} Correct the state machine.`);
  const { convert, ...rest } = parsed.value;
  if (rest.action !== "convert" && convert === undefined) {
    fail(
      "InvalidInput",
      `The event of model-promotion is wrong: /convert: action "${rest.action}" needs what "convert" answered.`,
    );
  }
  return { ...rest, conversion: convert };
}
