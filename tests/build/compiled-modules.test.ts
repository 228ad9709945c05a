import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";

const FOLDERS = ["dist/functions/stream", "dist/functions/stream-files", "dist/functions/files"];

// Commands and benchmarks load what tsc makes of these modules, tests and bundles what esbuild does.
it("the modules that score load as compiled", () => {
  const require = createRequire(join(process.cwd(), "package.json"));
  const files = FOLDERS.flatMap((folder) => readdirSync(folder).map((file) => `./${folder}/${file}`));
  const modules = files.filter((file) => file.endsWith(".js"));
  expect(modules.length).toBeGreaterThan(30);
  for (const file of modules) expect(() => require(file), file).not.toThrow();
});
