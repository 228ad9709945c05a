import { accept } from "../scoring/core/accept";
import { hashJson } from "../scoring/core/hash";
import { isObject } from "../scoring/core/json";
import type { Validate } from "../scoring/core/json-schema";
import { problemText } from "../scoring/core/problems";
import type { AnyProfile } from "../scoring/core/profile";
import { isoTime } from "../scoring/core/timestamp";
import type { AcceptedEvent } from "../shared/archive-line";
import { describeError } from "../shared/log";
import { base64Payload } from "../shared/storable";
import type { Tokeniser } from "../shared/tokeniser";
import { type Decoder, decodeBase64 } from "./decode";
import type { SourceRecord } from "./source-record";

/** A record that may be scored. */
export interface Candidate extends AcceptedEvent {
  /** Position in the batch. */
  readonly index: number;
  readonly record: SourceRecord;
}

/** A record that goes to quarantine. */
export interface Rejected {
  readonly index: number;
  readonly record: SourceRecord;
  readonly reason: string;
  readonly detail: string;
  readonly eventId: string | null;
  readonly payload: unknown;
}

export interface AdmitArgs {
  readonly profile: AnyProfile;
  readonly validate: Validate;
  readonly decode: Decoder;
  readonly tokeniser: Tokeniser;
  readonly maxAgeMs: number;
  readonly maxFutureMs: number;
}

const MAX_ID_LENGTH = 256;

/** Decodes and validates one record. Total: gives one of the two for any content of the stream, and never throws. */
export function admit(record: SourceRecord, index: number, args: AdmitArgs): Candidate | Rejected {
  const { profile, tokeniser } = args;
  const reject = (reason: string, detail: string, eventId: string | null, payload: unknown): Rejected => ({
    index,
    record,
    reason,
    detail,
    eventId,
    payload,
  });
  const bytes = decodeBase64(record.data);
  if (bytes === null) {
    return reject("not_base64", "Expected padded base64, got other text.", null, base64Payload(Buffer.from(String(record.data))));
  }
  const decoded = args.decode(bytes);
  if (!decoded.ok) return reject(decoded.reason, decoded.detail, null, base64Payload(bytes));
  try {
    const accepted = accept(profile, args.validate, decoded.value, {
      arrivedAtMs: record.arrivedAtMs,
      maxAgeMs: args.maxAgeMs,
      maxFutureMs: args.maxFutureMs,
    });
    if (!accepted.ok) {
      const payload = isObject(decoded.value) ? tokeniser.protectKnown(decoded.value) : base64Payload(bytes);
      return reject(accepted.reason, problemText(accepted.problems), readableId(decoded.value), payload);
    }
    const { input } = accepted;
    const eventId = profile.eventId(input) ?? record.position;
    const userKey = profile.userKey(input);
    const stored = profile.stored(input);
    return {
      index,
      record,
      source: "kinesis",
      sourcePosition: record.position,
      eventId,
      input,
      stored,
      inputHash: hashJson(stored),
      userToken: userKey === null ? null : tokeniser.token(userKey),
      occurredAt: isoTime(profile.occurredAtMs(input) ?? record.arrivedAtMs),
    };
  } catch (error) {
    return reject("scoring_error", describeError(error).message, readableId(decoded.value), base64Payload(bytes));
  }
}

export const isRejected = (admitted: Candidate | Rejected): admitted is Rejected => "reason" in admitted;

/** What is stored of a candidate that turns out later to be unfit. */
export function rejectCandidate(candidate: Candidate, reason: string, detail: string, args: AdmitArgs): Rejected {
  const { index, record, eventId, stored } = candidate;
  return { index, record, reason, detail, eventId, payload: args.tokeniser.protect(stored) };
}

/** A candidate whose scoring threw an error. */
export const scoringError = (candidate: Candidate, error: unknown, args: AdmitArgs): Rejected =>
  rejectCandidate(candidate, "scoring_error", describeError(error).message, args);

export const conflict = (candidate: Candidate, args: AdmitArgs): Rejected =>
  rejectCandidate(candidate, "duplicate_conflict", "An event of this id with another content has been scored before.", args);

/** The id of a record that failed validation, if it has a usable one. */
function readableId(value: unknown): string | null {
  if (!isObject(value)) return null;
  const { transaction_id, event_id } = value;
  const id = transaction_id ?? event_id;
  return typeof id === "string" && id.length <= MAX_ID_LENGTH ? id : null;
}
