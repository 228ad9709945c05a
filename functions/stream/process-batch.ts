import type { CompiledPolicy } from "../core/policy";
import type { ModelSet } from "../models/model-set";
import type { ModelReport } from "../shared/model-report";
import type { ObjectStore } from "../shared/object-store";
import { mapPatiently, type Patience } from "../shared/patience";
import { type AdmitArgs, admit, type Candidate, isRejected, type Rejected } from "./admit";
import { archive, quarantine, unarchived } from "./archive-batch";
import { batchKey } from "./batch-key";
import { readKnown } from "./earlier-results";
import type { Alerts, ResultStore, StateStore } from "./ports";
import { ofRecord } from "./record-fault";
import { recordResults } from "./record-results";
import { type Entry, type FoldedStates, foldStates, scoreBatch } from "./score-batch";
import type { SourceRecord } from "./source-record";

export interface BatchPorts {
  readonly results: ResultStore;
  readonly states: StateStore;
  readonly alerts: Alerts;
  readonly objects: ObjectStore;
}

export interface BatchArgs extends AdmitArgs {
  readonly policy: CompiledPolicy;
  /** Null: the policy's own model. */
  readonly models: ModelSet | null;
  readonly report: ModelReport;
  readonly scoredAt: string;
  readonly eventDetailType: string;
  /** `mayWait` is false when the invocation's time is nearly over: then nothing new is written either. */
  readonly patience: Patience;
  /** Shorter than `patience`: writes need time as well. */
  readonly patienceToRead: Patience;
  /** Shorter than `patience`: what is written has to be archived yet. */
  readonly patienceToRecord: Patience;
  /** Told when a step is over; for measurements. */
  readonly step?: (name: string) => void;
}

export interface BatchOutcome {
  /** Records before this index are completely done; the batch's length when all are. */
  readonly done: number;
  readonly scored: number;
  readonly redelivered: number;
  readonly duplicates: number;
  readonly quarantined: readonly Rejected[];
  readonly alerts: number;
  /** State writes that lost against a later record. */
  readonly stateConflicts: number;
  /** Why `done` is not the whole batch. */
  readonly error: unknown;
}

const STATE_WRITES_AT_ONCE = 48;

/**
 * One batch of one shard: decode → validate → read states and the few results that are probably there → score in order → write results →
 * write states → publish alerts → archive → quarantine. A failure of the infrastructure at any step lowers `done` to the first record it
 * leaves unfinished; the steps after it go on for the records before.
 */
export async function processBatch(records: readonly SourceRecord[], args: BatchArgs, ports: BatchPorts): Promise<BatchOutcome> {
  const { profile, policy, patience, step } = args;
  const { candidates, rejected } = admitAll(records, args);
  step?.("decode");

  const known = await readKnown(candidates, profile, args.patienceToRead, ports);
  const { states } = known;
  const range = records.slice(0, known.end);
  if (range.length === 0) throw known.error;
  step?.("read");

  const scoreArgs = { ...args, archiveKey: batchKey(profile.id, range) };
  const batch = await scoreBatch(known.candidates, known.stored, states, scoreArgs);
  rejected.push(...batch.rejected);
  step?.("score");

  const recorded = await recordResults(batch, states, ports.results, scoreArgs, args.patienceToRecord);
  rejected.push(...recorded.rejected);
  let error = recorded.error ?? known.error;
  let done = Math.min(range.length, ...recorded.unresolved);
  step?.("results");

  const kept = before(done, recorded.entries);
  const folded = kept === batch.entries ? batch.states : foldStates(kept, states, profile);
  const written = await writeStates(folded, ports.states, patience);
  done = Math.min(done, ...written.failed);
  error ??= written.error;
  step?.("state");

  let pending: readonly Entry[] = [];
  let alerts = 0;
  try {
    pending = await unarchived(before(done, recorded.entries), ports.objects);
    const refused = await publishAlerts(pending, args, ports.alerts);
    alerts = refused.published;
    if (refused.indexes.length > 0) error ??= new Error(`The event bus refused ${refused.indexes.length} high-risk events.`);
    done = Math.min(done, ...refused.indexes);
    step?.("alerts");

    // Remote challengers had the time of all the writes so far; now the lines are made, unless the invocation's time runs out.
    if (recorded.challengers.length > 0 && patience.mayWait()) await Promise.all(recorded.challengers);
    pending = before(done, pending);
    const redelivery = recorded.entries.some((entry) => !entry.fresh);
    const { isAlert } = policy;
    const stopped = await archive(pending, done, {
      ...ports,
      profile: profile.id,
      records: range,
      redelivery,
      isAlert,
      patience,
    });
    if (stopped !== null) {
      error ??= stopped.error;
      done = stopped.index;
    }
  } catch (failure) {
    error ??= failure;
    done = Math.min(done, ...(pending.length > 0 ? pending : recorded.entries).map(({ candidate }) => candidate.index));
  }
  step?.("archive");

  const unfit = rejected.filter(({ index }) => index < done).sort((a, b) => a.index - b.index);
  try {
    await quarantine(unfit, batchKey(profile.id, records, Math.max(done, 1)), profile.id, ports.objects);
  } catch (failure) {
    error ??= failure;
    done = Math.min(done, ...unfit.map(({ index }) => index));
  }
  step?.("quarantine");

  const finished = before(done, recorded.entries);
  return {
    done,
    scored: finished.filter((entry) => entry.fresh).length,
    redelivered: finished.filter((entry) => !entry.fresh).length,
    duplicates: [...batch.duplicates, ...recorded.duplicates].filter((index) => index < done).length,
    quarantined: unfit.filter(({ index }) => index < done),
    alerts,
    stateConflicts: written.conflicts,
    error: done < records.length ? error : undefined,
  };
}

