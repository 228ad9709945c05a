import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import FastFirst from "./tests/helpers/order.mts";
import { packageSources } from "./tests/helpers/package-sources.mts";
import Slowest from "./tests/helpers/slowest.mts";

export default defineConfig({
  resolve: { alias: packageSources },
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
