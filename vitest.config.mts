import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import FastFirst from "./tests/helpers/order.mts";
import Slowest from "./tests/helpers/slowest.mts";

const folder = fileURLToPath(new URL("packages/", import.meta.url));

/**
 * Packages are tested as written. An alias does it rather than the condition "source", which vitest hands to Node too: the compiled program
 * that tests load would then find sources.
 */
const sources = readdirSync(folder).flatMap((name) => {
  const { exports } = JSON.parse(readFileSync(`${folder}${name}/package.json`, "utf8"));
  return Object.entries<{ readonly source?: string }>(exports).flatMap(([path, { source }]) =>
    source === undefined
      ? []
      : [{ find: new RegExp(`^@risk/${name}${path.slice(1)}$`), replacement: `${folder}${name}/${source}` }],
  );
});

export default defineConfig({
  resolve: { alias: sources },
  test: {
    include: ["tests/**/*.test.ts", "packages/*/tests/**/*.test.ts"],
    // They need the Pulumi CLI: npm run test:engine.
    exclude: ["tests/engine/**"],
    pool: "forks",
    // Half of the end-to-end tests' time is waiting, so two cores carry two workers.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: FastFirst },
    reporters: ["default", new Slowest()],
    globalSetup: ["tests/helpers/global-setup.ts"],
    testTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["functions/**/*.ts", "packages/tree-kernel/src/**/*.ts"],
      exclude: ["**/*.d.ts", "functions/entries/**"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 95, statements: 95, functions: 95, branches: 90 },
    },
  },
});
