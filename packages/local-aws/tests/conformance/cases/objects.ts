import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Case } from "../sides";

export const objects: readonly Case[] = [
  {
    name: "an object is put, read, read in part and deleted",
    run: async ({ given, s3, note, refused }) => {
      const Bucket = "conformance-objects";
      await given.bucket(Bucket);
      const Key = "a folder/é+1.txt";
      await s3.send(
        new PutObjectCommand({ Bucket, Key, Body: "0123456789", ContentType: "text/plain", Metadata: { owner: "test" } }),
      );
      const all = await s3.send(new GetObjectCommand({ Bucket, Key }));
      note(await all.Body?.transformToString());
      const part = await s3.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=2-4" }));
      note(await part.Body?.transformToString());
      await s3.send(new HeadObjectCommand({ Bucket, Key }));
      await refused(s3.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=20-30" })));
      await refused(s3.send(new GetObjectCommand({ Bucket, Key, IfNoneMatch: all.ETag })));
      await refused(s3.send(new GetObjectCommand({ Bucket, Key, IfMatch: '"none"' })));
      await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      await refused(s3.send(new GetObjectCommand({ Bucket, Key })));
      await refused(s3.send(new HeadObjectCommand({ Bucket, Key })));
    },
  },
  {
    name: "an object is written only if it is new, or still what it was",
    run: async ({ given, s3, refused }) => {
      const Bucket = "conformance-conditions";
      await given.bucket(Bucket);
      const put = (condition: { IfNoneMatch?: string; IfMatch?: string }, Body: string) =>
        s3.send(new PutObjectCommand({ Bucket, Key: "once", Body, ...condition }));
      const first = await put({ IfNoneMatch: "*" }, "one");
      await refused(put({ IfNoneMatch: "*" }, "two"));
      await put({ IfMatch: first.ETag ?? "" }, "three");
      await refused(put({ IfMatch: first.ETag ?? "" }, "four"));
    },
  },
  {
    name: "objects are listed by prefix and by pages",
    run: async ({ given, s3 }) => {
      const Bucket = "conformance-lists";
      await given.bucket(Bucket);
      for (const Key of ["a/1", "a/2", "b/1", "c", "é"]) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a/" }));
      await s3.send(new ListObjectsV2Command({ Bucket, StartAfter: "a/2" }));
      const page = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2 }));
      await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2, ContinuationToken: page.NextContinuationToken }));
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "a/1" }, { Key: "none" }] } }));
      await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "none" }));
    },
  },
  {
    name: "an object is uploaded in parts, or not at all",
    run: async ({ given, s3, note, refused }) => {
      const Bucket = "conformance-parts";
      await given.bucket(Bucket);
      const Key = "large";
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "text/plain" }));
      const bodies = ["a".repeat(5 * 1024 * 1024), "the end"];
      const Parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
      for (const [index, Body] of bodies.entries()) {
        const PartNumber = index + 1;
        const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
        Parts.push({ PartNumber, ETag });
      }
      const complete = (parts: typeof Parts) =>
        s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }));
      await refused(complete([...Parts].reverse()));
      await refused(complete([{ PartNumber: 9, ETag: '"none"' }]));
      const { ETag } = await complete(Parts);
      note(ETag);
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
      note(head.ContentLength);
      await refused(s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: "none" })));
      const other = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "dropped" }));
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: "dropped", UploadId: other.UploadId }));
      await refused(s3.send(new HeadObjectCommand({ Bucket, Key: "dropped" })));
    },
  },
  {
    name: "what is no bucket is refused",
    run: async ({ given, s3, refused }) => {
      await given.bucket("conformance-there");
      const Bucket = "conformance-not-there";
      await refused(s3.send(new GetObjectCommand({ Bucket, Key: "k" })));
      await refused(s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })));
      await refused(s3.send(new HeadObjectCommand({ Bucket, Key: "k" })));
      await refused(s3.send(new ListObjectsV2Command({ Bucket })));
      await refused(s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "k" }] } })));
      await refused(s3.send(new PutObjectCommand({ Bucket: "conformance-there", Key: "k".repeat(1025), Body: "x" })));
    },
  },
];
