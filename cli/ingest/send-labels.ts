/** Sends labels through `POST /feedback` in full requests, and retries transient errors such as throttling. */
import { MAX_LABELS } from "../../functions/rest/feedback-schema";
import type { Label } from "./labels";

export interface FeedbackApi {
  /** `…/v1`, without a slash at the end. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly fetch: typeof fetch;
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

export interface Sent {
  readonly requests: number;
  /** Labels that the API accepted. */
  readonly labels: number;
  /** Those of them that it already had. */
  readonly known: number;
}

/** A request was refused, or failed on every attempt. What was sent before it is stored. */
export class FeedbackFailed extends Error {
  readonly code = "FEEDBACK_FAILED";
  constructor(
    readonly sent: Sent,
    reason: string,
  ) {
    super(
      `After ${sent.labels} labels: ${reason} What was sent is stored. Run the command again with the same file; no label counts twice.`,
    );
    this.name = "FeedbackFailed";
  }
}

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 250;

/** @throws FeedbackFailed */
export async function sendLabels(
  labels: readonly Label[],
  api: FeedbackApi,
  onProgress: (done: number) => void = () => {},
): Promise<Sent> {
  let sent: Sent = { requests: 0, labels: 0, known: 0 };
  for (let at = 0; at < labels.length; at += MAX_LABELS) {
    const batch = labels.slice(at, at + MAX_LABELS);
    const answer = await sendBatch(batch, api);
    if (typeof answer === "string") throw new FeedbackFailed(sent, answer);
    sent = {
      requests: sent.requests + 1,
      labels: sent.labels + batch.length,
      known: sent.known + (answer.repeated ? batch.length : 0),
    };
    onProgress(sent.labels);
  }
  return sent;
}

/** @returns whether the API had the labels already; or the reason of the failure */
async function sendBatch(labels: readonly Label[], api: FeedbackApi): Promise<{ readonly repeated: boolean } | string> {
  const body = JSON.stringify({ labels });
  let reason = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    let wait = FIRST_PAUSE_MS * 2 ** attempt;
    try {
      const response = await api.fetch(`${api.url.replace(/\/$/, "")}/feedback`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(api.apiKey === undefined ? {} : { "x-api-key": api.apiKey }) },
        body,
      });
      const text = await response.text();
      if (response.status === 202) return { repeated: text.includes('"repeated":true') };
      reason = `the API answered ${response.status}: ${text.slice(0, 500)}`;
      if (response.status !== 429 && response.status < 500) return reason;
      wait = Math.max(wait, Number(response.headers.get("retry-after") ?? 0) * 1000);
    } catch (error) {
      reason = `${api.url} did not answer: ${error instanceof Error ? error.message : String(error)}.`;
    }
    if (attempt + 1 < ATTEMPTS) await api.pause(wait);
  }
  return reason;
}
