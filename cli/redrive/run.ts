/** A redrive from beginning to end. */
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import type { RedriveClock } from "./clock";
import { redriveQueue, type Tally } from "./dead-letters";
import { followRecords, type Outcome } from "./outcome";
import { type Put, putRecords } from "./put-records";
import { type RawRecord, RawStore } from "./raw-records";
import { isSelected, type Selection } from "./selection";
import { sendBackOf } from "./send-back";
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
  /** Records put into the stream again. */
  readonly redriven: number;
  /** Messages of quarantine that went back to the archiver. */
  readonly returned: number;
  readonly scored: number;
  /** Of events that had been scored before. */
  readonly known: number;
  readonly pending: number;
  /** In quarantine again. */
  readonly quarantined: readonly Outcome[];
  readonly queues: readonly Tally[];
}

export async function redrive(target: RedriveTarget, options: RedriveOptions): Promise<Summary> {
  const { selection, clock, dryRun, waitMs, progress } = options;
  const startedMs = clock.now();
  const raw = new RawStore(target.s3, target.names.rawBucket);
  const sent = await redriveRecords(raw, target, options);
  const queues = selection.sources.includes("dlq") ? await redriveQueues(target, options) : [];
  const ports = {
    raw,
    dynamodb: target.dynamodb,
    resultsTable: target.names.resultsTable,
    clock,
    pollMs: target.pollMs,
  };
  const outcomes = await followRecords(sent.put, startedMs, waitMs, ports, (done) => progress("outcomes", done));
  const count = (state: Outcome["state"]) => outcomes.filter((outcome) => outcome.state === state).length;
  return {
    dryRun,
    found: sent.found,
    redriven: sent.put.length,
    returned: sent.returned,
    scored: count("scored"),
    known: count("known"),
    pending: count("pending"),
    quarantined: outcomes.filter(({ state }) => state === "quarantined"),
    queues,
  };
}

interface SentRecords {
  readonly found: Record<string, number>;
  readonly put: Put[];
  returned: number;
}

/** Object by object, each noted when its records are put: what a crash interrupts is put again, and its event ids make that harmless. */
async function redriveRecords(raw: RawStore, target: RedriveTarget, options: RedriveOptions): Promise<SentRecords> {
  const { selection, clock, dryRun, runId, progress } = options;
  const sent: SentRecords = { found: {}, put: [], returned: 0 };
  for (const folder of ["quarantine", "failures"] as const) {
    if (!selection.sources.includes(folder)) continue;
    // Listed once, so that what this redrive causes is left to the next one.
    for (const object of await raw.objects(folder)) {
      const records = (await raw.records(object)).filter((record) => isSelected(record, selection));
      for (const { reason } of records) sent.found[reason] = (sent.found[reason] ?? 0) + 1;
      if (dryRun || records.length === 0) continue;
      const scores = records.filter(({ source }) => source === "rest");
      for (const score of scores) await returnToArchiver(score, target);
      const events = records.filter(({ source }) => source === "kinesis");
      sent.put.push(...(await putRecords(target.kinesis, target.names.streamName, events, clock.pause)));
      await raw.noteRedriven(object.key, records, runId);
      sent.returned += scores.length;
      progress("records", sent.put.length + sent.returned);
    }
  }
  return sent;
}

async function returnToArchiver({ data }: RawRecord, { sqs, names }: RedriveTarget): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl: names.archiveQueueUrl, MessageBody: Buffer.from(data).toString() }));
}

async function redriveQueues(target: RedriveTarget, { selection, dryRun, progress }: RedriveOptions): Promise<Tally[]> {
  const tallies: Tally[] = [];
  let before = 0;
  for (const queue of target.names.queues) {
    const sendBack = dryRun ? null : sendBackOf(queue.back, target);
    const tally = await redriveQueue(target.sqs, queue, selection, sendBack, (messages) =>
      progress("messages", before + messages),
    );
    before += tally.found;
    tallies.push(tally);
  }
  return tallies;
}

/** Whether everything that was sent back arrived. */
export const isClean = ({ quarantined, pending, queues }: Summary): boolean =>
  quarantined.length === 0 && pending === 0 && queues.every(({ failed }) => Object.keys(failed).length === 0);
