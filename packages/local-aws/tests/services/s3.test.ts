import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crc64nvme } from "../../src/services/s3/crc64nvme";
import { type SmallPlatform, smallPlatform } from "../endpoint/small-platform";

let platform: SmallPlatform;
let s3: S3Client;
const Bucket = "data-bucket";
beforeAll(async () => {
  platform = await smallPlatform();
  s3 = new S3Client(platform.client());
  platform.s3.store.createBucket(Bucket);
});
afterAll(() => platform.end());

const text = async (Key: string, extra: object = {}): Promise<string> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...extra }));
  return (await Body?.transformToString()) ?? "";
};

it("computes CRC64NVME as its catalogue says", () => {
  // https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-64-nvme
  expect(crc64nvme(Buffer.from("123456789")).toString("hex")).toBe("ae8b14860a799888");
});

describe("objects", () => {
  it.each(["plain.txt", "a b/c+d&e=f.txt", "ünï/日本.json", "archive/dt=2026-01-01/x.ndjson.gz", "quote'(1)!*.txt"])(
    "round-trips the key %s",
    async (Key) => {
      const put = await s3.send(
        new PutObjectCommand({
          Bucket,
          Key,
          Body: "hello",
          Metadata: { who: "me" },
          ContentType: "text/plain",
          ContentEncoding: "gzip",
        }),
      );
      expect(put).toMatchObject({
        ETag: '"5d41402abc4b2a76b9719d911017c592"',
        ChecksumCRC32: "NhCmhg==",
        ServerSideEncryption: "AES256",
      });
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
      expect(head).toMatchObject({
        ContentLength: 5,
        ContentType: "text/plain",
        ContentEncoding: "gzip",
        Metadata: { who: "me" },
      });
      expect(await text(Key)).toBe("hello");
      expect(await text(Key, { Range: "bytes=1-3" })).toBe("ell");
    },
  );

  it("verifies CRC32, CRC64NVME and MD5, and names other checksums", async () => {
    const put = (sum: object) => s3.send(new PutObjectCommand({ Bucket, Key: "sum", Body: "hello", ...sum }));
    await put({ ChecksumCRC32: "NhCmhg==" });
    await put({ ChecksumCRC64NVME: crc64nvme(Buffer.from("hello")).toString("base64") });
    await expect(put({ ChecksumCRC64NVME: "AAAAAAAAAAA=" })).rejects.toMatchObject({ name: "BadDigest" });
    await expect(put({ ChecksumCRC32: "AAAAAA==" })).rejects.toMatchObject({ name: "BadDigest" });
    await expect(put({ ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" })).rejects.toMatchObject({ name: "BadDigest" });
    await expect(put({ ChecksumAlgorithm: "SHA256" })).rejects.toThrow(/x-amz-checksum-sha256/);
  });

  it("refuses a second conditional put, even when both run at once", async () => {
    const put = () => s3.send(new PutObjectCommand({ Bucket, Key: "once", Body: "x", IfNoneMatch: "*" }));
    const results = await Promise.allSettled([put(), put(), put()]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(put()).rejects.toMatchObject({ name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } });
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: "once", Body: "y", IfMatch: '"other"' }))).rejects.toMatchObject({
      name: "PreconditionFailed",
    });
  });

  it("answers conditional reads, missing keys and bad ranges", async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: "cond", Body: "abc" }));
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: "cond", IfNoneMatch: ETag }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: "none" }))).rejects.toMatchObject({ name: "NoSuchKey" });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: "none" }))).rejects.toMatchObject({ name: "NotFound" });
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: "cond", Range: "bytes=9-" }))).rejects.toMatchObject({
      name: "InvalidRange",
    });
    await expect(s3.send(new GetObjectCommand({ Bucket: "no-such-bucket", Key: "k" }))).rejects.toMatchObject({
      name: "NoSuchBucket",
    });
  });

  it("deletes keys, whether they are there or not", async () => {
    for (const Key of ["one", "from é"]) await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const Objects = ["one", "from é", "absent"].map((Key) => ({ Key }));
    const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(deleted.Deleted).toHaveLength(3);
    for (const key of ["one", "from é"]) await expect(text(key)).rejects.toMatchObject({ name: "NoSuchKey" });
  });

  it("refuses dot segments, unknown sub-resources and unknown headers by name", async () => {
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: "a/../b", Body: "x" }))).rejects.toThrow(/'\.' or '\.\.' segments/);
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ObjectLockLegalHoldStatus: "ON" }))).rejects.toThrow(
      /x-amz-object-lock-legal-hold/,
    );
    await expect(s3.send(new GetObjectTaggingCommand({ Bucket, Key: "k" }))).rejects.toMatchObject({ name: "NotImplemented" });
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: "k", PartNumber: 1 }))).rejects.toThrow(/GET with 'partNumber'/);
    await expect(s3.send(new ListObjectsCommand({ Bucket }))).rejects.toThrow(/GET with 'no sub-resource' on a bucket/);
    const versions = { Objects: [{ Key: "k", VersionId: "v" }] };
    await expect(s3.send(new DeleteObjectsCommand({ Bucket, Delete: versions }))).rejects.toThrow(/DeleteObjects with VersionId/);
    await expect(s3.send(new CopyObjectCommand({ Bucket, Key: "to", CopySource: `${Bucket}/k` }))).rejects.toThrow(
      /x-amz-copy-source/,
    );
  });
});

