/**
 * Bundles every function of `functions/entries/*.ts` into `bundles/<entry>/index.js`: one minified CommonJS file without dependencies,
 * so that an archive contains only the callback and its bundle.
 *
 * Runs synchronously while the Pulumi program is evaluated, once per process, so that `pulumi up` never ships old code. A build is skipped
 * when inputs and outputs are those of the last build (by content: sources, packages, this recipe). The same sources give the same bytes:
 * the working folder does not appear in the output, and only changed files are written.
 * To run it alone: `node dist/build/bundle.js`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { type BuildOptions, buildSync, stop } from "esbuild";
import { isCurrent, recordBuild } from "./bundle-stamp";
import { buildValidators } from "./validators";

/** Entry of `functions/entries/` (`rest-scoring`) → path of its bundle, relative to the project's root. */
export type FunctionBundles = Readonly<Record<string, string>>;

const ENTRIES = "functions/entries";
const BUNDLES = "bundles";

const OPTIONS = {
  bundle: true,
  write: false,
  metafile: true,
  platform: "node",
  format: "cjs",
  target: "node24",
  minify: true,
  // A stack trace quotes the line of the error: in a bundle with a single line that would be the whole bundle.
  lineLimit: 160,
  legalComments: "none",
  // With ASCII only, V8 keeps the file at one byte per character, and compiles it faster.
  charset: "ascii",
  // `import("node:http")` in the SDK makes Node load everything that the module offers as an ES module, including its fetch client
  // (10 ms); with `require` only what is used is loaded.
  supported: { "dynamic-import": false },
  treeShaking: true,
  logLevel: "silent",
  // The SDK's ES modules can be tree-shaken down to the commands in use; its CommonJS files can't.
  mainFields: ["module", "main"],
  // Packages of this repository are bundled from source, so they needn't be built first.
  conditions: ["source", "module"],
  alias: {
    // Bundled as ES modules, so that an entry only contains the validators that it names.
    "#validators": `./${BUNDLES}/validators/index.mjs`,
    // A whole module that no function runs. If the SDK imports a name that the stand-in doesn't have, bundling fails.
    "@smithy/core/event-streams": "./functions/shared/no-event-streams.ts",
  },
  // Other sources of credentials, which the SDK only loads when it is given none: our clients take the role's from the environment.
  external: [
    "@aws-sdk/credential-provider-http",
    "@aws-sdk/credential-provider-ini",
    "@aws-sdk/credential-provider-process",
    "@aws-sdk/credential-provider-sso",
    "@aws-sdk/credential-provider-web-identity",
    "@smithy/credential-provider-imds",
  ],
  loader: { ".sql": "text" },
} as const satisfies BuildOptions;

const RECIPE = JSON.stringify(OPTIONS);

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
  const names = entryNames(root);
  const bundles = Object.fromEntries(names.map((name) => [name, `./${BUNDLES}/${name}/index.js`]));
  const stamp = join(root, BUNDLES, "build.json");
  if (!isCurrent(root, stamp, RECIPE)) {
    const validators = buildValidators(join(root, BUNDLES, "validators.js"));
    const inputs = bundle(root, names);
    recordBuild(root, stamp, RECIPE, { inputs, outputs: [relative(root, validators), ...Object.values(bundles)] });
  }
  built = { root, bundles };
  return bundles;
}

/** Writes the bundles and returns the files that they are made of, relative to `root`. */
function bundle(root: string, names: readonly string[]): readonly string[] {
  try {
    const { outputFiles, metafile } = buildSync({
      ...OPTIONS,
      absWorkingDir: root,
      entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, `./${ENTRIES}/${name}.ts`])),
      outdir: BUNDLES,
    });
    for (const { path, text } of outputFiles) writeIfChanged(path, text);
    return Object.keys(metafile.inputs);
  } finally {
    // esbuild keeps a process for the next build, which would outlive a stopped platform.
    void stop();
  }
}

function entryNames(root: string): string[] {
  return readdirSync(join(root, ENTRIES))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => basename(file, ".ts"))
    .sort();
}

/** Replaces the file in one step, since another process may be reading it. */
function writeIfChanged(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.tmp`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}

/** Command line of {@link buildFunctions}: prints each bundle and its size (nothing with `--quiet`). */
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
