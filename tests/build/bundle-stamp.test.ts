import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { isCurrent, recordBuild } from "../../build/bundle-stamp";

let root: string;
let stamp: string;
const files = { inputs: ["functions/a.ts", "node_modules/p/index.js"], outputs: ["bundles/a.js"] };
const current = (recipe = "recipe") => isCurrent(root, stamp, recipe);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stamp-"));
  stamp = join(root, "bundles", "build.json");
  for (const folder of ["functions", "schemas", "sql", "bundles", "node_modules/p"])
    mkdirSync(join(root, folder), { recursive: true });
  for (const path of [...files.inputs, ...files.outputs]) writeFileSync(join(root, path), "content");
  recordBuild(root, stamp, "recipe", files);
});

describe("the stamp of a build", () => {
  it("is valid while nothing changes, by content and not by time", () => {
    writeFileSync(join(root, "functions/a.ts"), "content");
    expect(current()).toBe(true);
  });

  it.each([...files.inputs, ...files.outputs])("is invalid when %s has other content, or is gone", (path) => {
    writeFileSync(join(root, path), "edited!");
    expect(current()).toBe(false);
    rmSync(join(root, path));
    expect(current()).toBe(false);
  });

  it.each(["functions/new.ts", "sql/new.sql", "package-lock.json", "tsconfig.json", "build/validators.ts"])(
    "is invalid when %s appears, which no build has read",
    (path) => {
      mkdirSync(join(root, "build"));
      writeFileSync(join(root, path), "");
      expect(current()).toBe(false);
    },
  );

  it("is invalid for another recipe", () => {
    expect(current("other options")).toBe(false);
  });

  it.each(["", "{", "null", "{}", '{"inputs":[],"outputs":[]}'])("is invalid when it contains %j", (text) => {
    writeFileSync(stamp, text);
    expect(current()).toBe(false);
  });

  it("is invalid when it is absent", () => {
    rmSync(stamp);
    expect(current()).toBe(false);
  });
});
