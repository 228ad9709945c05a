import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { archiveDoc } from "../../tools/archive-doc";

it("docs/archive.md is what the columns say: run node dist/tools/archive-doc.js after changing one", () => {
  expect(readFileSync(join(process.cwd(), "docs", "archive.md"), "utf8")).toBe(archiveDoc());
});
