import { defineConfig } from "vitest/config";
import { packageSources } from "./tests/helpers/package-sources.mts";

/** Tests that need the Pulumi CLI on the PATH: `npm run test:engine`. */
export default defineConfig({
  resolve: { alias: packageSources },
  test: {
    include: ["tests/engine/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // An update of a whole stack takes most of a minute, and two run side by side.
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
