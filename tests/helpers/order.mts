import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Seconds on two cores of the files that take longest; the others don't matter. */
const LONG: readonly (readonly [file: string, seconds: number])[] = [
  ["tests/e2e/pipelines.test.ts", 207],
  ["tests/e2e/pipeline-failures.test.ts", 116],
  ["tests/e2e/redrive.test.ts", 106],
  ["tests/jobs/python.test.ts", 74],
  ["tests/program/evaluate.test.ts", 68],
  ["tests/e2e/lifecycle.test.ts", 67],
  ["tests/simulation/histories.test.ts", 62],
  ["conformance/conformance.test.ts", 60],
];

/** Fast files first, so that a mistake shows soon; among the slow ones the longest first, so that no worker ends alone with it. */
export default class FastFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => rank(a.moduleId) - rank(b.moduleId) || a.moduleId.localeCompare(b.moduleId));
  }
}

function rank(file: string): number {
  const long = LONG.find(([name]) => file.endsWith(`/${name}`));
  if (long !== undefined) return 1000 - long[1];
  return file.includes("/tests/e2e/") ? 999 : file.includes("/packages/") || file.includes("/tests/functions/") ? 0 : 1;
}
