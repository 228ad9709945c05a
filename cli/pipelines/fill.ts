/** Fills a running platform with a labelled history: transactions through the stream, labels through `POST /feedback`. */
import { setTimeout as pause } from "node:timers/promises";
import type { Clients } from "../demo/clients";
import { countRows, runLoaderUnlessBusy } from "../demo/tally";
import { type Outgoing, StreamSender } from "../ingest/send";
import { sendLabels } from "../ingest/send-labels";
import { type Outputs, streamOf } from "../outputs";
import type { History } from "../training/history";

/** Without new rows for this long, the rest is given up. */
const PATIENCE_MS = 30_000;

export interface Filled {
  readonly events: number;
  readonly scored: number;
  readonly labels: number;
  readonly labelled: number;
}

type Report = (stage: "sent" | "in the warehouse" | "labels", done: number, total: number) => void;

/** Sends everything and waits until it is in the warehouse. */
export async function fill(clients: Clients, outputs: Outputs, { events, labels }: History, report: Report): Promise<Filled> {
  const before = await countRows(clients, "risk.risk_events");
  const sender = new StreamSender<Outgoing>(clients.kinesis, streamOf(outputs), (milliseconds) => pause(milliseconds));
  for (const { user, raw } of events) {
    await sender.add({ partitionKey: user, data: Buffer.from(JSON.stringify(raw)) });
    report("sent", sender.sent, events.length);
  }
  await sender.flush();
  report("sent", sender.sent, events.length);
  const scored = await loaded(clients, outputs, "risk.risk_events", before, sender.sent, (rows) =>
    report("in the warehouse", rows, events.length),
  );
  const labelsBefore = await countRows(clients, "risk.risk_labels");
  const api = { url: outputs.apiUrl, apiKey: outputs.apiKey, fetch, pause };
  await sendLabels(labels, api, (done) => report("labels", done, labels.length));
  const labelled = await loaded(clients, outputs, "risk.risk_labels", labelsBefore, labels.length, () => undefined);
  return { events: events.length, scored, labels: labels.length, labelled };
}

/** Runs the loader until a table has the expected number of new rows, or nothing has arrived for a while. @returns the number of new rows */
async function loaded(
  clients: Clients,
  outputs: Outputs,
  table: string,
  before: number,
  expected: number,
  report: (rows: number) => void,
): Promise<number> {
  let rows = 0;
  let movedAt = Date.now();
  while (rows < expected && Date.now() - movedAt < PATIENCE_MS) {
    await runLoaderUnlessBusy(clients, outputs);
    const now = (await countRows(clients, table)) - before;
    if (now > rows) movedAt = Date.now();
    rows = now;
    report(rows);
    if (rows < expected) await pause(500);
  }
  return rows;
}
