import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT, stackValues } from "../helpers/recorder";

it("index.ts runs under the ts-node that the Pulumi CLI registers", () => {
  const script = join(ROOT, "tests/helpers/run-as-pulumi.cjs");
  const output = execFileSync(process.execPath, [script, ROOT, JSON.stringify(stackValues("dev"))], { encoding: "utf8" });
  const [, resources, packages] = /resources=(\d+) packages=(\d+)/.exec(output) ?? [];
  expect(Number(resources)).toBeGreaterThan(150);
  expect(packages).toBe("0");
}, 120_000);
