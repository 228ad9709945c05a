import type { Table } from "@pulumi/aws/dynamodb";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { EncryptedQueue } from "./queue";

/** What a ScoringApi needs in order to take events for a StreamProcessor and to answer with their decisions. */
export interface EventIntake {
  readonly profile: AnyProfile;
  readonly queue: EncryptedQueue;
  /** Where the decisions are. */
  readonly results: Table;
  /** How far an event's own time may lie from its arrival. */
  readonly eventTime: { readonly maxAgeDays: number; readonly maxFutureMinutes: number };
}
