/** Decides by content whether the bundles of the last build are still what a build would produce now. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version as esbuildVersion } from "esbuild";

interface Stamp {
  /** Files that esbuild has read, relative to the root. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** SHA-256 over recipe, inputs and outputs. */
  readonly sha256: string;
}

/** Every file in these folders counts, whether it was read or not: a new file may be found before one that was read. */
const SOURCE_FOLDERS = ["functions", "packages/tree-kernel/src", "schemas", "sql"];
/** Files that decide on packages and module resolution; a missing one counts as missing. */
const SETTINGS = ["package.json", "tsconfig.json", "package-lock.json", "node_modules/.package-lock.json"];
/** The code that makes the bundles, as source and compiled: a change of either repeats the build. */
const BUILDERS = ["bundle", "bundle-stamp", "validators"].flatMap((name) => [`build/${name}.ts`, `dist/build/${name}.js`]);

/** Whether nothing has changed since `stamp` (absolute path) was recorded: no input, no output, and not the recipe (esbuild's options). */
export function isCurrent(root: string, stamp: string, recipe: string): boolean {
  const recorded = readStamp(stamp);
  return recorded !== undefined && recorded.sha256 === digest(root, recipe, recorded);
}

/** Records a finished build. Paths are relative to `root`. */
export function recordBuild(root: string, stamp: string, recipe: string, files: Pick<Stamp, "inputs" | "outputs">): void {
  const partial = `${stamp}.${process.pid}.tmp`;
  writeFileSync(partial, `${JSON.stringify({ ...files, sha256: digest(root, recipe, files) } satisfies Stamp)}\n`);
  renameSync(partial, stamp);
}

/** A stamp that is absent, incomplete or malformed counts as none, so the build is repeated. */
function readStamp(path: string): Stamp | undefined {
  try {
    const { inputs, outputs, sha256 }: Partial<Stamp> = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(inputs) && Array.isArray(outputs) && typeof sha256 === "string"
      ? { inputs, outputs, sha256 }
      : undefined;
  } catch {
    return undefined;
  }
}

function digest(root: string, recipe: string, { inputs, outputs }: Pick<Stamp, "inputs" | "outputs">): string {
  const hash = createHash("sha256").update(`${esbuildVersion}\0${recipe}\0`);
  const sources = SOURCE_FOLDERS.flatMap((folder) => filesIn(root, folder));
  for (const path of [...new Set([...sources, ...SETTINGS, ...BUILDERS, ...inputs, ...outputs])].sort()) {
    const content = contentOf(join(root, path));
    hash.update(`${path}\0${content?.length ?? "absent"}\0`).update(content ?? "");
  }
  return hash.digest("hex");
}

function filesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
