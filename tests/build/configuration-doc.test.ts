import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configurationDoc, stackValues } from "../../build/configuration-doc";

const root = process.cwd();

describe("docs/configuration.md", () => {
  it("matches the settings (npm run docs writes it)", () => {
    expect(readFileSync(join(root, "docs", "configuration.md"), "utf8")).toBe(configurationDoc(stackValues(root)));
  });
});
