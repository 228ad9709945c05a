import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { classArchive } from "../../src/services/jobs/class-archive";
import type { Step } from "../../src/services/jobs/environment";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "archive-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = (javaVersion: string, run: (step: Step) => Promise<void>) => ({
  python: "python",
  javaVersion,
  folder,
  hosts: "hosts",
  run,
});
/** As class_archive.py does: its second argument is the archive. */
const archiving = () => vi.fn(async ({ args }: Step) => writeFileSync(args[1] ?? "", "classes"));

describe("the archive of Spark's classes", () => {
  it("is made once for runs that start together, and once for each Java", async () => {
    const run = archiving();
    const [first, second] = await Promise.all([classArchive(options("17.0.15", run)), classArchive(options("17.0.15", run))]);
    expect(first).toBe(join(folder, "spark-java-17.0.15.jsa"));
    expect(second).toBe(first);
    expect(run).toHaveBeenCalledTimes(1);
    expect(await classArchive(options("21.0.1+12", run))).toBe(join(folder, "spark-java-21.0.1-12.jsa"));
    expect(run).toHaveBeenCalledTimes(2);
    expect(readdirSync(folder).sort()).toEqual(["spark-java-17.0.15.jsa", "spark-java-21.0.1-12.jsa"]);
  });

  it("is found again by another process", async () => {
    const file = join(folder, "spark-java-17.0.15.jsa");
    writeFileSync(file, "classes");
    const run = archiving();
    expect(await classArchive(options("17.0.15", run))).toBe(file);
    expect(run).not.toHaveBeenCalled();
  });

  it("is left out, and half of it isn't found, when it can't be made", async () => {
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const made = await classArchive(
      options("17.0.15", async ({ args }) => {
        writeFileSync(args[1] ?? "", "half");
        throw new Error("No space left on device");
      }),
    );
    expect(made).toBeUndefined();
    expect(stderr).toHaveBeenCalledWith(expect.stringMatching(/start more slowly.*No space left/));
    expect(existsSync(folder) && readdirSync(folder)).toEqual([]);
    stderr.mockRestore();
  });
});
