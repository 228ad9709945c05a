import { mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildValidators, validatorSchemas, validatorSource } from "../../tools/validators";

describe("buildValidators", () => {
  it("writes one file, leaves it alone when nothing changed, and replaces it when something did", () => {
    const folder = mkdtempSync(join(tmpdir(), "validators-"));
    const file = join(folder, "deep", "validators.js");
    expect(buildValidators(file)).toBe(file);
    utimesSync(file, 1, 1);
    buildValidators(file);
    expect(statSync(file).mtimeMs).toBe(1000);
    writeFileSync(file, "stale");
    buildValidators(file);
    expect(readFileSync(file, "utf8")).toBe(validatorSource());
    expect(readdirSync(join(folder, "deep"))).toEqual(["validators.js"]);
  });

  it("exports a validator for every profile, for policies and for models", () => {
    expect(Object.keys(validatorSchemas())).toEqual(["lead", "churn", "fraud", "device", "policy", "models", "feedback"]);
  });

  it("needs an id, and refuses a keyword that it does not know", () => {
    expect(() => validatorSource({ x: { type: "object" } })).toThrow(/"x" has no \$id/);
    expect(() => validatorSource({ x: { $id: "x", type: "string", minimum: 1 } })).toThrow(/strict mode/);
  });
});
