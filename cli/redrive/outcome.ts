/** What became of records that were put into the stream or the event queue again, and of messages that went to the archiver. */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { readText, s } from "../../functions/shared/attribute-values";
import { DEFAULT_BACKOFF } from "../../functions/shared/backoff";
import { batchGet } from "../../functions/shared/batch-get";
import { readResult } from "../../functions/stream/result-item";
import { RecordChecker } from "../ingest/record-checker";
import type { RedriveClock } from "./clock";
import type { Put } from "./put-records";
import type { RawObject, RawStore } from "./raw-records";

/** By record or message: what it is now. */
export interface Outcome {
  readonly position: string;
  /** Where it lay before. */
  readonly before: string;
  readonly state: "scored" | "known" | "archived" | "quarantined" | "pending";
  /** Code, of what is in quarantine again. */
  readonly reason?: string;
}

/** A message that went to the archiver. */
export interface SentMessage {
  /** Where it is if it is in quarantine again. */
  readonly position: string;
  readonly before: string;
}

/** Where the archiver quarantines a message. */
export const archiverPosition = (messageId: string): string => `rest:${messageId}`;

export interface Sent {
  readonly put: readonly Put[];
  readonly messages: readonly SentMessage[];
}

export type Outcomes = Map<string, Outcome>;

export const pendingOutcomes = ({ put, messages }: Sent): Outcomes =>
  new Map(
    [...put.map(({ position, record }) => ({ position, before: record.position })), ...messages].map((one) => [
      one.position,
      { ...one, state: "pending" },
    ]),
  );

export interface OutcomePorts {
  readonly raw: Pick<RawStore, "objects" | "records">;
  readonly dynamodb: DynamoDBClient;
  readonly resultsTable: string;
  readonly clock: RedriveClock;
  readonly pollMs: number;
}

/** The clock of S3 may be behind this machine's. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Nothing that the redrive role may read says that the archiver took a message; only that it did not. It collects messages for half a minute
 * (`archive.windowSeconds`), and as much again is for its run.
 */
const ARCHIVER_MS = 60_000;

/** Waits until everything is scored, archived or in quarantine again, at most for `waitMs`, and changes the outcomes. */
export async function followSent(
  { put, messages }: Sent,
  outcomes: Outcomes,
  startedMs: number,
  waitMs: number,
  ports: OutcomePorts,
  progress: (settled: number) => void,
): Promise<void> {
  const { clock, pollMs } = ports;
  const ids = new Map(put.flatMap(({ position, record }) => idOf(record.data).map((id) => [position, id] as const)));
  const isConflict = new Set(put.filter(({ record }) => record.reason === "duplicate_conflict").map(({ position }) => position));
  const seen = new Set<string>();
  const sentMs = clock.now();
  for (;;) {
    const sinceMs = clock.now() - sentMs;
    await findQuarantined(outcomes, seen, startedMs, ports);
    if (sinceMs >= ARCHIVER_MS) becomeArchived(outcomes, messages);
    await findScored(outcomes, ids, isConflict, ports);
    const open = [...outcomes.values()].filter(({ state }) => state === "pending").length;
    progress(outcomes.size - open);
    if (open === 0 || sinceMs >= waitMs) return;
    await clock.pause(pollMs);
  }
}

function becomeArchived(outcomes: Outcomes, messages: readonly SentMessage[]): void {
  for (const { position } of messages) {
    const outcome = outcomes.get(position);
    if (outcome?.state === "pending") outcomes.set(position, { ...outcome, state: "archived" });
  }
}

const checker = new RecordChecker("fraud");

/** The id under which the record's event will be stored; none if it can't be read. */
function idOf(data: Uint8Array): string[] {
  try {
    const checked = checker.check(JSON.parse(Buffer.from(data).toString()));
    return checked.kind === "accepted" ? [checked.id] : [];
  } catch {
    return [];
  }
}

async function findQuarantined(outcomes: Outcomes, seen: Set<string>, startedMs: number, { raw }: OutcomePorts): Promise<void> {
  const isNew = ({ key, modifiedMs }: RawObject) => !seen.has(key) && modifiedMs >= startedMs - CLOCK_SKEW_MS;
  for (const object of (await raw.objects("quarantine")).filter(isNew)) {
    seen.add(object.key);
    for (const { position, reason } of await raw.records(object)) {
      const known = outcomes.get(position);
      if (known !== undefined) outcomes.set(position, { ...known, state: "quarantined", reason });
    }
  }
}

async function findScored(
  outcomes: Outcomes,
  ids: ReadonlyMap<string, string>,
  isConflict: ReadonlySet<string>,
  { dynamodb, resultsTable }: OutcomePorts,
): Promise<void> {
  const open = [...outcomes.values()].filter(({ state, position }) => state === "pending" && ids.has(position));
  const keys = [...new Set(open.map(({ position }) => ids.get(position) as string))].map((id) => ({ transaction_id: s(id) }));
  if (keys.length === 0) return;
  const { items } = await batchGet(dynamodb, resultsTable, keys, { mayWait: () => true, backoff: DEFAULT_BACKOFF });
  const scored = new Map(items.map((item) => [readText(item, "transaction_id"), readResult(item).sourcePosition]));
  for (const outcome of open) {
    const { position } = outcome;
    const found = scored.get(ids.get(position) as string);
    if (found === position) outcomes.set(position, { ...outcome, state: "scored" });
    // Of an id that belongs to another event the result says nothing.
    else if (found !== undefined && !isConflict.has(position)) outcomes.set(position, { ...outcome, state: "known" });
  }
}
