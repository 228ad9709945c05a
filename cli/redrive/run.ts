/** A redrive from beginning to end. */
import type { RedriveClock } from "./clock";
import { redriveQueue, type Tally } from "./dead-letters";
import { deliverRecords } from "./deliver-records";
import { failureText, RedriveFailure } from "./failure";
import { followSent, type Outcome, pendingOutcomes, type SentMessage } from "./outcome";
import { type Put, putRecords } from "./put-records";
import { type RawRecord, RawStore } from "./raw-records";
import { type Candidate, isSelected, type Selection } from "./selection";
import { sendBackOf, toArchiver } from "./send-back";
import { isOfQueue, sendMessages } from "./send-messages";
import type { RedriveTarget } from "./target";

export interface RedriveOptions {
  readonly clock: RedriveClock;
  readonly selection: Selection;
  /** Only counts. */
  readonly dryRun: boolean;
  /** How long to wait for what becomes of the records, in ms. */
  readonly waitMs: number;
  /** Unique: notes of two redrives must not overwrite each other. */
  readonly runId: string;
  readonly progress: (what: "records" | "outcomes" | "messages", done: number) => void;
}

export interface Summary {
  readonly dryRun: boolean;
  /** Records of the raw bucket, by reason. */
  readonly found: Readonly<Record<string, number>>;
  /** Reasons that were asked for and that nothing has. */
  readonly unknownReasons: readonly string[];
  /** All that there are. */
  readonly reasons: readonly string[];
  /** Records put into the stream or the event queue again. */
  readonly redriven: number;
  /** Messages of quarantine that went back to the archiver. */
  readonly returned: number;
  readonly scored: number;
  /** Of events that had been scored before. */
  readonly known: number;
  /** Messages, of quarantine and of dead-letter queues, that the archiver took. */
  readonly archived: number;
  readonly pending: number;
  /** In quarantine again. */
  readonly quarantined: readonly Outcome[];
  readonly queues: readonly Tally[];
  /** What ended before its end, and why. */
  readonly stopped: readonly Stop[];
}

export interface Stop {
  readonly what: "quarantine" | "failures" | "outcomes";
  readonly why: string;
}

/** What has happened so far: a summary is due even when the rest fails. */
interface Progress {
  readonly found: Record<string, number>;
  readonly reasons: Set<string>;
  readonly put: Put[];
  readonly messages: SentMessage[];
  returned: number;
  readonly stopped: Stop[];
}

export async function redrive(target: RedriveTarget, options: RedriveOptions): Promise<Summary> {
  const { selection, clock, dryRun, waitMs, progress } = options;
  const startedMs = clock.now();
  const raw = new RawStore(target.s3, target.names.rawBucket, target.names.failedDeliveriesBucket);
  const sent: Progress = { found: {}, reasons: new Set(), put: [], messages: [], returned: 0, stopped: [] };
  await redriveRecords(raw, target, options, sent);
  const queues = selection.sources.includes("dlq") ? await redriveQueues(target, options, sent) : [];
  const ports = {
    raw,
    dynamodb: target.dynamodb,
    resultsTable: target.names.resultsTable,
    clock,
    pollMs: target.pollMs,
  };
  const outcomes = pendingOutcomes(sent);
  await untilStopped("outcomes", sent, () =>
    followSent(sent, outcomes, startedMs, waitMs, ports, (done) => progress("outcomes", done)),
  );
  const all = [...outcomes.values()];
  const count = (state: Outcome["state"]) => all.filter((outcome) => outcome.state === state).length;
  return {
    dryRun,
    found: sent.found,
    unknownReasons: (selection.reason ?? []).filter((reason) => !sent.reasons.has(reason)),
    reasons: [...sent.reasons].sort(),
    redriven: sent.put.length,
    returned: sent.returned,
    scored: count("scored"),
    known: count("known"),
    archived: count("archived"),
    pending: count("pending"),
    quarantined: all.filter(({ state }) => state === "quarantined"),
    queues,
    stopped: sent.stopped,
  };
}

async function untilStopped(what: Stop["what"], { stopped }: Progress, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    stopped.push({ what, why: failureText(error) });
  }
}

