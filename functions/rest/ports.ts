/** What REST scoring needs of the world. */
import type { Decision } from "../scoring/core/types";

/** A score as it lies in the scores table. */
export interface StoredScore {
  /** Hash of the canonical input. */
  readonly inputId: string;
  /** Milliseconds since the epoch; with `inputId` the key. */
  readonly timestamp: number;
  readonly scoreId: string;
  readonly decision: Decision;
  /** Members of the answer that only the profile has. */
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

/** What became of an earlier request with the same key. */
export type Claim =
  | { readonly kind: "claimed" }
  | { readonly kind: "answered"; readonly answer: StoredAnswer }
  | { readonly kind: "in_flight" }
  | { readonly kind: "other_body" };

export interface IdempotencyStore {
  /** Takes the key for this body unless somebody has it. A claim that was never answered is free again after `leaseSeconds`. */
  claim(key: string, bodyHash: string): Promise<Claim>;
  answer(key: string, bodyHash: string, answer: StoredAnswer): Promise<void>;
  /** Gives the key back after a failure, so that the caller's retry is not refused. */
  release(key: string): Promise<void>;
}
