/** The adapters over real SDK clients, with the HTTP handler replaced: what goes over the wire is what is asserted. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { HttpResponse } from "@smithy/core/protocols";
import { describe, expect, it } from "vitest";
import { START } from "../../../functions/files/types";
import {
  createAnnouncements,
  createContinuation,
  createIncomingFiles,
  createJournal,
} from "../../../functions/stream-files/adapters";
import { FileGoneError } from "../../../functions/stream-files/ports";
import type { Checkpoint, FileResult } from "../../../functions/stream-files/types";
import { all } from "../files/samples";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

function wire(reply: (seen: Seen) => Answer) {
  const seen: Seen[] = [];
  const requestHandler = {
    handle: async ({ body, ...request }: Omit<Seen, "body"> & { readonly body?: unknown }) => {
      seen.push({ ...request, body: body === undefined ? "" : String(body) });
      const answer = reply(seen.at(-1) as Seen);
      const content = Readable.from([Buffer.from(answer.body ?? "")]);
      return { response: new HttpResponse({ statusCode: answer.status ?? 200, headers: { ...answer.headers }, body: content }) };
    },
  };
  const config = { region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1, requestHandler };
  return { seen, s3: new S3Client({ ...config, forcePathStyle: true }), sqs: new SQSClient(config) };
}

const FILE = { key: "incoming/a b.csv", version: "v1", etag: "e1" };
const CONTENT = Buffer.from("0123456789");

/** S3's answer to a range of the content. */
function ranged({ headers }: Seen): Answer {
  const [, first = "0", last = "0"] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? "") ?? [];
  if (Number(first) >= CONTENT.length) return { status: 416, body: "<Error><Code>InvalidRange</Code></Error>" };
  return { status: 206, body: CONTENT.subarray(Number(first), Number(last) + 1) };
}

describe("incoming files", () => {
  it("are read part by part, of exactly the version that was put, and to the end", async () => {
    const { seen, s3 } = wire(ranged);
    const parts = await all(createIncomingFiles(s3, "data", 5).bytes(FILE, 2));
    expect(Buffer.concat(parts).toString()).toBe("23456789");
    expect(seen.map(({ headers }) => headers.range)).toEqual(["bytes=2-6", "bytes=7-11"]);
    expect(seen[0]).toMatchObject({ query: { versionId: "v1" }, headers: { "if-match": '"e1"' } });
    expect(await all(createIncomingFiles(s3, "data", 5).bytes(FILE, 5))).toHaveLength(1);
    expect(await all(createIncomingFiles(s3, "data", 5).bytes(FILE, 10))).toEqual([]);
  });

  it("have a time and metadata, and in a bucket without versions are known by their content", async () => {
    const { seen, s3 } = wire(() => ({
      headers: { "last-modified": "Sat, 21 Nov 2026 12:00:00 GMT", "x-amz-meta-preset": "none" },
    }));
    expect(await createIncomingFiles(s3, "data").facts({ ...FILE, version: null })).toEqual({
      modifiedAtMs: Date.UTC(2026, 10, 21, 12),
      metadata: { preset: "none" },
    });
    expect(seen[0]).toMatchObject({ method: "HEAD", headers: { "if-match": '"e1"' } });
    expect(seen[0]?.query.versionId).toBeUndefined();
  });

  it.each([404, 412])("are gone when S3 answers %d", async (status) => {
    const files = createIncomingFiles(wire(() => ({ status })).s3, "data");
    await expect(files.facts(FILE)).rejects.toBeInstanceOf(FileGoneError);
    await expect(all(files.bytes(FILE, 0))).rejects.toBeInstanceOf(FileGoneError);
  });

  it("aren't taken for gone when S3 fails", async () => {
    const files = createIncomingFiles(wire(() => ({ status: 403 })).s3, "data");
    await expect(all(files.bytes(FILE, 0))).rejects.not.toBeInstanceOf(FileGoneError);
  });
});

const CHECKPOINT: Checkpoint = {
  file: FILE,
  reading: null,
  place: START,
  counts: { rows: 0, scored: 0, duplicates: 0, quarantined: {} },
  done: false,
};
// The journal only writes it.
const RESULT = { status: "scored", rows: 1 } as FileResult;

describe("the journal", () => {
  it("keeps a checkpoint as JSON, which is null as long as there is none", async () => {
    const stored = wire(({ method }) => (method === "GET" ? { body: JSON.stringify(CHECKPOINT) } : {}));
    await createJournal(stored.s3, "data").writeCheckpoint("id", CHECKPOINT);
    expect(stored.seen[0]).toMatchObject({ method: "PUT", path: "/data/files/id.json", body: JSON.stringify(CHECKPOINT) });
    expect(await createJournal(stored.s3, "data").checkpoint("id")).toEqual(CHECKPOINT);
    expect(await createJournal(wire(() => ({ status: 404 })).s3, "data").checkpoint("id")).toBeNull();
    await expect(createJournal(wire(() => ({ status: 500 })).s3, "data").checkpoint("id")).rejects.toThrow();
  });

  it("keeps the first result of a file", async () => {
    const { seen, s3 } = wire(() => ({}));
    await createJournal(s3, "data").writeResult("results/a.json", RESULT);
    expect(seen[0]).toMatchObject({
      path: "/data/results/a.json",
      headers: { "if-none-match": "*" },
      body: JSON.stringify(RESULT),
    });
    await createJournal(wire(() => ({ status: 412 })).s3, "data").writeResult("k", RESULT);
    await expect(createJournal(wire(() => ({ status: 503 })).s3, "data").writeResult("k", RESULT)).rejects.toThrow();
  });
});

describe("the rest of a file", () => {
  it("is a message of the queue, after a pause", async () => {
    // The client compares the digest of what the queue took.
    const digest = createHash("md5")
      .update(JSON.stringify({ continue: FILE }))
      .digest("hex");
    const { seen, sqs } = wire(() => ({ body: JSON.stringify({ MD5OfMessageBody: digest }) }));
    await createContinuation(sqs, "https://sqs/queue").send(FILE, 30);
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({
      QueueUrl: "https://sqs/queue",
      MessageBody: JSON.stringify({ continue: FILE }),
      DelaySeconds: 30,
    });
  });
});

describe("announcements", () => {
  it("are events of the bus, and fail when the bus doesn't take them", async () => {
    const published: unknown[] = [];
    const clock = { now: () => 1000 };
    const taking = {
      publish: async (events: readonly unknown[]) => {
        published.push(...events);
        return [];
      },
    };
    await createAnnouncements(taking, clock).publish(RESULT);
    expect(published).toEqual([{ detail: JSON.stringify(RESULT), detailType: "File Scored", time: new Date(1000) }]);
    await expect(createAnnouncements({ publish: async () => [0] }, clock).publish(RESULT)).rejects.toThrow("did not take");
  });
});
