import type { Reporter, TestModule } from "vitest/node";

const SHOWN = 10;

/** Prints the files that took longest, since the whole run waits for them. */
export default class Slowest implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const seconds = (module: TestModule): number => {
      const { duration, collectDuration } = module.diagnostic();
      return (duration + collectDuration) / 1000;
    };
    const slowest = [...modules].sort((a, b) => seconds(b) - seconds(a)).slice(0, SHOWN);
    if (modules.length <= SHOWN) return;
    const lines = slowest.map((module) => `  ${seconds(module).toFixed(1).padStart(6)} s  ${module.relativeModuleId}`);
    process.stdout.write(`\nSlowest files\n${lines.join("\n")}\n`);
  }
}
