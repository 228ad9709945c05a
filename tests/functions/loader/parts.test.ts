import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { halves, planChunks } from "../../../functions/loader/chunks";
import { type CreatedObject, readNotification } from "../../../functions/loader/notification";
import { MAX_STATEMENT_BYTES, MAX_STATEMENTS } from "../../../functions/loader/sql-client";
import { ledgerQueries, loadStatements, manifestOf } from "../../../functions/loader/statements";
import { TARGETS } from "../../../functions/loader/targets";
import { compressionOf, NDJSON_SUFFIXES } from "../../../functions/shared/ndjson";

const object = (key: string, sizeBytes = 10): CreatedObject => ({ bucket: "data", key, etag: "e", sizeBytes });
const event = (changes: Record<string, unknown> = {}, outer: Record<string, unknown> = {}) =>
  JSON.stringify({
    Records: [
      {
        eventName: "ObjectCreated:Put",
        s3: { bucket: { name: "data" }, object: { key: "archive/a+b%2Bc%C3%BC", eTag: "e", size: 3, ...changes } },
        ...outer,
      },
    ],
  });

describe("readNotification", () => {
  it("decodes keys like form fields", () => {
    expect(readNotification(event())).toEqual({
      kind: "objects",
      objects: [{ bucket: "data", key: "archive/a b+cü", etag: "e", sizeBytes: 3 }],
    });
  });

  it("recognises the test event that S3 sends", () => {
    expect(readNotification('{"Event": "s3:TestEvent"}')).toEqual({ kind: "test" });
  });

  it.each([
    ["no json", /not JSON/],
    ["[]", /another JSON value/],
    ["{}", /list Records/],
    ['{"Records": [1]}', /Records\[0\]: expected an object/],
    [event({}, { eventName: "ObjectRemoved:Delete" }), /ObjectCreated/],
    [event({}, { s3: {} }), /bucket.name/],
    [event({}, { s3: { bucket: { name: "b" } } }), /object.key/],
    [event({ key: "%E0%A4%A" }), /URL-encoded/],
    [event({ eTag: 1 }), /eTag/],
    [event({ size: -1 }), /size/],
  ])("says what is wrong with %s", (body, problem) => {
    const notification = readNotification(body);
    expect(notification.kind === "unreadable" && notification.problem).toMatch(problem);
  });
});

describe("planChunks", () => {
  const keys = fc.uniqueArray(
    fc
      .tuple(fc.constantFrom("archive/", "quarantine/"), fc.stringMatching(/^[a-z]{1,6}$/), fc.constantFrom(...NDJSON_SUFFIXES))
      .map((parts) => parts.join("")),
  );

  it("puts every object into exactly one chunk of its own table and compression, within the limits", () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 60 }), (names, maxObjects, maxBytes) => {
        const chunks = planChunks(
          names.map((name) => object(name)),
          { maxObjects, maxBytes },
        );
        expect(chunks.flatMap(({ objects }) => objects.map(({ key }) => key)).sort()).toEqual([...names].sort());
        for (const { target, compression, objects } of chunks) {
          expect(objects.every(({ key }) => key.startsWith(target.prefix) && compressionOf(key) === compression)).toBe(true);
          expect(objects.length <= maxObjects && (objects.length === 1 || objects.length * 10 <= maxBytes)).toBe(true);
        }
      }),
    );
  });

  it("leaves out objects without a target", () =>
    expect(planChunks([object("other/x")], { maxObjects: 1, maxBytes: 1 })).toEqual([]));

  it("halves down to single objects", () => {
    const [chunk] = planChunks(
      ["archive/a", "archive/b", "archive/c"].map((key) => object(key)),
      { maxObjects: 9, maxBytes: 99 },
    );
    if (chunk === undefined) throw new Error("expected a chunk");
    const parts = halves(chunk);
    expect(parts?.map(({ objects }) => objects.length)).toEqual([2, 1]);
    expect(parts?.[1] && halves(parts[1])).toBeUndefined();
  });
});

describe("loadStatements", () => {
  it("stays within the Data API's limits for the longest keys of a full chunk", () => {
    const objects = Array.from({ length: 400 }, (_, index) => object(`archive/${"k'".repeat(500)}${index}`));
    for (const target of TARGETS) {
      const statements = loadStatements({
        ...{ loadId: "id", target, compression: "ZSTD", objects },
        ...{ manifestUrl: "s3://data/m", copyRoleArn: "arn" },
      });
      expect(statements.length).toBeLessThanOrEqual(MAX_STATEMENTS);
      for (const sql of [...statements, ...ledgerQueries(objects)])
        expect(Buffer.byteLength(sql)).toBeLessThanOrEqual(MAX_STATEMENT_BYTES);
    }
  });

  it("asks the ledger for each key once, and not at all without keys", () => {
    expect(ledgerQueries([object("archive/a"), object("archive/a")])).toEqual([
      "SELECT object_key, etag FROM risk.load_ledger WHERE status = 'loaded' AND object_key IN ('archive/a')",
    ]);
    expect(ledgerQueries([])).toEqual([]);
  });

  it("marks every object of the manifest as mandatory", () => {
    expect(JSON.parse(manifestOf([object("archive/a", 7)]))).toEqual({
      entries: [{ url: "s3://data/archive/a", mandatory: true, meta: { content_length: 7 } }],
    });
  });
});
