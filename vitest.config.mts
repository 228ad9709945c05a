import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // They need the Pulumi CLI: npm run test:engine.
    exclude: ["tests/engine/**"],
    pool: "forks",
    globalSetup: ["tests/helpers/global-setup.ts"],
    testTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["functions/**/*.ts"],
      exclude: ["functions/**/*.d.ts", "functions/entries/**"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { lines: 95, statements: 95, functions: 95, branches: 90 },
    },
  },
});