function admitAll(records: readonly SourceRecord[], args: AdmitArgs) {
  const candidates: Candidate[] = [];
  const rejected: Rejected[] = [];
  for (let index = 0; index < records.length; index++) {
    const admitted = ofRecord(() => admit(records[index] as SourceRecord, index, args));
    if (isRejected(admitted)) rejected.push(admitted);
    else candidates.push(admitted);
  }
  return { candidates, rejected };
}

const before = (done: number, entries: readonly Entry[]): readonly Entry[] =>
  entries.at(-1) === undefined || (entries.at(-1) as Entry).candidate.index < done
    ? entries
    : entries.filter(({ candidate }) => candidate.index < done);

async function writeStates(
  states: FoldedStates,
  store: StateStore,
  patience: Patience,
): Promise<{ readonly failed: readonly number[]; readonly conflicts: number; readonly error: unknown }> {
  const folded = [...states];
  const write = ([user, { state, lastSequence }]: (typeof folded)[number]) => store.write(user, { state, lastSequence });
  const outcomes = await mapPatiently(folded, STATE_WRITES_AT_ONCE, write, patience);
  const failed: number[] = [];
  let conflicts = 0;
  let error: unknown;
  for (const [position, outcome] of outcomes.entries()) {
    if (outcome.kind === "done") {
      if (outcome.value === "newer") conflicts++;
      continue;
    }
    failed.push((folded[position] as (typeof folded)[number])[1].firstIndex);
    if (outcome.kind === "failed") error ??= outcome.error;
  }
  return { failed, conflicts, error };
}

async function publishAlerts(
  pending: readonly Entry[],
  { policy, eventDetailType }: BatchArgs,
  alerts: Alerts,
): Promise<{ readonly published: number; readonly indexes: readonly number[] }> {
  const risky = pending.filter(({ result }) => policy.isAlert(result.decision.band));
  if (risky.length === 0) return { published: 0, indexes: [] };
  const refused = await alerts.publish(
    risky.map((entry) => {
      const { decision, eventId, userToken, scoredAt, occurredAt } = entry.result;
      const detail = {
        eventId,
        transactionId: eventId,
        userId: userToken,
        score: decision.score,
        band: decision.band,
        reasons: decision.reasons,
        flags: decision.flags,
        modelVersion: decision.modelVersion,
        policyVersion: decision.policyVersion,
        timestamp: scoredAt,
        occurredAt,
      };
      // The line is JSON text already.
      const text = `${JSON.stringify(detail).slice(0, -1)},"record":${ofRecord(entry.line)}}`;
      return { detail: text, detailType: eventDetailType, time: new Date(scoredAt) };
    }),
  );
  return {
    published: risky.length - refused.length,
    indexes: refused.map((position) => (risky[position] as Entry).candidate.index),
  };
}
