/** The Python of the pipelines has tests of its own, in Python: tests/jobs. Here they run as one. */
import { spawnSync } from "node:child_process";
import { pythonEnvironment, requireJava } from "@risk/local-aws/python-environment";
import { beforeAll, expect, it } from "vitest";

/** The first run installs Spark and XGBoost; the tests themselves take one to three minutes, by what else the machine does. */
const SETUP_MS = 600_000;
const TESTS_MS = 900_000;

let python = "";
beforeAll(async () => {
  requireJava();
  python = await pythonEnvironment();
}, SETUP_MS);

it(
  "Glue's and SageMaker's scripts pass their own tests",
  () => {
    const args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/jobs"];
    const { status, stdout, stderr } = spawnSync(python, args, {
      encoding: "utf8",
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", SPARK_LOCAL_IP: "127.0.0.1" },
    });
    const summary = stdout.slice(stdout.indexOf("= FAILURES =") - 40);
    expect(status, `${summary}\n${status === 0 ? "" : stderr}`).toBe(0);
  },
  TESTS_MS,
);
