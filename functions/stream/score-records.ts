import type { RecordFormats } from "../formats/decode";
import { type Backoff, DEFAULT_BACKOFF } from "../shared/backoff";
import { UnprocessedKeysError } from "../shared/batch-get";
import type { Clock } from "../shared/clock";
import { describeError, type Log } from "../shared/log";
import type { Metrics } from "../shared/metrics";
import { createModelReport } from "../shared/model-report";
import type { ModelSource } from "../shared/model-source";
import type { Patience } from "../shared/patience";
import type { PolicySource } from "../shared/policy-source";
import type { RateSource } from "../shared/rate-source";
import { isThrottled } from "../shared/sdk-error";
import type { Tokeniser } from "../shared/tokeniser";
import type { AdmitArgs } from "./admit";
import { quarantineRange } from "./archive-batch";
import { InOtherHandsError } from "./archive-key";
import { ARCHIVE, type LineSink } from "./line-sink";
import { type BatchOutcome, type BatchPorts, processBatch } from "./process-batch";
import { RecordFault } from "./record-fault";
import { OutOfTimeError } from "./record-results";
import type { SourceRecord } from "./source-record";

/** The part of Lambda's context that is used. */
export interface InvocationContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export interface RecordScorerArgs extends Omit<AdmitArgs, "tokeniser" | "decode" | "rates"> {
  readonly formats: RecordFormats;
  readonly policies: PolicySource;
  /** Without it the policy's own model scores. */
  readonly models?: ModelSource | undefined;
  /** For profiles with money. */
  readonly rates?: RateSource | undefined;
  readonly tokeniser: () => Promise<Tokeniser>;
  readonly ports: BatchPorts;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly eventDetailType: string;
  /** No further result is written when less than this is left, in ms: written results still have to be archived. */
  readonly reserveMs: number;
  /** How throttled and failed calls to the tables are repeated. */
  readonly backoff?: Backoff;
  readonly step?: (name: string) => void;
}

/** What became of a delivery's records. */
export interface Scored {
  /** All records before this index are finished: scored and archived, or in quarantine. */
  readonly done: number;
  /** The code failed at one of several unfinished records; which one shows when each is delivered alone. */
  readonly fault: RecordFault | null;
  /** Of a delivery that is finished; the same for every delivery of the same records. */
  readonly counts: RecordCounts;
}

export interface RecordCounts {
  /** Events that are in the archive because of these records. */
  readonly scored: number;
  readonly duplicates: number;
  /** By reason. */
  readonly quarantined: Readonly<Record<string, number>>;
}

const NOTHING_COUNTED: RecordCounts = { scored: 0, duplicates: 0, quarantined: {} };

/** Scores the records of one delivery, of one origin. Never rejects. By default the function archives the events itself. */
export type RecordScorer = (records: readonly SourceRecord[], context: InvocationContext, sink?: LineSink) => Promise<Scored>;

/**
 * The path of every record, whichever trigger delivered it. Failures of the infrastructure leave records unfinished, and the trigger
 * delivers them again. Invalid records never hold up the others: they go to quarantine. So does a record that makes the code fail, once it
 * is alone.
 */
