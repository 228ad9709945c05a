/** Errors as the Amazon States Language knows them: a name that Retry and Catch match, and a cause. */

export class StatesError extends Error {
  constructor(
    /** `States.Timeout`, `Lambda.TooManyRequestsException`, or what a function or a Fail state chose. */
    readonly error: string,
    /** Free text or JSON; absent for a Fail state without one. */
    readonly causeText?: string,
  ) {
    super(causeText ?? error);
    this.name = error;
  }
}

/** An error that always fails the execution: neither Retry nor Catch sees it. */
export const runtimeError = (cause: string): StatesError => new StatesError("States.Runtime", cause);

export const intrinsicFailure = (cause: string): StatesError => new StatesError("States.IntrinsicFailure", cause);

/**
 * Whether a retrier or catcher with these `ErrorEquals` matches an error. Source: Step Functions developer guide, "Error names":
 * States.ALL covers everything but States.DataLimitExceeded and runtime errors, States.TaskFailed all that but a timeout.
 */
export function covers(errorEquals: readonly string[], error: string): boolean {
  if (error === "States.Runtime") return false;
  const known = error !== "States.DataLimitExceeded";
  return errorEquals.some(
    (name) =>
      name === error || (name === "States.ALL" && known) || (name === "States.TaskFailed" && known && error !== "States.Timeout"),
  );
}

/** `{ Error, Cause }` as a catcher puts it into the state's output. */
export function errorOutput({ error, causeText }: StatesError): Readonly<Record<string, string>> {
  return causeText === undefined ? { Error: error } : { Error: error, Cause: causeText };
}
