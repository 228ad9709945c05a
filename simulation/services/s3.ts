/** S3: conditional writes, and notifications that arrive at least once and in any order. */

import { createHash } from "node:crypto";
import type {
  GetObjectCommandInput,
  HeadObjectCommandInput,
  ListObjectsV2CommandInput,
  PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import type { Endpoint } from "../clients";
import { serviceError } from "../kernel/service-errors";

/** Passes each call on to its bucket. */
export const byBucket = (buckets: readonly S3[]): Endpoint => ({
  handle(action, input) {
    const { Bucket: name } = input as HeadObjectCommandInput;
    const found = buckets.find(({ bucket }) => bucket === name);
    if (found === undefined) throw serviceError("NoSuchBucket", 404, `No bucket ${name}.`);
    return found.handle(action, input);
  },
});

export interface StoredObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly modifiedMs: number;
}

/** One bucket. */
export class S3 {
  readonly objects = new Map<string, StoredObject>();

  constructor(
    readonly bucket: string,
    private readonly now: () => number,
    /** Called for each object that is created. */
    private readonly onCreated: (key: string, object: StoredObject) => void,
  ) {}

  handle(action: string, input: object): object {
    switch (action) {
      case "PutObject":
        return this.#put(input as PutObjectCommandInput);
      case "HeadObject":
        return this.#head(input as HeadObjectCommandInput);
      case "GetObject":
        return this.#get(input as GetObjectCommandInput);
      case "ListObjectsV2":
        return this.#list(input as ListObjectsV2CommandInput);
      default:
        throw new Error(`The simulated S3 doesn't know ${action}; add it to simulation/services/s3.ts.`);
    }
  }

  /** What a service writes itself. */
  store(key: string, body: Uint8Array): void {
    const object = { body, etag: createHash("md5").update(body).digest("hex"), modifiedMs: this.now() };
    this.objects.set(key, object);
    this.onCreated(key, object);
  }

  keysUnder(prefix: string): readonly string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix));
  }

  #put({ Key: key = "", Body: body, IfNoneMatch: condition }: PutObjectCommandInput): object {
    if (condition === "*" && this.objects.has(key)) throw serviceError("PreconditionFailed", 412, "The key exists.");
    // The platform sends bytes or text, never a stream.
    this.store(key, typeof body === "string" ? Buffer.from(body) : (body as Uint8Array));
    return {};
  }

  #get({ Key: key = "" }: GetObjectCommandInput): object {
    const object = this.objects.get(key);
    if (object === undefined) throw serviceError("NoSuchKey", 404, "No such key.");
    return { Body: { transformToByteArray: async () => object.body } };
  }

  /** One page: a history has fewer than a thousand objects under a prefix. */
  #list({ Prefix: prefix = "" }: ListObjectsV2CommandInput): object {
    const keys = this.keysUnder(prefix).toSorted();
    return { Contents: keys.map((Key) => ({ Key, LastModified: new Date(this.objects.get(Key)?.modifiedMs ?? 0) })) };
  }

  #head({ Key: key = "" }: HeadObjectCommandInput): object {
    const object = this.objects.get(key);
    if (object === undefined) throw serviceError("NotFound", 404, "No such key.");
    return { ContentLength: object.body.length, ETag: `"${object.etag}"` };
  }
}
