/** Waits until everything sent has arrived everywhere, and compares the counts. */
import { setTimeout as pause } from "node:timers/promises";
import type { Outputs } from "../outputs";
import type { Clients } from "./clients";
import type { RestTally } from "./send";
import { ArchiveReader, countItems, countRows, query, runLoaderUnlessBusy } from "./tally";
import type { StreamTraffic } from "./traffic";

/** Without progress for this long, the demo stops waiting and reports what is missing. */
const patienceMilliseconds = 20_000;

/** A line of the books. */
export interface Entry {
  readonly what: string;
  readonly expected: number;
  readonly found: number;
}

export interface Books {
  readonly entries: readonly Entry[];
  readonly archive: ArchiveReader;
  readonly quarantine: ArchiveReader;
  readonly balanced: boolean;
}

type Counter = () => Promise<number>;

/** Polls until every count has reached its expected value, or nothing has changed for a while. */
async function settle(targets: readonly [expected: number, count: Counter][], progress: (sum: number) => void): Promise<void> {
  let best = -1;
  let movedAt = Date.now();
  for (;;) {
    const counts = await Promise.all(targets.map(([, count]) => count()));
    const sum = counts.reduce((total, count) => total + count, 0);
    if (sum !== best) movedAt = Date.now();
    best = sum;
    progress(sum);
    if (targets.every(([expected], i) => (counts[i] ?? 0) >= expected)) return;
    if (Date.now() - movedAt > patienceMilliseconds) return;
    await pause(200);
  }
}

const distinct = (reader: ArchiveReader, field: string) => new Set(reader.lines.map((line) => line[field])).size;

export async function settleStream(
  clients: Clients,
  outputs: Outputs,
  traffic: StreamTraffic,
  progress: (sum: number) => void,
): Promise<void> {
  const quarantine = new ArchiveReader(clients, outputs.dataBucket, "quarantine/");
  await settle(
    [
      [traffic.scored, () => countItems(clients, outputs.resultsTable)],
      [traffic.quarantined, async () => (await quarantine.refresh()).lines.length],
    ],
    progress,
  );
}

/** What was sent. `probes`: transactions sent one by one beside the traffic, each delivered and scored. */
export interface Sent {
  readonly stream: StreamTraffic;
  readonly delivered: number;
  readonly rest: RestTally;
  readonly probes: number;
}

/** Loads everything into the warehouse, then compares the counts. */
export async function balance(
  clients: Clients,
  outputs: Outputs,
  sent: Sent,
  progress: (loaded: number) => void,
): Promise<Books> {
  const { rest, probes } = sent;
  const stream = { ...sent.stream, scored: sent.stream.scored + probes };
  const delivered = sent.delivered + probes;
  const archive = new ArchiveReader(clients, outputs.dataBucket, "archive/");
  const quarantine = new ArchiveReader(clients, outputs.dataBucket, "quarantine/");
  // REST scores travel through a queue that collects a batch first.
  await settle([[stream.scored + rest.scored, async () => (await archive.refresh()).lines.length]], progress);
  const expected = stream.scored + rest.scored;
  await settle(
    [
      [
        expected + stream.quarantined,
        async () => {
          await runLoaderUnlessBusy(clients, outputs);
          return (await countRows(clients, "risk.risk_events")) + (await countRows(clients, "risk.quarantined_events"));
        },
      ],
    ],
    progress,
  );
  await Promise.all([archive.refresh(), quarantine.refresh()]);
  const repeated = await query(clients, "select event_id from risk.risk_events group by event_id having count(*) > 1");
  const entries: Entry[] = [
    { what: "records sent to the stream", expected: stream.records.length + probes, found: delivered },
    { what: "  stored in the results table", expected: stream.scored, found: await countItems(clients, outputs.resultsTable) },
    { what: "  in quarantine, each with its reason", expected: stream.quarantined, found: quarantine.lines.length },
    {
      what: "  redeliveries that changed nothing",
      expected: stream.duplicates,
      found: delivered - (await countItems(clients, outputs.resultsTable)) - quarantine.lines.length,
    },
    { what: "REST scores in the scores table", expected: rest.scored, found: await countItems(clients, outputs.scoresTable) },
    { what: "events in the archive", expected, found: archive.lines.length },
    { what: "  of them distinct", expected, found: distinct(archive, "event_id") },
    { what: "rows in the warehouse", expected, found: await countRows(clients, "risk.risk_events") },
    { what: "  ids that appear twice", expected: 0, found: repeated.length },
    {
      what: "quarantine rows in the warehouse",
      expected: stream.quarantined,
      found: await countRows(clients, "risk.quarantined_events"),
    },
    { what: "REST answers that were not as expected", expected: 0, found: rest.surprises.length },
  ];
  return { entries, archive, quarantine, balanced: entries.every((entry) => entry.expected === entry.found) };
}
