/**
 * Event notifications of buckets. Events are kept in the database until they are delivered: at least once, as on AWS.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
import { randomUUID } from "node:crypto";
import type { Deliver, LocalContext } from "../../contracts";
import { matchesWildcard } from "../../permissions/wildcard";
import type { NotificationTarget, S3Store, StoredObject } from "./store";

export type S3EventName =
  | "ObjectCreated:Put"
  | "ObjectCreated:CompleteMultipartUpload"
  | "ObjectRemoved:Delete"
  | "ObjectRemoved:DeleteMarkerCreated"
  | "LifecycleExpiration:Delete";

const SERVICE = "s3.amazonaws.com";
const RETRY_MS = 1000;

export class S3Notifications {
  private pump: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly context: LocalContext,
    private readonly store: S3Store,
    private readonly deliver: Deliver,
  ) {
    context.db.exec(
      "CREATE TABLE IF NOT EXISTS s3_events (id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, source TEXT NOT NULL, payload TEXT NOT NULL)",
    );
  }

  /** Queues an event for every target of the bucket that wants it; delivery does not hold up the caller. */
  emit(name: S3EventName, object: StoredObject): void {
    const { notifications = [] } = this.store.config(object.bucket);
    const wanted = notifications.filter((target) => wants(target, name, object.key));
    const insert = this.context.db.prepare("INSERT INTO s3_events (target, source, payload) VALUES (?, ?, ?)");
    for (const target of wanted)
      insert.run(target.arn, bucketArn(object.bucket), JSON.stringify({ Records: [this.record(name, object, target)] }));
    if (wanted.length > 0) this.start();
  }

  /** Replaces the targets of a bucket. AWS sends each new target a test event and refuses targets that it may not send to. */
  async configure(bucket: string, targets: readonly NotificationTarget[]): Promise<void> {
    const known = new Set((this.store.config(bucket).notifications ?? []).map((target) => target.arn));
    for (const target of targets) {
      if (known.has(target.arn)) continue;
      const test = {
        Service: "Amazon S3",
        Event: "s3:TestEvent",
        Time: this.time(),
        Bucket: bucket,
        RequestId: randomUUID(),
        HostId: "local",
      };
      try {
        await this.deliver(target.arn, JSON.stringify(test), { servicePrincipal: SERVICE, sourceArn: bucketArn(bucket) });
      } catch (cause) {
        throw new Error(
          `Bucket ${bucket}: unable to validate the notification target ${target.arn}: ${(cause as Error).message}. Its resource policy must allow ${SERVICE} with aws:SourceArn ${bucketArn(bucket)}.`,
        );
      }
    }
    this.store.configure(bucket, { notifications: targets });
  }

  /** Delivers what an earlier run left behind. */
  start(): void {
    if (this.ended || this.pump) return;
    clearTimeout(this.retry);
    this.pump = this.drain().finally(() => {
      this.pump = undefined;
      if (!this.ended && this.pending() > 0) this.retry = setTimeout(() => this.start(), RETRY_MS).unref();
    });
  }

  /** Resolves when every event that can be delivered has been. */
  async settled(): Promise<void> {
    while (this.pump) await this.pump;
  }

  /** Events not delivered yet. */
  pending(): number {
    return Number(this.context.db.prepare("SELECT COUNT(*) AS n FROM s3_events").get()?.n);
  }

  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.retry);
    await this.settled();
  }

  private async drain(): Promise<void> {
    let last = 0;
    for (;;) {
      const row = this.context.db.prepare("SELECT * FROM s3_events WHERE id > ? ORDER BY id LIMIT 1").get(last);
      if (!row || this.ended) return;
      last = Number(row.id);
      try {
        await this.deliver(String(row.target), String(row.payload), { servicePrincipal: SERVICE, sourceArn: String(row.source) });
        this.context.db.prepare("DELETE FROM s3_events WHERE id = ?").run(last);
      } catch (cause) {
        this.context.log(
          `s3: event ${last} for ${String(row.target)} was not delivered and will be tried again: ${(cause as Error).message}`,
        );
      }
    }
  }

  private record(name: S3EventName, object: StoredObject, target: NotificationTarget): object {
    const created = name.startsWith("ObjectCreated");
    return {
      eventVersion: "2.1",
      eventSource: "aws:s3",
      awsRegion: this.context.region,
      eventTime: this.time(),
      eventName: name,
      userIdentity: { principalId: `AWS:${this.context.accountId}` },
      requestParameters: { sourceIPAddress: "127.0.0.1" },
      responseElements: { "x-amz-request-id": randomUUID(), "x-amz-id-2": "local" },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: target.id,
        bucket: { name: object.bucket, ownerIdentity: { principalId: this.context.accountId }, arn: bucketArn(object.bucket) },
        object: {
          // Keys are form-encoded in events: a space is a plus sign.
          key: encodeURIComponent(object.key).replaceAll("%20", "+").replaceAll("%2F", "/"),
          ...(created ? { size: object.size, eTag: object.etag.replaceAll('"', "") } : {}),
          ...(object.versionId === "null" ? {} : { versionId: object.versionId }),
          sequencer: object.sequence.toString(16).toUpperCase().padStart(16, "0"),
        },
      },
    };
  }

  private time(): string {
    return new Date(this.context.clock.now()).toISOString();
  }
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

function wants(target: NotificationTarget, name: S3EventName, key: string): boolean {
  const event = target.events.some((pattern) => matchesWildcard(pattern, `s3:${name}`));
  return event && key.startsWith(target.prefix) && key.endsWith(target.suffix);
}
