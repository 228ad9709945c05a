/** The package has no types of its own; its README describes these two functions. */
declare module "@bcoe/v8-coverage" {
  import type { Profiler } from "node:inspector";
  export function mergeProcessCovs(coverages: readonly { result: Profiler.ScriptCoverage[] }[]): {
    result: Profiler.ScriptCoverage[];
  };
}
