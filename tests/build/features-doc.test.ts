import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { featuresDoc } from "../../build/features-doc";

it("docs/features.md matches the feature registry (npm run docs writes it)", () => {
  expect(readFileSync(join(process.cwd(), "docs", "features.md"), "utf8")).toBe(featuresDoc());
});
