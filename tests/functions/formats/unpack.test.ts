import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCompressed, unpack } from "../../../functions/formats/unpack";

const LIMIT = 64 * 1024;
const PACKERS = { gzip: gzipSync, zstandard: zstdCompressSync };

describe("unpack", () => {
  it.each(Object.entries(PACKERS))("takes off %s", (_, pack) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        fc.pre(!isCompressed(bytes));
        expect(unpack(pack(bytes), LIMIT)).toEqual({ kind: "unpacked", bytes: Buffer.from(bytes) });
      }),
    );
  });

  it.each(Object.entries(PACKERS))("takes several members of %s for one payload", (_, pack) => {
    const bytes = Buffer.concat([pack("one,"), pack("two")]);
    expect(unpack(bytes, LIMIT)).toEqual({ kind: "unpacked", bytes: Buffer.from("one,two") });
    expect(unpack(bytes, 7)).toMatchObject({ kind: "unpacked" });
    expect(unpack(bytes, 6)).toMatchObject({ reason: "unpacked_too_large" });
    expect(unpack(bytes, 4)).toMatchObject({ reason: "unpacked_too_large" });
  });

  it("passes plain bytes unchanged", () => {
    const bytes = Buffer.from("{}");
    expect(unpack(bytes, LIMIT)).toEqual({ kind: "plain", bytes });
  });

  it.each(Object.entries(PACKERS))("stops a bomb of %s at the limit", (_, pack) => {
    expect(unpack(pack(Buffer.alloc(50_000_000)), LIMIT)).toMatchObject({ kind: "refused", reason: "unpacked_too_large" });
    expect(unpack(pack(Buffer.alloc(LIMIT)), LIMIT)).toMatchObject({ kind: "unpacked" });
    expect(unpack(pack(Buffer.alloc(LIMIT + 1)), LIMIT)).toMatchObject({ reason: "unpacked_too_large" });
  });

  it.each(Object.entries(PACKERS))("refuses %s that is cut anywhere", (_, pack) => {
    const whole = pack(Buffer.from("some text that is long enough to be cut in many places"));
    for (let length = 4; length < whole.length; length++) {
      expect(unpack(whole.subarray(0, length), LIMIT)).toMatchObject({ kind: "refused", reason: "compressed_corrupt" });
    }
  });

  it("never throws for damaged data", () => {
    const whole = gzipSync("some text");
    fc.assert(
      fc.property(fc.nat(whole.length - 3), fc.nat(255), (offset, byte) => {
        const damaged = Buffer.from(whole);
        damaged[2 + offset] = byte;
        expect(["unpacked", "refused"]).toContain(unpack(damaged, LIMIT).kind);
      }),
    );
  });

  it("refuses two layers", () => {
    expect(unpack(gzipSync(gzipSync("x")), LIMIT)).toMatchObject({ reason: "compressed_twice" });
    expect(unpack(zstdCompressSync(gzipSync("x")), LIMIT)).toMatchObject({ reason: "compressed_twice" });
  });
});