describe("buckets and listings", () => {
  it("lists with prefix and continuation", async () => {
    platform.s3.store.createBucket("listing");
    const keys = ["a/1", "a/2", "a/b/3", "b", "c/4", "z z"];
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: "listing", Key, Body: Key }));
    const seen: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({
          Bucket: "listing",
          Prefix: "a/",
          MaxKeys: 1,
          ...(ContinuationToken ? { ContinuationToken } : {}),
        }),
      );
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ""));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(seen).toEqual(["a/1", "a/2", "a/b/3"]);
    const spaced = await s3.send(new ListObjectsV2Command({ Bucket: "listing", Prefix: "z", EncodingType: "url" }));
    expect(spaced).toMatchObject({ KeyCount: 1, IsTruncated: false, Contents: [{ Key: "z%20z" }] });
    const first = await s3.send(new ListObjectsV2Command({ Bucket: "listing", StartAfter: "a/2" }));
    expect(first.Contents?.map(({ Key }) => Key)).toEqual(["a/b/3", "b", "c/4", "z z"]);
    expect(platform.s3.list("listing", "a/").map(({ key }) => key)).toEqual(["a/1", "a/2", "a/b/3"]);
  });

  it("lists keys with a delimiter as one entry, page by page, as aws s3 ls does", async () => {
    const pages = async (MaxKeys: number, extra: object = {}): Promise<string[]> => {
      const entries: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const next = ContinuationToken === undefined ? {} : { ContinuationToken };
        const request = { Bucket: "listing", Delimiter: "/", MaxKeys, ...next, ...extra };
        const page = await s3.send(new ListObjectsV2Command(request));
        const keys = (page.Contents ?? []).map(({ Key }) => Key ?? "");
        entries.push(...keys, ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? ""));
        expect(page.KeyCount).toBe(keys.length + (page.CommonPrefixes ?? []).length);
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
      return entries.sort();
    };
    for (const size of [1, 2, 1000]) {
      expect(await pages(size)).toEqual(["a/", "b", "c/", "z z"]);
      expect(await pages(size, { Prefix: "a/" })).toEqual(["a/1", "a/2", "a/b/"]);
    }
  });

  it("reads a version that has been replaced or deleted, and deletes with a marker", async () => {
    const bucket = "read-versions";
    platform.s3.store.createBucket(bucket);
    platform.s3.store.configure(bucket, { versioning: "Enabled" });
    const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body }));
    const [one, two] = [await put("1"), await put("2")];
    const removed = await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "k" }));
    expect(removed).toMatchObject({ DeleteMarker: true, VersionId: expect.any(String) });
    const read = async (VersionId: string | undefined) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "k", ...(VersionId ? { VersionId } : {}) }));
      return Body?.transformToString();
    };
    expect(await Promise.all([read(one.VersionId), read(two.VersionId)])).toEqual(["1", "2"]);
    await expect(read(undefined)).rejects.toMatchObject({ name: "NoSuchKey" });
    await expect(read(removed.VersionId)).rejects.toMatchObject({ name: "MethodNotAllowed" });
    await expect(read("none")).rejects.toMatchObject({ name: "NoSuchVersion" });
    expect(await s3.send(new DeleteObjectCommand({ Bucket, Key: "never" }))).toMatchObject({
      $metadata: { httpStatusCode: 204 },
    });
  });

  it("keeps versions below a delete marker", async () => {
    platform.s3.store.createBucket("versioned");
    platform.s3.store.configure("versioned", { versioning: "Enabled" });
    const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: "versioned", Key: "k", Body }));
    const [one, two] = [await put("1"), await put("2")];
    const { Deleted = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket: "versioned", Delete: { Objects: [{ Key: "k" }] } }),
    );
    expect(Deleted).toMatchObject([{ DeleteMarker: true }]);
    const marker = Deleted[0]?.DeleteMarkerVersionId;
    const kept = platform.s3.store.versions("versioned");
    expect(kept.map(({ versionId }) => versionId)).toEqual([marker, two.VersionId, one.VersionId]);
    await platform.s3.store.delete("versioned", "k", marker);
    expect(String(await platform.s3.get("versioned", "k"))).toBe("2");
  });

  it("puts multipart uploads together", async () => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "big", ContentType: "x/y" }));
    const bodies = [Buffer.alloc(5 * 1024 * 1024, 1), Buffer.from("end")];
    const Parts = [];
    for (const [index, Body] of bodies.entries()) {
      const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key: "big", UploadId, PartNumber: index + 1, Body }));
      Parts.push({ PartNumber: index + 1, ETag });
    }
    const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "big", UploadId, MultipartUpload: { Parts } }));
    expect(done.ETag).toMatch(/-2"$/);
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "big" }))).ContentLength).toBe(5 * 1024 * 1024 + 3);
    const left = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "left" }));
    const part = { Bucket, Key: "left", UploadId: left.UploadId };
    await s3.send(new AbortMultipartUploadCommand(part));
    await expect(s3.send(new UploadPartCommand({ ...part, PartNumber: 1, Body: "x" }))).rejects.toMatchObject({
      name: "NoSuchUpload",
    });
  });

  it("expires objects by rule when swept", async () => {
    platform.s3.store.createBucket("expiring");
    platform.s3.store.configure("expiring", { expirations: [{ prefix: "old/", days: 1 }] });
    await platform.s3.put("expiring", "old/1", "x");
    await platform.s3.put("expiring", "new/1", "x");
    platform.time.offset = 2 * 86_400_000;
    await platform.s3.sweepExpired();
    platform.time.offset = 0;
    expect(platform.s3.list("expiring").map(({ key }) => key)).toEqual(["new/1"]);
  });
});