export function createRecordScorer(args: RecordScorerArgs): RecordScorer {
  const { clock, log, metrics } = args;
  const report = createModelReport(log, metrics);
  return async (records, context, sink = ARCHIVE) => {
    const startedAt = clock.now();
    const [first] = records;
    if (first === undefined) return { done: 0, fault: null, counts: NOTHING_COUNTED };
    let counts = NOTHING_COUNTED;
    let done = 0;
    let throttled = 0;
    let failure: unknown;
    const timeLeft = (): number => context.getRemainingTimeInMillis() - args.reserveMs;
    /** Waits for this share of the time that is left when it is first asked. */
    const patienceFor = (share: number): Patience => {
      let end: number | undefined;
      return {
        mayWait: () => {
          const left = timeLeft();
          end ??= left * (1 - share);
          return left > Math.max(0, end);
        },
        backoff: args.backoff ?? DEFAULT_BACKOFF,
        onThrottle: () => {
          throttled++;
        },
      };
    };
    try {
      const [decode, policy, models, tokeniser, rates] = await Promise.all([
        args.formats.decoderFor(records.map(({ bytes }) => bytes)),
        args.policies.current(),
        args.models?.current() ?? null,
        args.tokeniser(),
        args.rates?.current(),
      ]);
      const outcome = await processBatch(
        records,
        {
          ...args,
          decode,
          sink,
          tokeniser,
          rates,
          policy,
          models,
          report,
          scoredAt: new Date(startedAt).toISOString(),
          patienceToRead: patienceFor(1 / 3),
          patienceToRecord: patienceFor(1 / 2),
          patience: patienceFor(1),
        },
        args.ports,
      );
      done = outcome.done;
      failure = outcome.error;
      counts = countsOf(outcome);
      reportBatch(outcome, records, args);
    } catch (error) {
      failure = error;
    }
    if (done < records.length) reportUnfinished(failure, done, records, context, args);
    const fault = failure instanceof RecordFault ? failure : null;
    if (fault !== null && records.length === 1) {
      done = await setAside(first, fault, args);
      counts = { ...NOTHING_COUNTED, quarantined: { [PROCESSING_ERROR]: done } };
    }
    if (throttled > 0) metrics.add("Throttled", "Count", throttled);
    metrics.add("Records", "Count", records.length);
    metrics.add("BatchLatency", "Milliseconds", clock.now() - startedAt);
    metrics.add("IteratorLag", "Milliseconds", Math.max(0, startedAt - (records.at(-1) as SourceRecord).arrivedAtMs));
    args.rates?.report();
    metrics.property("requestId", context.awsRequestId);
    metrics.flush();
    return { done, fault: records.length === 1 ? null : fault, counts };
  };
}

const PROCESSING_ERROR = "processing_error";

function countsOf({ scored, redelivered, duplicates, quarantined }: BatchOutcome): RecordCounts {
  const reasons: Record<string, number> = {};
  for (const { reason } of quarantined) reasons[reason] = (reasons[reason] ?? 0) + 1;
  return { scored: scored + redelivered, duplicates, quarantined: reasons };
}

/** Quarantines a record that can't be processed. @returns how many records are finished */
async function setAside(
  record: SourceRecord,
  { message }: RecordFault,
  { ports, profile, log, metrics }: RecordScorerArgs,
): Promise<0 | 1> {
  const rejected = { index: 0, record, reason: PROCESSING_ERROR, detail: message, eventId: null };
  try {
    await quarantineRange([rejected], [record], profile.id, ports);
  } catch (error) {
    log.error("quarantine_failed", { position: record.position, ...describeError(error) });
    return 0;
  }
  metrics.add("Quarantined", "Count", 1);
  log.warn("record_quarantined", { position: record.position, reason: rejected.reason });
  return 1;
}

function reportBatch(outcome: BatchOutcome, records: readonly SourceRecord[], { log, metrics }: RecordScorerArgs): void {
  metrics.add("Scored", "Count", outcome.scored);
  metrics.add("Duplicates", "Count", outcome.duplicates);
  metrics.add("Quarantined", "Count", outcome.quarantined.length);
  metrics.add("HighRisk", "Count", outcome.alerts);
  if (outcome.stateConflicts > 0) metrics.add("StateConflicts", "Count", outcome.stateConflicts);
  for (const { record, reason } of outcome.quarantined) {
    log.warn("record_quarantined", { position: record.position, reason });
  }
  log.debug("batch", { records: records.length, scored: outcome.scored, redelivered: outcome.redelivered });
}

/** A table without units makes the stream wait, which `IteratorAge` shows; everything else is reported as a failure. */
function reportUnfinished(
  failure: unknown,
  done: number,
  records: readonly SourceRecord[],
  context: InvocationContext,
  { log, metrics }: RecordScorerArgs,
): void {
  const fields = {
    requestId: context.awsRequestId,
    origin: (records[0] as SourceRecord).origin,
    finished: done,
    records: records.length,
    ...describeError(failure),
  };
  if (
    isThrottled(failure) ||
    failure instanceof UnprocessedKeysError ||
    failure instanceof OutOfTimeError ||
    failure instanceof InOtherHandsError
  ) {
    log.warn("batch_waits", fields);
    return;
  }
  metrics.add("InfrastructureFailures", "Count", 1);
  log.error("batch_unfinished", fields);
}
