/** What a Task state does when it runs: the seam between the interpreter and AWS services. */

export type Structure = Readonly<Record<string, unknown>>;

/** What an integration may use while its task runs. */
export interface TaskPort {
  /** Aborted when the task times out, a sibling fails or the execution is stopped. */
  readonly signal: AbortSignal;
  readonly executionArn: string;
  /** Calls an action of a JSON service as the state machine's role. @throws AwsError */
  call(service: string, action: string, input: object): Promise<Structure>;
  /** Invokes a function and waits for its answer, as the state machine's role. @throws AwsError */
  invoke(functionName: string, payload: unknown): Promise<InvokeResponse>;
  /** Records the response to a job's start in the history. */
  submitted(output: unknown): void;
  /** Rejects with the signal's reason when it is aborted. */
  pause(ms: number): Promise<void>;
  readonly pollMs: number;
  /** One line for the person at the terminal. */
  log(line: string): void;
}

export interface InvokeResponse {
  readonly status: number;
  readonly payload: unknown;
  /** The payload as the function answered it. */
  readonly text: string;
  readonly functionError: string | undefined;
  readonly executedVersion: string | undefined;
}

export interface Integration {
  /** `lambda`, `glue`, `aws-sdk:sagemaker`. */
  readonly resourceType: string;
  /** `invoke`, `startJobRun.sync`. */
  readonly resource: string;
  /** @throws Error naming a parameter that is missing or not supported, when the machine is deployed. */
  checkParameters?(names: readonly string[]): void;
  /** @throws StatesError with the error's name and cause. */
  run(parameters: Structure, port: TaskPort): Promise<unknown>;
}
