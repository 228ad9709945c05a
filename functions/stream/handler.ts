import type { KinesisStreamBatchResponse, KinesisStreamEvent } from "aws-lambda";
import type { Clock } from "../shared/clock";
import { describeError, type Log } from "../shared/log";
import type { Metrics } from "../shared/metrics";
import { createModelReport } from "../shared/model-report";
import type { ModelSource } from "../shared/model-source";
import type { PolicySource } from "../shared/policy-source";
import type { Tokeniser } from "../shared/tokeniser";
import type { AdmitArgs } from "./admit";
import { type BatchOutcome, type BatchPorts, processBatch } from "./process-batch";
import { fromKinesis, type SourceRecord } from "./source-record";

/** The part of Lambda's context that is used. */
export interface InvocationContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export interface StreamHandlerArgs extends Omit<AdmitArgs, "tokeniser"> {
  readonly policies: PolicySource;
  /** Without it the policy's own model scores. */
  readonly models?: ModelSource | undefined;
  readonly tokeniser: () => Promise<Tokeniser>;
  readonly ports: BatchPorts;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly eventDetailType: string;
  /** No further result is written when less than this is left, ms: what is written must still be archived. */
  readonly reserveMs: number;
  readonly step?: (name: string) => void;
}

export type StreamHandler = (event: KinesisStreamEvent, context: InvocationContext) => Promise<KinesisStreamBatchResponse>;

/**
 * Kinesis batch → `ReportBatchItemFailures`. The answer names the lowest sequence number that is not finished; everything
 * before it is. Poison never gets there: it goes to quarantine. Does not throw: a failure of the infrastructure is an answer.
 */
export function createStreamHandler(args: StreamHandlerArgs): StreamHandler {
  const { clock, log, metrics } = args;
  const report = createModelReport(log, metrics);
  return async (event, context) => {
    const startedAt = clock.now();
    const records = event.Records.map(fromKinesis);
    const first = records[0];
    if (first === undefined) return { batchItemFailures: [] };
    let done = 0;
    try {
      const [policy, models, tokeniser] = await Promise.all([
        args.policies.current(),
        args.models?.current() ?? null,
        args.tokeniser(),
      ]);
      const outcome = await processBatch(
        records,
        {
          profile: args.profile,
          validate: args.validate,
          decode: args.decode,
          maxAgeMs: args.maxAgeMs,
          maxFutureMs: args.maxFutureMs,
          tokeniser,
          policy,
          models,
          report,
          scoredAt: new Date(startedAt).toISOString(),
          eventDetailType: args.eventDetailType,
          mayStart: () => context.getRemainingTimeInMillis() > args.reserveMs,
          ...(args.step === undefined ? {} : { step: args.step }),
        },
        args.ports,
      );
      done = outcome.done;
      reportBatch(outcome, records, context, args);
    } catch (error) {
      metrics.add("InfrastructureFailures", "Count", 1);
      log.error("batch_failed", { requestId: context.awsRequestId, shard: first.shard, ...describeError(error) });
    }
    metrics.add("Records", "Count", records.length);
    metrics.add("BatchLatency", "Milliseconds", clock.now() - startedAt);
    metrics.add("IteratorLag", "Milliseconds", Math.max(0, startedAt - (records.at(-1) as SourceRecord).arrivedAtMs));
    metrics.property("requestId", context.awsRequestId);
    metrics.flush();
    const failed = records[done];
    return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed.sequence }] };
  };
}

function reportBatch(
  outcome: BatchOutcome,
  records: readonly SourceRecord[],
  context: InvocationContext,
  { log, metrics }: StreamHandlerArgs,
): void {
  metrics.add("Scored", "Count", outcome.scored);
  metrics.add("Duplicates", "Count", outcome.duplicates);
  metrics.add("Quarantined", "Count", outcome.quarantined.length);
  metrics.add("HighRisk", "Count", outcome.alerts);
  if (outcome.stateConflicts > 0) metrics.add("StateConflicts", "Count", outcome.stateConflicts);
  for (const { record, reason } of outcome.quarantined) {
    log.warn("record_quarantined", { position: record.position, reason });
  }
  if (outcome.done < records.length) {
    metrics.add("InfrastructureFailures", "Count", 1);
    log.error("batch_unfinished", {
      requestId: context.awsRequestId,
      finished: outcome.done,
      records: records.length,
      ...describeError(outcome.error),
    });
  }
  log.debug("batch", { records: records.length, scored: outcome.scored, redelivered: outcome.redelivered });
}
