import type { ModelSet } from "../scoring/models/model-set";
import type { ModelReport } from "../shared/model-report";
import type { ObjectStore } from "../shared/object-store";
import type { Patience } from "../shared/patience";
import type { QuarantineStores } from "../shared/quarantine";
import { type AdmitArgs, admit, type Candidate, isRejected, type Rejected } from "./admit";
import { type Archived, quarantineRange, unarchived } from "./archive-batch";
import { readKnown } from "./earlier-results";
import { type FoldedStates, foldStates } from "./fold-states";
import type { LineSink } from "./line-sink";
import type { Alerts, ResultStore, StateStore, StoredState } from "./ports";
import { afterStep, type InBatch, inOrder, notHeldUp, type Unfinished } from "./progress";
import { type AlertArgs, publishAlerts } from "./publish-alerts";
import { ofRecord } from "./record-fault";
import { type Recorded, recordResults } from "./record-results";
import { isRepeated, repeatedEvents } from "./repeated-events";
import { countable, type Entry, type ScoredBatch, scoreBatch } from "./score-batch";
import type { SourceRecord } from "./source-record";
import { writeStates } from "./write-states";

export interface BatchPorts {
  readonly results: ResultStore;
  readonly states: StateStore;
  readonly alerts: Alerts;
  readonly objects: ObjectStore;
  /** The raw bucket. */
  readonly raw: QuarantineStores["raw"];
}

export interface BatchArgs extends AdmitArgs, AlertArgs {
  /** Null: the policy's own model. */
  readonly models: ModelSet | null;
  readonly report: ModelReport;
  readonly scoredAt: string;
  readonly sink: LineSink;
  /** `mayWait` is false when the invocation's time is nearly over: then nothing new is written either. */
  readonly patience: Patience;
  /** Shorter than `patience`, because writes need time as well. */
  readonly patienceToRead: Patience;
  /** Shorter than `patience`, because what is written still has to be archived. */
  readonly patienceToRecord: Patience;
  /** Called when a step is over; for measurements. */
  readonly step?: (name: string) => void;
}

export interface BatchOutcome {
  /** All records before this index are completely done; the batch's length when all are. */
  readonly done: number;
  /** Events that this delivery archived. Earlier ones may have scored them; each event is archived once, so it counts once. */
  readonly scored: number;
  /** Events that an earlier delivery of the same records archived. */
  readonly redelivered: number;
  /** Records that repeat an event which is archived, or is by an earlier record of the batch. */
  readonly duplicates: number;
  readonly quarantined: readonly Rejected[];
  readonly alerts: number;
  /** State writes that lost against another delivery. */
  readonly stateConflicts: number;
  /** Why `done` is less than the whole batch. */
  readonly error: unknown;
}

/**
 * One batch of one origin: decode → validate → read states and the few results that probably exist → score in order → write results →
 * write states → publish alerts → archive → quarantine. A step that can't finish a record holds up that record and those after it; the
 * later steps continue with the records before it.
 */
