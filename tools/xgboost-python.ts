/** The real XGBoost, to compare with: a Python environment under `.local/python`, made on first use. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes the environment from tests/python/requirements.txt unless it is there already.
 * @param root folder of package.json
 * @returns the path of its python. Throws with what is needed when it cannot be made
 */
export function xgboostPython(root: string = process.cwd()): string {
  const requirementsFile = join(root, "tests/python/requirements.txt");
  const environment = join(root, ".local/python");
  const python = join(environment, "bin/python");
  const stamp = join(environment, "requirements.txt");
  const requirements = readFileSync(requirementsFile, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === requirements) return python;
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(join(root, ".local"), { recursive: true });
  runPython("python3", ["-m", "venv", environment], "creating a Python environment");
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirementsFile];
  runPython(python, install, "installing XGBoost from PyPI");
  writeFileSync(stamp, requirements);
  return python;
}

/** Runs a Python command to its end. @returns what it printed */
export function runPython(command: string, args: readonly string[], what: string): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error === undefined && status === 0) return stdout;
  throw new Error(
    `A comparison with the real XGBoost needs it, but ${what} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}\n` +
      "Needed are python3 (3.10 to 3.13, with venv) and, once, access to PyPI; see tests/python/requirements.txt.",
  );
}
