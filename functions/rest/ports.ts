/** What REST scoring needs from outside. */
import type { Decision } from "../scoring/core/types";

/** A score as stored in the scores table. */
export interface StoredScore {
  /** Hash of the canonical input. */
  readonly inputId: string;
  /** Milliseconds since the epoch; together with `inputId` the item's key. */
  readonly timestamp: number;
  readonly scoreId: string;
  readonly decision: Decision;
  /** Members of the answer that only this profile has. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

export interface ScoreStore {
  /** The newest score of an input, expired or not. */
  newest(inputId: string): Promise<StoredScore | null>;
  put(score: StoredScore, profile: string): Promise<void>;
}

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** State of an earlier request with the same key. */
export type Claim =
  | { readonly kind: "claimed" }
  | { readonly kind: "answered"; readonly answer: StoredAnswer }
  | { readonly kind: "in_flight" }
  | { readonly kind: "other_body" };

export interface IdempotencyStore {
  /** Takes the key for this body unless it is taken. A claim that is never answered expires after `leaseSeconds`. */
  claim(key: string, bodyHash: string): Promise<Claim>;
  answer(key: string, bodyHash: string, answer: StoredAnswer): Promise<void>;
  /** Releases the key after a failure, so that the caller's retry is not refused. */
  release(key: string): Promise<void>;
}