describe("events and permissions", () => {
  it("delivers AWS's event document to matching targets, and retries nothing twice", async () => {
    platform.s3.store.createBucket("eventful");
    const arn = "arn:aws:sqs:us-east-1:000000000000:load";
    await platform.s3.notifications.configure("eventful", [
      { id: "load", arn, events: ["s3:ObjectCreated:*"], prefix: "archive/", suffix: ".gz" },
    ]);
    await s3.send(new PutObjectCommand({ Bucket: "eventful", Key: "archive/a b.gz", Body: "x" }));
    await s3.send(new PutObjectCommand({ Bucket: "eventful", Key: "other/x.gz", Body: "x" }));
    await platform.s3.notifications.settled();
    const events = platform.delivered.filter(({ target }) => target === arn).map(({ payload }) => JSON.parse(payload));
    expect(events[0]).toMatchObject({ Event: "s3:TestEvent", Bucket: "eventful" });
    expect(events).toHaveLength(2);
    expect(events[1].Records[0]).toMatchObject({
      eventName: "ObjectCreated:Put",
      s3: {
        configurationId: "load",
        bucket: { name: "eventful", arn: "arn:aws:s3:::eventful" },
        object: { key: "archive/a+b.gz", size: 1 },
      },
    });
    expect(platform.s3.notifications.pending()).toBe(0);
  });

  it("refuses a target that it may not send to", async () => {
    platform.broken.add("arn:aws:sqs:us-east-1:000000000000:closed");
    const target = {
      id: "x",
      arn: "arn:aws:sqs:us-east-1:000000000000:closed",
      events: ["s3:ObjectCreated:*"],
      prefix: "",
      suffix: "",
    };
    await expect(platform.s3.notifications.configure(Bucket, [target])).rejects.toThrow(
      /unable to validate the notification target/,
    );
  });

  it("checks the role, hides missing keys from callers that may not list, and asks for the bucket's key", async () => {
    const writer = new S3Client(
      platform.roleClient("writer", [
        { Effect: "Allow", Action: ["s3:PutObject", "s3:GetObject"], Resource: `arn:aws:s3:::${Bucket}/in/*` },
      ]),
    );
    await writer.send(new PutObjectCommand({ Bucket, Key: "in/x", Body: "x" }));
    await expect(writer.send(new PutObjectCommand({ Bucket, Key: "out/x", Body: "x" }))).rejects.toMatchObject({
      name: "AccessDenied",
    });
    await expect(writer.send(new GetObjectCommand({ Bucket, Key: "in/none" }))).rejects.toMatchObject({ name: "AccessDenied" });
    platform.s3.store.createBucket("encrypted");
    platform.s3.store.configure("encrypted", {
      encryption: { algorithm: "aws:kms", keyId: "11111111-2222-3333-4444-555555555555" },
    });
    const keyless = new S3Client(platform.roleClient("keyless", [{ Effect: "Allow", Action: "s3:*", Resource: "*" }]));
    await expect(keyless.send(new PutObjectCommand({ Bucket: "encrypted", Key: "k", Body: "x" }))).rejects.toThrow(
      /kms:GenerateDataKey on resource: arn:aws:kms/,
    );
    await platform.s3.put("encrypted", "secret", "x");
    const read = new GetObjectCommand({ Bucket: "encrypted", Key: "secret" });
    await expect(keyless.send(read)).rejects.toThrow(/kms:Decrypt on resource: arn:aws:kms/);
  });
});
