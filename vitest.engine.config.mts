import { defineConfig } from "vitest/config";

/** Tests that need the Pulumi CLI on the PATH: `npm run test:engine`. */
export default defineConfig({
  test: {
    include: ["tests/engine/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // An update of a whole stack takes most of a minute, and two run side by side.
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
