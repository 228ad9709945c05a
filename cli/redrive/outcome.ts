/** What became of records that were put into the stream again. */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { readText, s } from "../../functions/shared/attribute-values";
import { DEFAULT_BACKOFF } from "../../functions/shared/backoff";
import { batchGet } from "../../functions/shared/batch-get";
import { readResult } from "../../functions/stream/result-item";
import { RecordChecker } from "../ingest/record-checker";
import type { RedriveClock } from "./clock";
import type { Put } from "./put-records";
import type { RawObject, RawStore } from "./raw-records";

/** By record: what it is now, or undefined as long as nothing is known. */
export interface Outcome {
  readonly position: string;
  /** Where it lay before. */
  readonly before: string;
  readonly state: "scored" | "known" | "quarantined" | "pending";
  /** Code, of a record that is in quarantine again. */
  readonly reason?: string;
}

export interface OutcomePorts {
  readonly raw: Pick<RawStore, "objects" | "records">;
  readonly dynamodb: DynamoDBClient;
  readonly resultsTable: string;
  readonly clock: RedriveClock;
  readonly pollMs: number;
}

/** The clock of S3 may be behind this machine's. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Waits until every record is scored or in quarantine again, at most for `waitMs`. */
export async function followRecords(
  put: readonly Put[],
  startedMs: number,
  waitMs: number,
  ports: OutcomePorts,
  progress: (settled: number) => void,
): Promise<readonly Outcome[]> {
  const { clock, pollMs } = ports;
  const outcomes = new Map<string, Outcome>(
    put.map(({ position, record }) => [position, { position, before: record.position, state: "pending" }]),
  );
  const ids = new Map(put.flatMap(({ position, record }) => idOf(record.data).map((id) => [position, id] as const)));
  const isConflict = new Set(put.filter(({ record }) => record.reason === "duplicate_conflict").map(({ position }) => position));
  const seen = new Set<string>();
  for (const deadline = clock.now() + waitMs; ; ) {
    await findQuarantined(outcomes, seen, startedMs, ports);
    await findScored(outcomes, ids, isConflict, ports);
    const open = [...outcomes.values()].filter(({ state }) => state === "pending").length;
    progress(put.length - open);
    if (open === 0 || clock.now() >= deadline) return [...outcomes.values()];
    await clock.pause(pollMs);
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

async function findQuarantined(
  outcomes: Map<string, Outcome>,
  seen: Set<string>,
  startedMs: number,
  { raw }: OutcomePorts,
): Promise<void> {
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
  outcomes: Map<string, Outcome>,
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
