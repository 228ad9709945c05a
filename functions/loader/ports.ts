/** What the loader needs from outside. */
import type { Log } from "../shared/log";
import type { Clock, SqlClient } from "./sql-client";

export interface QueueMessage {
  readonly body: string;
  readonly receiptHandle: string;
  readonly messageId: string;
  /** How often it has been received, this time included. */
  readonly receiveCount: number;
}

export interface Queue {
  /** Up to ten messages; an empty list when none is visible. */
  receive(): Promise<readonly QueueMessage[]>;
  remove(messages: readonly QueueMessage[]): Promise<void>;
  /** Hides messages for this many more seconds. */
  release(messages: readonly QueueMessage[], seconds: number): Promise<void>;
  /** Messages in the queue: visible, held by a reader, and delayed. Approximate, as in SQS. */
  size(): Promise<number>;
}

export interface ManifestStore {
  /** @returns `s3://bucket/key` */
  write(name: string, content: string): Promise<string>;
}

export interface LoaderMetrics {
  /** Emitted once per run. */
  run(values: LoaderSummary & { readonly freshnessLagSeconds: number | undefined; readonly durationMilliseconds: number }): void;
}

export interface LoaderPorts {
  readonly queue: Queue;
  readonly manifests: ManifestStore;
  readonly sql: SqlClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: LoaderMetrics;
  /** A fresh unique id, at most 64 characters of `[A-Za-z0-9-]`. */
  readonly newId: () => string;
}

export interface LoaderSettings {
  readonly copyRoleArn: string;
  /** Objects in one transaction. Each separate load costs at least a minute of the warehouse, so many objects share one. */
  readonly maxObjects: number;
  /** Compressed bytes in one transaction. */
  readonly maxBytes: number;
  /** How long one run waits for messages that another run holds. */
  readonly settleMilliseconds: number;
  /** Number of failed loads in one run after which the fault is taken to be the warehouse's own. */
  readonly maxFailedLoads: number;
}

export const DEFAULT_SETTINGS: Omit<LoaderSettings, "copyRoleArn"> = {
  maxObjects: 400,
  maxBytes: 512 * 1024 * 1024,
  settleMilliseconds: 45_000,
  maxFailedLoads: 64,
};

export interface LoaderSummary {
  /** Committed transactions. */
  readonly loads: number;
  readonly objects: number;
  /** Lines read: inserted + updated + duplicates. */
  readonly rows: number;
  readonly inserted: number;
  readonly updated: number;
  readonly duplicates: number;
  /** Objects that were in the ledger already. */
  readonly alreadyLoaded: number;
  /** Objects and messages that could not be loaded; they stay in the queue and finally go to its dead-letter queue. */
  readonly failed: number;
  /** Messages that are still waiting or held by another run. */
  readonly pending: number;
}
