/** What a Task state does when it runs: the seam between the interpreter and AWS services. */

/** What an integration may use while its task runs. */
export interface TaskPort {
  /** Aborted when the task times out, a sibling fails or the execution is stopped. */
  readonly signal: AbortSignal;
  readonly executionArn: string;
  readonly stateMachineArn: string;
  /** Calls an action of a JSON service as the state machine's role. @throws AwsError */
  call(service: string, action: string, input: object): Promise<Readonly<Record<string, unknown>>>;
  /** Invokes a function as the state machine's role. @throws AwsError */
  invoke(request: InvokeRequest): Promise<InvokeResponse>;
  /** Tells the history what a job answered when it was started. */
  submitted(output: unknown): void;
  /** Rejects with the signal's reason when it is aborted. */
  pause(ms: number): Promise<void>;
  readonly pollMs: number;
  /** One line for the person at the terminal. */
  log(line: string): void;
}

export interface InvokeRequest {
  readonly functionName: string;
  readonly qualifier?: string | undefined;
  readonly payload: unknown;
  /** Default RequestResponse. */
  readonly invocationType?: string | undefined;
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
  /** `lambda`, `glue`, `aws-sdk:ssm`; of a function ARN `lambda`. */
  readonly resourceType: string;
  /** `invoke`, `startJobRun.sync`; of a function ARN the ARN, whose history speaks of a LambdaFunction. */
  readonly resource: string;
  readonly isFunctionArn: boolean;
  /** @throws Error naming a parameter that is missing or not supported, when the machine is deployed. */
  checkParameters?(parameters: unknown): void;
  /** @throws StatesError with the error's name and cause. */
  run(parameters: unknown, port: TaskPort): Promise<unknown>;
}
