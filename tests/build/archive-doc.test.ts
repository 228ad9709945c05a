import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { archiveDoc } from "../../build/archive-doc";

it("docs/archive.md matches the columns (npm run docs writes it)", () => {
  expect(readFileSync(join(process.cwd(), "docs", "archive.md"), "utf8")).toBe(archiveDoc());
});
