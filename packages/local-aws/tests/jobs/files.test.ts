import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { relativePath, s3Location } from "../../src/services/jobs/role-s3";
import { filesBelow, tarGz } from "../../src/services/jobs/tar";
import { unpacked } from "./unpack";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

describe("an archive", () => {
  it("holds files in order, and the same bytes whenever they were written", async () => {
    for (const path of ["b", "a/z", "a/y"]) write(path, path.repeat(300));
    // As much as fills a record of the archive to its end.
    write("c", "x".repeat(10_240 - 512 - 1024 - 2 * 1536));
    const first = await tarGz(folder);
    utimesSync(join(folder, "b"), 1, 1);
    chmodSync(join(folder, "b"), 0o600);
    expect(await tarGz(folder)).toEqual(first);
    expect(unpacked(first).map(([name]) => name)).toEqual(["a/y", "a/z", "b", "c"]);
    expect(unpacked(first)[2]?.[1]).toBe("b".repeat(300));
    const tar = gunzipSync(first);
    expect([tar.length, tar.subarray(-1024)]).toEqual([10_240 + 1024, Buffer.alloc(1024)]);
  });

  it("names a path that is too long", async () => {
    write("n".repeat(100), "x");
    expect(unpacked(await tarGz(folder)).map(([name]) => name)).toEqual(["n".repeat(100)]);
    write("n".repeat(101), "x");
    await expect(tarGz(folder)).rejects.toThrow(/'n{101}' is too long for a tar archive/);
  });

  it("of a folder that is not there is empty", async () => {
    expect(await filesBelow(join(folder, "none"))).toEqual([]);
  });
});

describe("S3 locations", () => {
  it.each([
    ["a/b/", "a/b/c", "c"],
    ["a/b", "a/b/c/d", "c/d"],
    ["a/b", "a/b", "b"],
    ["a/b", "a/bc/d", "bc/d"],
    ["", "a/b", "a/b"],
  ])("below %j the key %j is the file %j", (prefix, key, path) => {
    expect(relativePath(prefix, key)).toBe(path);
  });

  it.each(["a/../../etc/passwd", "a//b", "a/./b"])("refuse the key %j as a path", (key) => {
    expect(() => relativePath("", key)).toThrow(/cannot be a file's path/);
  });

  it("name bucket and key", () => {
    expect(s3Location("s3://bucket/a/b", "x")).toEqual({ bucket: "bucket", key: "a/b" });
    expect(s3Location("s3://bucket", "x")).toEqual({ bucket: "bucket", key: "" });
    expect(() => s3Location("https://bucket", "ModelDataUrl")).toThrow(/ModelDataUrl must be s3:\/\//);
  });
});
