/**
 * Bundles every function of `functions/entries/*.ts` into `bundles/<entry>/index.js`: one minified CommonJS file without
 * any dependency, so an archive holds the callback and its bundle and nothing else.
 *
 * Runs synchronously while the Pulumi program is evaluated, so `pulumi up` never ships stale code, and once a process.
 * The same sources give the same bytes: the working folder is not part of the output, and only changed files are written.
 * By hand: `node dist/tools/bundle.js`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { buildSync, stop } from "esbuild";
import { buildValidators } from "./validators";

/** Entry name (`rest-scoring`) → path of its bundle relative to the project's root (`./bundles/rest-scoring/index.js`). */
export type FunctionBundles = Readonly<Record<string, string>>;

const ENTRIES = "functions/entries";
const BUNDLES = "bundles";

let built: { readonly root: string; readonly bundles: FunctionBundles } | undefined;

/**
 * Builds validators and bundles.
 * @param root folder of package.json; the program, its tests and its tools all run there
 * @returns the bundle of every entry
 * Errors: when `root` is not the project's, and esbuild's own messages with file and line when a source does not compile.
 */
export function buildFunctions(root: string = process.cwd()): FunctionBundles {
  if (built?.root === root) return built.bundles;
  if (!existsSync(join(root, "package.json")) || !existsSync(join(root, ENTRIES))) {
    throw new Error(
      `Functions are bundled from the project's root (the folder with package.json and ${ENTRIES}/), but the current folder is ${root}. Change to the root and run the command again.`,
    );
  }
  buildValidators(join(root, BUNDLES, "validators.js"));
  const names = entryNames(root);
  const result = buildSync({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, `./${ENTRIES}/${name}.ts`])),
    outdir: BUNDLES,
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    minify: true,
    // A stack trace quotes the line it happened in: with one line a bundle that is the whole bundle.
    lineLimit: 160,
    legalComments: "none",
    // ASCII keeps the file one byte a character in V8, which compiles faster.
    charset: "ascii",
    // `import("node:http")` in the SDK makes Node load all that the module offers as an ES module, its fetch client (10 ms) included;
    // as `require` it loads what is used.
    supported: { "dynamic-import": false },
    treeShaking: true,
    // The SDK's ES modules shake down to the commands in use; its CommonJS files do not.
    mainFields: ["module", "main"],
    conditions: ["module"],
    alias: {
      "@aws-sdk/credential-provider-node": "./functions/shared/env-credentials.ts",
      "@smithy/credential-provider-imds": "./functions/shared/env-credentials.ts",
    },
    loader: { ".sql": "text" },
    logLevel: "silent",
  });
  // esbuild keeps a process for the next build, which would outlive a platform that is stopped.
  void stop();
  for (const file of result.outputFiles) writeIfChanged(file.path, file.text);
  const bundles = Object.fromEntries(names.map((name) => [name, `./${BUNDLES}/${name}/index.js`]));
  built = { root, bundles };
  return bundles;
}

function entryNames(root: string): string[] {
  return readdirSync(join(root, ENTRIES))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => basename(file, ".ts"))
    .sort();
}

function writeIfChanged(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Prints each bundle and its size (nothing with `--quiet`): the command-line face of {@link buildFunctions}. */
export function main(print: (line: string) => void = console.log): void {
  const bundles = buildFunctions();
  for (const [name, path] of Object.entries(bundles)) {
    const kilobytes = Math.round(readFileSync(path).length / 1024);
    print(`${name.padEnd(24)} ${relative(".", path)}  ${kilobytes} KB`);
  }
}

if (typeof require !== "undefined" && typeof module !== "undefined" && require.main === module) {
  main(process.argv.includes("--quiet") ? () => undefined : console.log);
}
