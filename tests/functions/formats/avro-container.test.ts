import { deflateRawSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ContainerItem, readAvroContainer } from "../../../functions/formats/avro/container";
import { unsnap } from "../../../functions/formats/avro/snappy";
import foreign from "./fixtures/containers.json";

const CODECS = ["null", "deflate", "snappy", "zstandard"] as const;
const SYNC = Buffer.from(Array.from({ length: 16 }, (_, index) => index));
const bytesOf = (codec: keyof typeof foreign.containers): Buffer => Buffer.from(foreign.containers[codec], "base64");

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function read(bytes: Uint8Array, size = 1 << 16): Promise<ContainerItem[]> {
  const items: ContainerItem[] = [];
  for await (const item of readAvroContainer(inChunks(bytes, size))) items.push(item);
  return items;
}

const rowsOf = (items: readonly ContainerItem[]) => items.flatMap((item) => (item.kind === "row" ? [item.value] : []));
const corruptOf = (items: readonly ContainerItem[]) => items.filter((item) => item.kind === "corrupt");
const starts = (bytes: Buffer): number[] => {
  const found: number[] = [];
  for (let at = bytes.indexOf(SYNC); at >= 0; at = bytes.indexOf(SYNC, at + 1)) found.push(at + SYNC.length);
  return found;
};

describe("readAvroContainer", () => {
  it.each(CODECS)("gives the rows that another implementation wrote with the codec %s", async (codec) => {
    const items = await read(bytesOf(codec));
    expect(rowsOf(items).slice(0, foreign.rows.length)).toEqual(foreign.rows);
    expect(items).toHaveLength(foreign.count);
    expect(corruptOf(items)).toEqual([]);
    expect(new Set(items.map(({ block }) => block)).size).toBeGreaterThan(2);
  });

  it("does not depend on how the file is cut into chunks", async () => {
    const whole = await read(bytesOf("snappy"));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (size) => {
        expect(await read(bytesOf("snappy"), size)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it("numbers the rows of each block from 0", async () => {
    const items = await read(bytesOf("null"));
    const second = items.filter(({ block }) => block === 1);
    expect(second.map((item) => (item.kind === "row" ? item.index : -1))).toEqual(second.map((_, index) => index));
  });

  it.each(CODECS)("reports a damaged block of %s by its number, and reads the others", async (codec) => {
    const bytes = bytesOf(codec);
    const [, second = 0, third = 0] = starts(bytes);
    const whole = await read(bytes);
    const damaged = Buffer.from(bytes);
    damaged.fill(0xff, second + 40, third - 16 - 20);
    const items = await read(damaged);
    expect(corruptOf(items)).toMatchObject([{ kind: "corrupt", block: 1 }]);
    expect(items.filter(({ block }) => block !== 1)).toEqual(whole.filter(({ block }) => block !== 1));
  });

  it("resumes at the next sync marker when a block's length is wrong", async () => {
    const bytes = bytesOf("null");
    const whole = await read(bytes);
    const [first = 0, second = 0] = starts(bytes);
    for (const header of [
      [0x04, 0xfe, 0xff, 0x7f],
      [0x02, 0x02, 0x00],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0x01, 0x02],
    ]) {
      const damaged = Buffer.concat([bytes.subarray(0, first), Buffer.from(header), bytes.subarray(second - 16)]);
      const items = await read(damaged, 100);
      expect(corruptOf(items)).toMatchObject([{ block: 0 }]);
      expect(rowsOf(items)).toEqual(rowsOf(whole.filter(({ block }) => block > 0)));
    }
  });

  it("refuses a block that claims to be larger than a block may be, without waiting for it", async () => {
    const bytes = bytesOf("null");
    const [first = 0] = starts(bytes);
    const damaged = Buffer.concat([
      bytes.subarray(0, first),
      Buffer.from([0x02, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x7f]),
      bytes.subarray(first),
    ]);
    expect((await read(damaged))[0]).toMatchObject({ kind: "corrupt", detail: expect.stringContaining("16777216") });
  });

  it("reports a file that ends within a block", async () => {
    const bytes = bytesOf("deflate");
    const items = await read(bytes.subarray(0, -30));
    expect(items.at(-1)).toMatchObject({ kind: "corrupt", detail: "The file ends within the block." });
    expect(rowsOf(items).length).toBeGreaterThan(50);
  });

  it("stops a block that unpacks to more than a block may hold, and rows that take no bytes", async () => {
    const header = Buffer.concat([
      Buffer.from("Obj\u0001", "latin1"),
      Buffer.from([0x02, "avro.schema".length * 2]),
      Buffer.from("avro.schema"),
      Buffer.from([12]),
      Buffer.from('"null"'),
      Buffer.from([0]),
      SYNC,
    ]);
    const endless = Buffer.concat([header, Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f, 0x02, 0x00]), SYNC]);
    expect(await read(endless)).toMatchObject([{ kind: "corrupt", detail: expect.stringContaining("more rows than bytes") }]);
    const behind = Buffer.concat([header, Buffer.from([0x02, 0x04, 0x00, 0x00]), SYNC]);
    expect(await read(behind)).toMatchObject([{ kind: "row", value: null }, { kind: "corrupt" }]);
  });

  it.each([
    ["no container", Buffer.from("{}\n"), "begin"],
    ["an empty file", Buffer.alloc(0), "begin"],
    ["a header that ends too early", bytesOf("null").subarray(0, 40), "damaged header"],
    ["a codec that isn't read", bytesOf("bzip2"), "codec null, deflate, zstandard, snappy"],
  ])("throws for %s", async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: "avro_container", message: expect.stringContaining(message) });
  });

  it("never throws anything else, whatever is damaged", async () => {
    const bytes = bytesOf("snappy");
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (offset, byte) => {
        const damaged = Buffer.from(bytes);
        damaged[offset] = byte;
        await read(damaged).catch((error) => expect(error).toMatchObject({ code: "avro_container" }));
      }),
      { numRuns: 300 },
    );
  });

  it("lets go of the file when the caller stops", async () => {
    let closed = false;
    const filled = Buffer.concat([bytesOf("null"), Buffer.alloc(3 * 1024 * 1024)]);
    async function* longer() {
      try {
        yield* inChunks(filled, 100_000);
      } finally {
        closed = true;
      }
    }
    for await (const item of readAvroContainer(longer())) {
      expect(item.kind).toBe("row");
      break;
    }
    expect(closed).toBe(true);
  });
});

