/** The errors of the pipelines' functions. A state machine sees the name; people see the message, which says what to do. */
export type PipelineErrorName =
  /** The execution's input, or a state's event, has a member that is missing, unknown or out of range. */
  | "InvalidInput"
  /** `config/datasets/<dataset>.json` is missing or wrong. */
  | "InvalidDataset"
  /** The parameter of a profile's models is missing, or its document is invalid. */
  | "ModelsParameterInvalid"
  /** The champion doesn't come from a training pipeline, so there is nothing that batch transform could run. */
  | "NoTrainedModel"
  /** `statistics.json` is missing or wrong. */
  | "StatisticsInvalid"
  | "DataQualityFailed"
  /** model.tar.gz or output.tar.gz is missing, damaged or not what the training script writes. */
  | "ModelArtifactInvalid"
  | "EvaluationFailed"
  /** The compiled model doesn't give the margins that XGBoost gave at training. */
  | "GoldenRowsDiffer"
  | "CanaryFailed"
  /** Somebody else changed the champion after this promotion began. */
  | "PromotionSuperseded"
  /** The manifest of a day's extract is missing or wrong. */
  | "ManifestInvalid"
  | "DuplicateKeys"
  | "DaysFailed";

/** An error whose name is part of the contract with the state machines: Lambda reports it as `errorType`. */
export class PipelineError extends Error {
  constructor(name: PipelineErrorName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}

/** Throws {@link PipelineError}. Its return type is `never`, so that it can stand where a value is expected. */
export function fail(name: PipelineErrorName, message: string, cause?: unknown): never {
  throw new PipelineError(name, message, cause === undefined ? undefined : { cause });
}
