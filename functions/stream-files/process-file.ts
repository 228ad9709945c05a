/** Scores a file, or as much of it as the invocation has time for. */
import { planText } from "../files/columns";
import { isSeekable, readRowsFrom } from "../files/read";
import { FileError, type FilePlace, type Row, START } from "../files/types";
import type { AnyProfile } from "../scoring/core/profile";
import type { Clock } from "../shared/clock";
import type { InvocationContext, RecordCounts, RecordScorer } from "../stream/score-records";
import type { SourceRecord } from "../stream/source-record";
import { makerOf, openFile } from "./open-file";
import { type Announcements, type Continuation, FileGoneError, type IncomingFiles, type Journal } from "./ports";
import { type RowOrigin, rowRecord } from "./row-record";
import {
  type Checkpoint,
  type FileCounts,
  type FileResult,
  type FileStatus,
  fileId,
  type IncomingFile,
  resultKey,
} from "./types";

export interface ProcessFileArgs {
  readonly profile: AnyProfile;
  readonly score: RecordScorer;
  readonly files: IncomingFiles;
  readonly journal: Journal;
  readonly continuation: Continuation;
  readonly announcements: Announcements;
  readonly clock: Clock;
  /** Rows that are scored together; the same at every delivery, since the names of archive objects depend on it. */
  readonly rowsPerBatch: number;
  /** No further batch is begun when less than this is left, in ms. */
  readonly reserveMs: number;
  /** Milliseconds between two checkpoints: so much is done again after a crash. */
  readonly checkpointEveryMs: number;
}

/** `stuck`: the stores took nothing; the message has to be delivered again. */
export type FileProgress = "finished" | "known" | "continues" | "stuck";

const NOTHING: FileCounts = { rows: 0, scored: 0, duplicates: 0, quarantined: {} };
/** After some progress and a failure: throttled tables have this long to recover. */
const PAUSE_SECONDS = 30;

export async function processFile(file: IncomingFile, context: InvocationContext, args: ProcessFileArgs): Promise<FileProgress> {
  const id = fileId(file);
  const before = await args.journal.checkpoint(id);
  if (before?.done) return "known";
  const start: Checkpoint = before ?? { file, reading: null, place: START, counts: NOTHING, done: false };
  const run = new FileRun(id, start, context, args);
  try {
    return await run.read();
  } catch (error) {
    if (error instanceof FileError) return run.finish(run.checkpoint.reading === null ? "refused" : "damaged", error.message);
    if (error instanceof FileGoneError)
      return run.finish("replaced", "The object was replaced or deleted before all of it was read.");
    throw error;
  }
}

class FileRun {
  private savedAtMs: number;

  constructor(
    private readonly id: string,
    public checkpoint: Checkpoint,
    private readonly context: InvocationContext,
    private readonly args: ProcessFileArgs,
  ) {
    this.savedAtMs = args.clock.now();
  }

  async read(): Promise<FileProgress> {
    const { files, profile } = this.args;
    const { file, place: from } = this.checkpoint;
    const facts = await files.facts(file);
    const reading = this.checkpoint.reading ?? (await openFile(file, facts, files, profile));
    this.checkpoint = { ...this.checkpoint, reading };
    const { plan } = reading;
    const origin: RowOrigin = { id: this.id, plan, arrivedAtMs: facts.modifiedAtMs };
    const toRecord = makerOf(reading, profile);
    const rows = readRowsFrom(files.bytes(file, isSeekable(plan) ? from.offset : 0), plan, from);
    for await (const batch of batches(rows, this.args.rowsPerBatch)) {
      if (this.context.getRemainingTimeInMillis() < this.args.reserveMs) return this.goOnLater(from, 0);
      const records = batch.map((row) => rowRecord(row, toRecord, origin));
      const counts = await scoreAll(records, this.context, this.args.score);
      if (counts === null) return this.goOnLater(from, PAUSE_SECONDS);
      const place = (batch.at(-1) as Row).next;
      this.checkpoint = { ...this.checkpoint, place, counts: sum(this.checkpoint.counts, { ...counts, rows: batch.length }) };
      if (this.args.clock.now() - this.savedAtMs >= this.args.checkpointEveryMs) await this.save();
    }
    return this.finish("scored", null);
  }

  /** The result first, then the event that names it, then the mark: whoever is interrupted does the rest again. */
  async finish(status: FileStatus, problem: string | null): Promise<FileProgress> {
    const { file, counts, reading } = this.checkpoint;
    const result: FileResult = {
      profile: this.args.profile.id,
      key: file.key,
      version_id: file.version,
      etag: file.etag,
      file_id: this.id,
      status,
      problem,
      format: reading && planText(reading.plan),
      preset: reading?.preset ?? null,
      ...counts,
      finished_at: new Date(this.args.clock.now()).toISOString(),
    };
    await this.args.journal.writeResult(resultKey(file), result);
    await this.args.announcements.publish(result);
    this.checkpoint = { ...this.checkpoint, done: true };
    await this.save();
    return "finished";
  }

  /** @param from where this invocation began: one that gets nowhere must not go on for ever as new messages, but come to the dead letters */
  private async goOnLater(from: FilePlace, delaySeconds: number): Promise<FileProgress> {
    if (this.checkpoint.place.row === from.row) return "stuck";
    await this.save();
    await this.args.continuation.send(this.checkpoint.file, delaySeconds);
    return "continues";
  }

  private async save(): Promise<void> {
    await this.args.journal.writeCheckpoint(this.id, this.checkpoint);
    this.savedAtMs = this.args.clock.now();
  }
}

async function* batches(rows: AsyncIterable<Row>, size: number): AsyncGenerator<readonly Row[]> {
  let batch: Row[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** Halves the records until one that makes the code fail is alone, which goes to quarantine. @returns null when not all are finished */
async function scoreAll(
  records: readonly SourceRecord[],
  context: InvocationContext,
  score: RecordScorer,
): Promise<RecordCounts | null> {
  const { done, fault, counts } = await score(records, context);
  if (fault === null) return done === records.length ? counts : null;
  const middle = Math.ceil(records.length / 2);
  const first = await scoreAll(records.slice(0, middle), context, score);
  const second = first && (await scoreAll(records.slice(middle), context, score));
  return second && sum({ ...first, rows: 0 }, { ...second, rows: 0 });
}

function sum(a: FileCounts, b: FileCounts): FileCounts {
  const quarantined = { ...a.quarantined };
  for (const [reason, count] of Object.entries(b.quarantined)) quarantined[reason] = (quarantined[reason] ?? 0) + count;
  return { rows: a.rows + b.rows, scored: a.scored + b.scored, duplicates: a.duplicates + b.duplicates, quarantined };
}
