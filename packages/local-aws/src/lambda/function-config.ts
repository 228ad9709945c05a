/** The configuration of a function, and the result of an invocation. */
import type { ResolvedArchive } from "@risk/program-graph";

/** Sizes in MB, times in seconds, as in the Lambda API. */
export interface FunctionConfig {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly handler: string;
  readonly runtime: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** 0 blocks every invocation; undefined shares the account's concurrency. */
  readonly reservedConcurrency: number | undefined;
  readonly logGroup: string;
  readonly tracing: "Active" | "PassThrough";
  readonly version: string;
  readonly code: ResolvedArchive;
}

export interface InvokeOptions {
  /** The ARN that the caller used, with its qualifier; the function sees it. */
  readonly qualifiedArn?: string;
  readonly traceId?: string;
  readonly requestId?: string;
}

export interface InvokeResult {
  readonly requestId: string;
  /** JSON text; of an error: `{errorType, errorMessage, trace}`. */
  readonly payload: string;
  readonly functionError: "Unhandled" | undefined;
  /** The last 4 KB of the invocation's log. */
  readonly logTail: string;
}
