/** What the function runtime needs from other services. */
import type { SessionCredentials } from "../endpoint/credentials";

interface LogLine {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
}

export interface StreamRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  /** Milliseconds since the epoch. */
  readonly arrivedAt: number;
}

/** The stream service, read from inside the process. */
interface StreamSource {
  /** Shards, parents before children. @throws AwsError when the stream does not exist. */
  shards(streamArn: string): readonly { readonly id: string; readonly parents: readonly string[] }[];
  /** Up to `limit` records after the sequence number, from the oldest if it is empty; `ended` when a closed shard has no more. */
  read(
    streamArn: string,
    shardId: string,
    after: string,
    limit: number,
  ): { readonly records: readonly StreamRecord[]; readonly ended: boolean };
  /** Calls back after records were put; returns how to stop. */
  onRecords(streamArn: string, listener: () => void): () => void;
}

export interface QueueMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, unknown>>;
}

/** The queue service, read from inside the process. */
interface QueueSource {
  /** Receives up to `limit` visible messages and hides them. @throws AwsError when the queue does not exist. */
  receive(queueArn: string, limit: number): readonly QueueMessage[];
  delete(queueArn: string, receiptHandles: readonly string[]): void;
  /** Makes received messages visible at once. */
  release(queueArn: string, receiptHandles: readonly string[]): void;
  /** When the next hidden message becomes visible; undefined when none is hidden. */
  nextVisibleMs(queueArn: string): number | undefined;
  visibilityTimeoutSeconds(queueArn: string): number;
  /** Calls back when messages may have become visible; returns how to stop. */
  onMessages(queueArn: string, listener: () => void): () => void;
}

export interface LambdaPorts {
  /** Appends to a log stream, creating group and stream when needed. */
  readonly writeLogs: (group: string, stream: string, lines: readonly LogLine[]) => void;
  /** One datum in namespace `AWS/Lambda`. */
  readonly metric: (
    name: string,
    value: number,
    unit: "Count" | "Milliseconds",
    dimensions: Readonly<Record<string, string>>,
  ) => void;
  readonly credentials: (roleArn: string, sessionName: string) => SessionCredentials;
  /**
   * Actions that the role lacks: the given one, and those on the resource's key; empty when it may do everything. The service acts as
   * the role when it polls and when it delivers failures.
   */
  readonly missingActions: (roleArn: string, action: string, resource: string) => readonly string[];
  /** Sends to a queue with the permissions of the role: a destination is reached as the function, not as a service. @throws AwsError */
  readonly deliver: (queueArn: string, payload: string, roleArn: string) => Promise<void>;
  /** Writes an object with the permissions of the role. @throws AwsError */
  readonly putObject: (bucketArn: string, key: string, body: string, roleArn: string) => Promise<void>;
  readonly streams: StreamSource;
  readonly queues: QueueSource;
}

/** Timers, so that tests drive retries and windows without waiting. */
export interface Timers {
  /** Calls `run` once after `ms`; returns how to cancel. */
  after(ms: number, run: () => void): () => void;
}

export const systemTimers: Timers = {
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