/** Whether to take it; its reason is remembered either way. */
const takerOf =
  ({ reasons }: Progress, selection: Selection) =>
  (candidate: Candidate): boolean => {
    reasons.add(candidate.reason);
    return isSelected(candidate, selection);
  };

async function redriveRecords(raw: RawStore, target: RedriveTarget, options: RedriveOptions, sent: Progress): Promise<void> {
  for (const folder of ["quarantine", "failures"] as const) {
    if (options.selection.sources.includes(folder))
      await untilStopped(folder, sent, () => redriveFolder(folder, raw, target, options, sent));
  }
}

/** Object by object, each noted when its records are put: what a crash interrupts is put again, and its event ids make that harmless. */
async function redriveFolder(
  folder: "quarantine" | "failures",
  raw: RawStore,
  target: RedriveTarget,
  { selection, clock, dryRun, runId, progress }: RedriveOptions,
  sent: Progress,
): Promise<void> {
  // Listed once, so that what this redrive causes is left to the next one.
  for (const object of await raw.objects(folder)) {
    const records = (await raw.records(object)).filter(takerOf(sent, selection));
    for (const { reason } of records) sent.found[reason] = (sent.found[reason] ?? 0) + 1;
    if (dryRun || records.length === 0) continue;
    for (const { data, position } of records.filter(isOfArchiver)) {
      await toArchiver(Buffer.from(data).toString(), position, target, (message) => sent.messages.push(message));
      sent.returned++;
    }
    await redriveEvents(records, target, { clock, runId }, sent);
    await raw.noteRedriven(object.key, records, runId);
    progress("records", sent.put.length + sent.returned);
  }
}

const isOfArchiver = (record: RawRecord): boolean => record.source === "rest" && !isOfQueue(record);

/** Each the way it came. */
async function redriveEvents(
  records: readonly RawRecord[],
  { kinesis, firehose, sqs, names }: RedriveTarget,
  { clock, runId }: Pick<RedriveOptions, "clock" | "runId">,
  { put }: Progress,
): Promise<void> {
  // Rows of files go on by whichever way the stack has.
  const ofFile = ({ source }: RawRecord) => source === "s3";
  const ofStream = records.filter((one) => one.source === "kinesis" || (names.streamName !== undefined && ofFile(one)));
  if (ofStream.length > 0)
    await putRecords(kinesis, wayBack(names.streamName, "kinesis"), ofStream, clock.pause, (one) => put.push(one));
  const ofDelivery = records.filter(({ source }) => source === "firehose");
  if (ofDelivery.length > 0)
    await deliverRecords(firehose, wayBack(names.deliveryStreamName, "firehose"), ofDelivery, clock.pause, (one) =>
      put.push(one),
    );
  const ofQueue = records.filter((one) => isOfQueue(one) || (names.streamName === undefined && ofFile(one)));
  if (ofQueue.length > 0)
    put.push(...(await sendMessages(sqs, wayBack(names.eventQueueUrl, "eventbridge or rest"), ofQueue, runId, clock)));
}

function wayBack(name: string | undefined, trigger: string): string {
  if (name === undefined)
    throw new RedriveFailure(
      `The stack no longer has the trigger ${trigger}, by which records came; add it to risk:fraud.triggers.`,
    );
  return name;
}

async function redriveQueues(target: RedriveTarget, options: RedriveOptions, sent: Progress): Promise<Tally[]> {
  const { selection, dryRun, progress } = options;
  const tallies: Tally[] = [];
  let before = 0;
  for (const queue of target.names.queues) {
    const sendBack = dryRun ? null : sendBackOf(queue.back, target, (message) => sent.messages.push(message));
    const tally = await redriveQueue(target.sqs, queue, takerOf(sent, selection), sendBack, (messages) =>
      progress("messages", before + messages),
    );
    before += tally.found;
    tallies.push(tally);
  }
  return tallies;
}

/** Whether everything was looked at. */
export const isComplete = ({ stopped, queues }: Summary): boolean =>
  stopped.length === 0 && queues.every((queue) => queue.stopped === undefined);

/** Whether everything that was sent back arrived. */
export const isClean = (summary: Summary): boolean =>
  isComplete(summary) &&
  summary.quarantined.length === 0 &&
  summary.pending === 0 &&
  summary.queues.every(({ failed }) => Object.keys(failed).length === 0);