export async function processBatch(records: readonly SourceRecord[], args: BatchArgs, ports: BatchPorts): Promise<BatchOutcome> {
  const { profile, sink, step } = args;
  const admitted = admitAll(records, args);
  step?.("decode");

  const known = await readKnown(admitted.candidates, profile, args.patienceToRead, ports);
  const range = records.slice(0, known.end);
  if (range.length === 0) throw known.error;
  step?.("read");

  const scoreArgs = { ...args, archiveKey: sink.keyOf(profile.id, range) };
  const scored = await scoreBatch(known.candidates, known.stored, known.states, scoreArgs);
  step?.("score");

  const recorded = await recordResults(scored, known.states, ports.results, scoreArgs, args.patienceToRecord);
  const { entries } = recorded;
  let progress = afterStep({ done: range.length, error: recorded.error ?? known.error }, recorded);
  step?.("results");

  const duplicates = inOrder([...scored.duplicates, ...recorded.duplicates]);
  const repeated = repeatedEvents(duplicates, entries, args);
  const all = repeated.length === 0 ? entries : inOrder([...entries, ...repeated]);
  const pending = await unarchived(notHeldUp(progress, all), ports.objects);
  progress = afterStep(progress, pending);

  const folded = statesAfter(notHeldUp(progress, entries), notHeldUp(progress, pending.entries), scored, known.states, profile);
  const written = await writeStates(folded, { ...args, states: ports.states });
  progress = afterStep(progress, written);
  step?.("state");

  const published = await publishAlerts(notHeldUp(progress, pending.entries), args, ports.alerts);
  progress = afterStep(progress, published);
  step?.("alerts");

  const archived = await archivePending(notHeldUp(progress, pending.entries), progress.done, range, recorded, args, ports);
  progress = afterStep(progress, archived);
  step?.("archive");

  const rejected = [...admitted.rejected, ...scored.rejected, ...recorded.rejected];
  const unfit = rejected.filter(({ index }) => index < progress.done).sort((a, b) => a.index - b.index);
  progress = afterStep(progress, await quarantineAll(unfit, records, progress.done, profile.id, ports));
  step?.("quarantine");

  const { done, error } = progress;
  const finished = (list: readonly InBatch[]): number => notHeldUp(progress, list).length;
  return {
    done,
    scored: archived.count,
    redelivered: finished(entries) - finished(pending.entries.filter((entry) => !isRepeated(entry))),
    duplicates: finished(duplicates) - finished(pending.entries.filter(isRepeated)),
    quarantined: unfit.filter(({ index }) => index < done),
    alerts: published.count,
    stateConflicts: written.conflicts,
    error: done < records.length ? error : undefined,
  };
}

/**
 * States after the entries, and after repeated events that aren't archived: archived ones are counted, because archiving comes after the
 * state.
 */
function statesAfter(
  kept: readonly Entry[],
  pending: readonly Entry[],
  scored: ScoredBatch,
  states: ReadonlyMap<string, StoredState>,
  profile: BatchArgs["profile"],
): FoldedStates {
  const repeated = pending.filter(isRepeated);
  if (repeated.length === 0 && kept === scored.entries) return scored.states;
  return foldStates(inOrder([...kept, ...repeated]).map(countable), states, profile);
}

function admitAll(records: readonly SourceRecord[], args: AdmitArgs) {
  const candidates: Candidate[] = [];
  const rejected: Rejected[] = [];
  for (const [index, record] of records.entries()) {
    const admitted = ofRecord(() => admit(record, index, args));
    if (isRejected(admitted)) rejected.push(admitted);
    else candidates.push(admitted);
  }
  return { candidates, rejected };
}

/** Remote challengers had the time of all the writes so far; now the lines are made, unless the invocation's time runs out. */
async function archivePending(
  pending: readonly Entry[],
  done: number,
  range: readonly SourceRecord[],
  { entries, challengers }: Recorded,
  { profile, policy, sink, patience }: BatchArgs,
  ports: BatchPorts,
): Promise<Archived> {
  if (pending.length > 0 && challengers.length > 0 && patience.mayWait()) await Promise.all(challengers);
  return sink.take(pending, done, {
    ...ports,
    profile: profile.id,
    records: range,
    redelivery: entries.some((entry) => !entry.fresh),
    isAlert: policy.isAlert,
    patience,
  });
}

async function quarantineAll(
  unfit: readonly Rejected[],
  records: readonly SourceRecord[],
  done: number,
  profile: string,
  stores: QuarantineStores,
): Promise<Unfinished> {
  try {
    await quarantineRange(unfit, records.slice(0, Math.max(done, 1)), profile, stores);
    return { indexes: [], error: undefined };
  } catch (error) {
    return { indexes: unfit.map(({ index }) => index), error };
  }
}
