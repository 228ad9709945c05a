/**
 * Spark's classes in the form that Java maps at its start (class data sharing): a third less processor time for each Glue run, half of
 * it before the script begins. Made once per Java, beside the Python environment.
 */
import { mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "@risk/program-graph";
import type { Step } from "./environment";

export interface ClassArchiveOptions {
  /** Of the environment. */
  readonly python: string;
  /** As `java -version` gives it: another Java doesn't read the archive. */
  readonly javaVersion: string;
  /** The environment's own folder, whose jars the archive describes. */
  readonly folder: string;
  /** Of class_archive.py. */
  readonly hosts: string;
  readonly run: (step: Step) => Promise<void>;
}

/** One at a time in this process; two processes may make it twice, which only costs time. */
const making = new Map<string, Promise<string | undefined>>();

/** @returns the archive's path; undefined when it can't be made: runs then only start more slowly */
export function classArchive(options: ClassArchiveOptions): Promise<string | undefined> {
  const file = join(options.folder, `spark-java-${options.javaVersion.replaceAll(/[^\w.]/g, "-")}.jsa`);
  const made = making.get(file) ?? (isThere(file) ? Promise.resolve(file) : make(file, options));
  making.set(file, made);
  return made;
}

async function make(file: string, { python, hosts, run }: ClassArchiveOptions): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "class-archive-"));
  // A name of its own, since a half-written archive must not be found.
  const unfinished = `${file}.${process.pid}`;
  try {
    const script = join(hosts, "class_archive.py");
    await run({ command: python, args: [script, unfinished, folder], what: "archiving Spark's classes" });
    renameSync(unfinished, file);
    return file;
  } catch (error) {
    process.stderr.write(`Glue jobs start more slowly than they could: ${messageOf(error)}\n`);
    rmSync(unfinished, { force: true });
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined;
