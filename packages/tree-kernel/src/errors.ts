/** A model file or image that cannot be used: damaged, or asking for something that cannot be evaluated exactly. */
export class ModelFileError extends Error {
  readonly code = "MODEL_FILE";
}

/** Fails with {@link ModelFileError}; returns never, so it can stand where a value is expected. */
export function refuse(message: string): never {
  throw new ModelFileError(message);
}