describe("a block", () => {
  const entry = (name: string, value: string): Buffer =>
    Buffer.concat([Buffer.from([name.length * 2]), Buffer.from(name), Buffer.from([value.length * 2]), Buffer.from(value)]);
  const containerOf = (codec: string, block: Buffer): Buffer => {
    const size = [((block.length * 2) & 127) | 128, (((block.length * 2) >> 7) & 127) | 128, (block.length * 2) >> 14];
    const metadata = [Buffer.from([4]), entry("avro.schema", '"string"'), entry("avro.codec", codec), Buffer.from([0])];
    return Buffer.concat([Buffer.from("Obj\u0001", "latin1"), ...metadata, SYNC, Buffer.from([2, ...size]), block, SYNC]);
  };

  it.each([
    ["zstandard", zstdCompressSync(Buffer.alloc(65 * 1024 * 1024)), "more than 67108864 bytes"],
    ["deflate", deflateRawSync(Buffer.alloc(65 * 1024 * 1024)), "more than 67108864 bytes"],
    ["zstandard", Buffer.from("no zstandard"), "compressed data is damaged"],
    ["snappy", Buffer.from([1, 2]), "Snappy data is damaged"],
    ["snappy", Buffer.from([1, 0, 0x61, 0, 0, 0, 0]), "checksum"],
  ])("of %s that is damaged or too large is reported", async (codec, block, detail) => {
    expect(await read(containerOf(codec, block))).toMatchObject([{ kind: "corrupt", detail: expect.stringContaining(detail) }]);
  });

  it("of Zstandard may have several frames, and comes through in chunks of any size, empty ones too", async () => {
    const block = Buffer.concat([zstdCompressSync(Buffer.from([4])), zstdCompressSync("ab")]);
    async function* source() {
      yield Buffer.alloc(0);
      yield* inChunks(containerOf("zstandard", block), 1);
    }
    const items: ContainerItem[] = [];
    for await (const item of readAvroContainer(source())) items.push(item);
    expect(items).toEqual([{ kind: "row", value: "ab", block: 0, index: 0 }]);
  });
});

describe("unsnap", () => {
  it.each([
    ["a copy from before the beginning", [4, 0x00, 0x61, 0x01, 0x09]],
    ["a literal beyond the end", [4, 0x0c, 0x61]],
    ["more than it says", [1, 0x04, 0x61, 0x62]],
    ["less than it says", [9, 0x00, 0x61]],
    ["a length without an end", [0x80]],
  ])("refuses %s", (_, bytes) => {
    expect(() => unsnap(Uint8Array.from(bytes), 100)).toThrow("damaged");
  });

  it("copies what it has just written, and reads every kind of length", () => {
    // "ab" and a copy of 6 from 2 before: abababab
    expect(unsnap(Uint8Array.of(8, 0x04, 0x61, 0x62, 0x09, 0x02), 100).toString()).toBe("abababab");
    expect(unsnap(Uint8Array.of(4, 0xf0, 1, 0x61, 0x62, 0x06, 0x02, 0x00), 100).toString()).toBe("abab");
    expect(unsnap(Uint8Array.of(4, 0x04, 0x61, 0x62, 0x07, 0x02, 0, 0, 0), 100).toString()).toBe("abab");
    expect(() => unsnap(Uint8Array.of(0xff, 0x7f, 0), 100)).toThrow("more than 100");
  });
});
