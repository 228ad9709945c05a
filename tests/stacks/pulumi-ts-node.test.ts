import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT, stackValues } from "../helpers/recorder";

it("index.ts runs under the ts-node that the Pulumi CLI registers", () => {
  const script = join(ROOT, "tests/helpers/run-as-pulumi.cjs");
  const output = execFileSync(process.execPath, [script, ROOT, JSON.stringify(stackValues("dev"))], { encoding: "utf8" });
  expect(Number(/resources=(\d+)/.exec(output)?.[1])).toBeGreaterThan(150);
}, 120_000);
