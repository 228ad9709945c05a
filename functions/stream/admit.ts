import { type Decoded, type Decoder, RECORD_LIMITS } from "../formats/decode";
import { accept } from "../scoring/core/accept";
import { hashJson } from "../scoring/core/hash";
import { isObject } from "../scoring/core/json";
import type { Validate } from "../scoring/core/json-schema";
import { expectationText } from "../scoring/core/problems";
import { type AnyProfile, countingTime } from "../scoring/core/profile";
import type { Rates } from "../scoring/core/rates";
import { isoTime } from "../scoring/core/timestamp";
import type { AcceptedEvent } from "../shared/archive-line";
import { codeFailure } from "../shared/log";
import type { Tokeniser } from "../shared/tokeniser";
import type { RecordProblem, SourceRecord } from "./source-record";

/** A record that may be scored. */
export interface Candidate extends AcceptedEvent {
  /** Position in the batch. */
  readonly index: number;
  readonly record: SourceRecord;
  /** When it counts in its user's state; see {@link countingTime}. */
  readonly countsAtMs: number;
}

/** A record that goes to quarantine. */
export interface Rejected extends RecordProblem {
  readonly index: number;
  readonly record: SourceRecord;
  /** Of an event that its schema accepts. */
  readonly eventId: string | null;
}

export interface AdmitArgs {
  readonly profile: AnyProfile;
  readonly validate: Validate;
  readonly decode: Decoder;
  readonly tokeniser: Tokeniser;
  readonly maxAgeMs: number;
  readonly maxFutureMs: number;
  /** Exchange rates in force; without them, amounts in US dollars are known. */
  readonly rates?: Rates | undefined;
}

type Failed = Extract<Decoded, { readonly ok: false; readonly reason: string }>;
type Cause = Exclude<Failed["reason"], "invalid"> | Extract<Failed, { readonly reason: "invalid" }>["cause"];

/** The decoder's own sentences quote what they found. */
const UNREADABLE: Readonly<Record<Cause, string>> = {
  too_large: `Expected at most ${RECORD_LIMITS.maxBytes} bytes, got more.`,
  not_utf8: "Expected UTF-8 text, got bytes that are not UTF-8.",
  not_json: "Expected JSON, got text that does not parse.",
  duplicate_name: "Expected each name once, got a name twice in one object.",
  too_deep: `Expected at most ${RECORD_LIMITS.maxDepth} levels of nesting, got more.`,
  not_finite: "Expected finite numbers, got one beyond the range of a double.",
  reserved_name: "Expected no member named __proto__, constructor or prototype, got one.",
};

/** Decodes and validates one record. Total: gives one of the two for any content of the stream, and never throws. */
export function admit(record: SourceRecord, index: number, args: AdmitArgs): Candidate | Rejected {
  const { profile, tokeniser } = args;
  const reject = (reason: string, detail: string, eventId: string | null = null): Rejected => ({
    index,
    record,
    reason,
    detail,
    eventId,
  });
  if (record.fault !== null) return reject(record.fault.reason, record.fault.detail);
  const decoded = args.decode(record.bytes);
  if (!decoded.ok && "problem" in decoded) return reject(decoded.problem.reason, decoded.problem.detail);
  if (!decoded.ok) return reject(decoded.reason, UNREADABLE[decoded.reason === "invalid" ? decoded.cause : decoded.reason]);
  try {
    const arrival = { arrivedAtMs: record.arrivedAtMs, maxAgeMs: args.maxAgeMs, maxFutureMs: args.maxFutureMs };
    const accepted = accept(profile, args.validate, decoded.value, arrival, args.rates);
    if (!accepted.ok) {
      const fitsSchema = accepted.reason === "timestamp_out_of_range" && isObject(decoded.value);
      const eventId = fitsSchema ? profile.eventId(profile.normalise(decoded.value)) : null;
      return reject(accepted.reason, expectationText(accepted.problems, profile.schema), eventId);
    }
    const { input } = accepted;
    const eventId = profile.eventId(input) ?? record.position;
    const userKey = profile.userKey(input);
    const stored = profile.stored(input);
    const occurredAtMs = profile.occurredAtMs(input);
    return {
      index,
      record,
      source: record.source,
      sourcePosition: record.position,
      eventId,
      input,
      stored,
      inputHash: hashJson(stored),
      userToken: userKey === null ? null : tokeniser.token(userKey),
      occurredAt: isoTime(occurredAtMs ?? record.arrivedAtMs),
      countsAtMs: countingTime(occurredAtMs, record.arrivedAtMs),
    };
  } catch (error) {
    return reject("scoring_error", codeFailure(error));
  }
}

export const isRejected = (admitted: Candidate | Rejected): admitted is Rejected => "reason" in admitted;

/** A candidate that turns out later to be unfit. */
export function rejectCandidate({ index, record, eventId }: Candidate, reason: string, detail: string): Rejected {
  return { index, record, reason, detail, eventId };
}

/** A candidate whose scoring threw an error. */
export const scoringError = (candidate: Candidate, error: unknown): Rejected =>
  rejectCandidate(candidate, "scoring_error", codeFailure(error));

export const conflict = (candidate: Candidate): Rejected =>
  rejectCandidate(candidate, "duplicate_conflict", "An event of this id with another content has been scored before.");
