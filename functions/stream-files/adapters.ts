/** The ports of the function for files, on S3, SQS and EventBridge. */
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Clock } from "../shared/clock";
import type { EventBus } from "../shared/event-bus";
import { statusOf } from "../shared/sdk-error";
import { continuationText } from "./message";
import { type Announcements, type Continuation, FileGoneError, type IncomingFiles, type Journal } from "./ports";
import type { Checkpoint, IncomingFile } from "./types";

/** One request's bytes: few requests, and little memory. A connection isn't kept waiting while rows are scored. */
const PART_BYTES = 8 * 1024 * 1024;
const NOT_FOUND = 404;
const CHANGED = 412;
const NO_SUCH_RANGE = 416;

export function createIncomingFiles(s3: S3Client, bucket: string, partBytes = PART_BYTES): IncomingFiles {
  return {
    async facts(file) {
      const { LastModified, Metadata = {} } = await present(() => s3.send(new HeadObjectCommand(named(bucket, file))));
      return { modifiedAtMs: LastModified?.getTime() ?? 0, metadata: Metadata };
    },
    async *bytes(file, offset) {
      for (let from = offset; ; ) {
        const part = await partOf(s3, bucket, file, from, partBytes);
        if (part === null) return;
        yield part;
        if (part.length < partBytes) return;
        from += part.length;
      }
    },
  };
}

const named = (bucket: string, { key, version, etag }: IncomingFile) => ({
  Bucket: bucket,
  Key: key,
  IfMatch: `"${etag}"`,
  ...(version === null ? {} : { VersionId: version }),
});

/** Null behind the end. */
async function partOf(s3: S3Client, bucket: string, file: IncomingFile, from: number, size: number): Promise<Uint8Array | null> {
  const request = new GetObjectCommand({ ...named(bucket, file), Range: `bytes=${from}-${from + size - 1}` });
  try {
    const { Body } = await present(() => s3.send(request));
    return (await Body?.transformToByteArray()) ?? null;
  } catch (error) {
    if (statusOf(error) === NO_SUCH_RANGE) return null;
    throw error;
  }
}

async function present<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const status = statusOf(error);
    throw status === NOT_FOUND || status === CHANGED ? new FileGoneError("The version isn't there any more.") : error;
  }
}

export function createJournal(s3: S3Client, bucket: string): Journal {
  const put = (key: string, value: unknown, condition: { readonly IfNoneMatch?: "*" } = {}) =>
    s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: JSON.stringify(value),
        ContentType: "application/json",
        ...condition,
      }),
    );
  const checkpointKey = (id: string): string => `files/${id}.json`;
  return {
    async checkpoint(id) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: checkpointKey(id) }));
        // Only this function writes there.
        return JSON.parse((await Body?.transformToString()) ?? "null") as Checkpoint | null;
      } catch (error) {
        if (statusOf(error) === NOT_FOUND) return null;
        throw error;
      }
    },
    async writeCheckpoint(id, checkpoint) {
      await put(checkpointKey(id), checkpoint);
    },
    async writeResult(key, result) {
      try {
        await put(key, result, { IfNoneMatch: "*" });
      } catch (error) {
        if (statusOf(error) !== CHANGED) throw error;
      }
    },
  };
}

export function createContinuation(sqs: SQSClient, queueUrl: string): Continuation {
  return {
    async send(file, delaySeconds) {
      const message = { QueueUrl: queueUrl, MessageBody: continuationText(file), DelaySeconds: delaySeconds };
      await sqs.send(new SendMessageCommand(message));
    },
  };
}

export const FILE_EVENT = "File Scored";

export function createAnnouncements(bus: EventBus, clock: Clock): Announcements {
  return {
    async publish(result) {
      const event = { detail: JSON.stringify(result), detailType: FILE_EVENT, time: new Date(clock.now()) };
      const refused = await bus.publish([event]);
      if (refused.length > 0) throw new Error("The bus did not take the event of a file.");
    },
  };
}
