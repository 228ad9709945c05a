/** The pipelines' Python as it is uploaded: Glue's scripts one by one, SageMaker's folder as one archive. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createTar } from "nanotar";

/** A file as an object of the pipelines' bucket. */
export interface SourceFile {
  /** Logical name, unique in the store. */
  readonly id: string;
  readonly key: string;
  /** Path relative to the project's root. */
  readonly file: string;
}

const GLUE = "jobs/glue";
const SAGEMAKER = "jobs/sagemaker";
/** Folder for files made at evaluation; not under version control. */
const BUILT = join("bundles", "pipelines");

/** Every Python file of `jobs/glue/`. The jobs' own scripts are found by name; the others are modules that they import. */
export function glueSources(root: string): SourceFile[] {
  return pythonFiles(root, GLUE).map((name) => ({
    id: `glue-${name.replace(/\.py$/, "").replaceAll("_", "-")}`,
    key: `code/glue/${name}`,
    file: join(GLUE, name),
  }));
}

/**
 * `jobs/sagemaker/*.py` as the archive that the container unpacks. Equal files give an equal archive with an equal key: it has no times
 * and no owners, and is sorted by name.
 */
export function sagemakerSources(root: string): SourceFile {
  const files = pythonFiles(root, SAGEMAKER).map((name) => ({
    name,
    data: new Uint8Array(readFileSync(join(root, SAGEMAKER, name))),
    attrs: { mode: "644", uid: 0, gid: 0, mtime: 0 },
  }));
  const tar = createTar(files);
  const hash = createHash("sha256").update(tar).digest("hex").slice(0, 16);
  const name = `sourcedir-${hash}.tar.gz`;
  const file = join(BUILT, name);
  if (!existsSync(join(root, file))) {
    mkdirSync(join(root, BUILT), { recursive: true });
    writeFileSync(join(root, file), gzipSync(tar, { level: 9 }));
  }
  return { id: "sagemaker-sources", key: `code/sagemaker/${name}`, file };
}

/**
 * A document as a file named by the hash of its content, so that it is uploaded when it changes.
 * @param name of the document, `fraud`
 */
export function documentSource(root: string, folder: string, name: string, document: unknown): SourceFile {
  const text = `${JSON.stringify(document, null, 2)}\n`;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const file = join(BUILT, `${name}-${hash}.json`);
  if (!existsSync(join(root, file))) {
    mkdirSync(join(root, BUILT), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return { id: `dataset-${name}`, key: `${folder}${name}.json`, file };
}

function pythonFiles(root: string, folder: string): string[] {
  const path = join(root, folder);
  const files = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(".py")) : [];
  if (files.length === 0) throw new Error(`${folder}/: expected Python files, found none in ${path}. Restore the folder.`);
  return files.sort();
}
