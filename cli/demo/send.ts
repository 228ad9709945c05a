/** Sends the demo's traffic: transactions into the stream, leads and churn requests to the REST API. */
import { setTimeout as pause } from "node:timers/promises";
import { type Outgoing, StreamSender } from "../ingest/send";
import { type Outputs, streamOf } from "../outputs";
import type { Clients } from "./clients";
import type { RestCall, StreamRecord } from "./traffic";

/** Well under the stage's 100 requests a second. */
const concurrentCalls = 4;

export async function sendStream(
  clients: Clients,
  outputs: Outputs,
  records: readonly StreamRecord[],
  progress: (sent: number) => void,
): Promise<number> {
  const sender = new StreamSender<Outgoing>(clients.kinesis, streamOf(outputs), (milliseconds) => pause(milliseconds));
  for (const { partitionKey, data } of records) {
    await sender.add({ partitionKey, data });
    progress(sender.sent);
  }
  await sender.flush();
  progress(sender.sent);
  return sender.sent;
}

export interface RestTally {
  /** New scores: each has to reach the warehouse. */
  readonly scored: number;
  /** Answers from the cache. */
  readonly cached: number;
  /** Bad requests that were refused as expected. */
  readonly refused: number;
  /** Answers that the API should not have given. */
  readonly surprises: readonly string[];
}

export async function sendRest(
  outputs: Outputs,
  calls: readonly RestCall[],
  progress: (done: number) => void,
): Promise<RestTally> {
  let scored = 0;
  let cached = 0;
  let refused = 0;
  let done = 0;
  const surprises: string[] = [];
  const queue = calls.values();
  const worker = async () => {
    for (const call of queue) {
      const { status, body } = await post(outputs, call);
      if (status !== call.expect) surprises.push(`${call.path} ${call.label}: expected ${call.expect}, got ${status} ${body}`);
      else if (status !== 200) refused += 1;
      else if (JSON.parse(body).cached === true) cached += 1;
      else scored += 1;
      done += 1;
      progress(done);
    }
  };
  await Promise.all(Array.from({ length: concurrentCalls }, worker));
  return { scored, cached, refused, surprises };
}

/** Sends one call, and again after a pause when the gateway throttles it. */
async function post(outputs: Outputs, call: RestCall): Promise<{ status: number; body: string }> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(`${outputs.apiUrl.replace(/\/$/, "")}${call.path}`, {
      method: "POST",
      headers: { "content-type": call.contentType, ...(outputs.apiKey ? { "x-api-key": outputs.apiKey } : {}) },
      body: call.body,
    });
    const body = await response.text();
    if (response.status !== 429 || attempt === 10) return { status: response.status, body };
    await pause(100 * attempt);
  }
}
