/** The configuration of an event source mapping, and what its pollers have in common. */
import type { LocalContext } from "../contracts";
import type { InvokeResult } from "./function-config";
import type { LambdaPorts, Timers } from "./ports";

/** Times in seconds, as in the Lambda API; -1 means without limit. */
export interface MappingConfig {
  readonly uuid: string;
  readonly sourceArn: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly parallelizationFactor: number;
  readonly maxRetries: number;
  readonly maxRecordAgeSeconds: number;
  readonly bisectOnError: boolean;
  readonly reportsItemFailures: boolean;
  /** ARN of the bucket that takes the batches of a stream that were given up. */
  readonly onFailure: string | undefined;
  readonly maximumConcurrency: number | undefined;
  /** Keeps the metric of events that went to the failure destination, by the mapping's UUID. */
  readonly countsEvents: boolean;
}

export interface PollerOptions {
  readonly context: LocalContext;
  readonly ports: LambdaPorts;
  readonly timers: Timers;
  readonly mapping: MappingConfig;
  /** Runs the function. Rejects with an AwsError (429) when it is throttled. */
  readonly invoke: (payload: string) => Promise<InvokeResult>;
}

export interface StreamPollerOptions extends PollerOptions {
  /** Of the function. */
  readonly roleArn: string;
  readonly functionArn: string;
  /** First wait before a retry; doubles up to a hundred times as much. */
  readonly retryMs: number;
}

/** Of one shard of a stream. */
export interface ShardOptions extends StreamPollerOptions {
  readonly shardId: string;
}

export interface Poller {
  start(): void;
  end(): Promise<void>;
  /** Ends open batching windows now and runs the records gathered so far. */
  flush(): void;
  /** Nothing is buffered, running or waiting for a retry. */
  idle(): boolean;
}

/** What a function reported about its batch: `all` records failed, or `some` did, by id. */
export type BatchOutcome =
  | { readonly kind: "ok" }
  | { readonly kind: "all" }
  | { readonly kind: "some"; readonly ids: readonly string[] };

/**
 * Reads a partial batch response. Empty, null and missing lists are a success; a response that isn't a list of non-empty
 * `itemIdentifier`s, or names one that was not in the batch, fails the whole batch.
 * Source: "Reporting batch item failures", AWS Lambda developer guide.
 */
export function batchOutcome(result: InvokeResult, reportsItemFailures: boolean, batchIds: ReadonlySet<string>): BatchOutcome {
  if (result.functionError !== undefined) return { kind: "all" };
  if (!reportsItemFailures) return { kind: "ok" };
  const response: unknown = JSON.parse(result.payload);
  if (response === null || response === "") return { kind: "ok" };
  if (typeof response !== "object" || !("batchItemFailures" in response))
    return typeof response === "object" ? { kind: "ok" } : { kind: "all" };
  const failures = response.batchItemFailures;
  if (failures === null) return { kind: "ok" };
  if (!Array.isArray(failures)) return { kind: "all" };
  const ids: string[] = [];
  for (const failure of failures) {
    const id: unknown = failure?.itemIdentifier;
    if (typeof id !== "string" || !batchIds.has(id)) return { kind: "all" };
    ids.push(id);
  }
  return ids.length === 0 ? { kind: "ok" } : { kind: "some", ids };
}

/** Requests stay below Lambda's 6 MB: how many of the records, from the first, fit (at least one). */
export function fitting(sizes: readonly number[], limit = 6 * 1024 * 1024 - 4096): number {
  let total = 0;
  for (const [index, size] of sizes.entries()) {
    total += size + 1;
    if (total > limit) return Math.max(1, index);
  }
  return sizes.length;
}
