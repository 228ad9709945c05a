import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { capacityDoc, stackConfigs } from "../../build/capacity-doc";

const root = process.cwd();

it("docs/capacity.md matches the stack files (npm run docs writes it)", () => {
  expect(readFileSync(join(root, "docs", "capacity.md"), "utf8")).toBe(capacityDoc(stackConfigs(root)));
});
