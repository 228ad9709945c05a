import { mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { buildValidators, validatorFiles, validatorSchemas, validatorSource } from "../../build/validators";

const requireHere = createRequire(resolve("package.json"));
const PIPELINES = ["dataset", "statistics", "manifest", "golden", "baseline"];
const EVENTS = ["planEvent", "qualityEvent", "evaluationEvent", "batchEvent", "promotionEvent"];
const NAMES = ["lead", "churn", "fraud", "device", "policy", "models", "feedback", "events", ...PIPELINES, ...EVENTS];

describe("buildValidators", () => {
  it("writes one file per schema, leaves unchanged ones alone, and replaces the others", () => {
    const folder = mkdtempSync(join(tmpdir(), "validators-"));
    const file = join(folder, "deep", "checks.js");
    expect(buildValidators(file)).toBe(file);
    const files = Object.entries(validatorFiles("checks.js")).map(([path, source]) => ({
      path: join(folder, "deep", path),
      source,
    }));
    for (const { path } of files) utimesSync(path, 1, 1);
    writeFileSync(join(folder, "deep", "checks", "lead.js"), "stale");
    buildValidators(file);
    for (const { path, source } of files) {
      expect(readFileSync(path, "utf8")).toBe(source);
      expect(statSync(path).mtimeMs === 1000, path).toBe(!path.endsWith("lead.js"));
    }
    expect(readdirSync(dirname(file)).sort()).toEqual(["checks", "checks.js"]);
  });

  it("exports a validator for every profile, document and event, to Node and to a bundler", () => {
    expect(Object.keys(validatorSchemas())).toEqual(NAMES);
    const loaded: Record<string, unknown> = requireHere(buildValidators());
    expect(Object.entries(loaded).map(([name, validate]) => [name, typeof validate])).toEqual(
      NAMES.map((name) => [name, "function"]),
    );
    const exported =
      validatorFiles("checks.js")["checks/index.mjs"]?.matchAll(/export \{ default as (\w+) \} from "\.\/\1\.js";/g) ?? [];
    expect([...exported].map(([, name]) => name)).toEqual(NAMES);
  });

  it("keeps fields that are named like annotations, and drops the annotations", () => {
    const source = validatorSource("x", {
      $id: "x",
      type: "object",
      description: "for readers",
      additionalProperties: false,
      properties: { description: { type: "string", pattern: "^a$", title: "for readers" } },
    });
    const module: { exports?: (value: unknown) => boolean } = {};
    new Function("module", "exports", "require", source)(module, {}, requireHere);
    expect(source).not.toContain("for readers");
    expect([module.exports?.({ description: "a" }), module.exports?.({ description: "b" })]).toEqual([true, false]);
  });

  it("needs an id, and refuses an unknown keyword", () => {
    expect(() => validatorSource("x", { type: "object" })).toThrow(/"x" has no \$id/);
    expect(() => validatorSource("x", { $id: "x", type: "string", minimum: 1 })).toThrow(/strict mode/);
  });
});
