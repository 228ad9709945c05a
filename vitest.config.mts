import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import FastFirst from "./tests/helpers/order.mts";
import { packageSources } from "./tests/helpers/package-sources.mts";
import Slowest from "./tests/helpers/slowest.mts";

/** Tests of code that keeps nothing between calls: half of their time would be loading it anew for each file. */
const PURE = ["tests/functions/**/*.test.ts", "tests/stacks/**/*.test.ts", "packages/tree-kernel/tests/**/*.test.ts"];

const project = (name: string, isolate: boolean, include: string[], exclude: string[]) => ({
  extends: true as const,
  // Node sets the folder when it is to record what is executed (npm run coverage:local).
  test: { name, isolate, include, exclude, setupFiles: process.env.NODE_V8_COVERAGE ? ["tests/helpers/v8-coverage.ts"] : [] },
});

export default defineConfig({
  resolve: { alias: packageSources },
  test: {
    projects: [
      project("pure", false, PURE, []),
      // tests/engine needs the Pulumi CLI: npm run test:engine.
      project("rest", true, ["tests/**/*.test.ts", "packages/*/tests/**/*.test.ts"], [...PURE, "tests/engine/**"]),
    ],
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
