/**
 * `npm run coverage:local`: how many lines of the local runtime the demo and the end-to-end tests (including the pipelines) execute. Lines
 * that they never reach serve only their own unit tests. Exit status 1 below the minimum.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mergeProcessCovs } from "@bcoe/v8-coverage";
import { type CommandLine, parseCommandLine, runCommand } from "./options";

/** The compiled packages of the local runtime. */
const FOLDERS = [
  "packages/program-graph/dist",
  "packages/local-aws/dist/engine",
  "packages/local-aws/dist/provider",
  "packages/local-aws/dist/endpoint",
  "packages/local-aws/dist/services",
  "packages/local-aws/dist/permissions",
  "packages/local-aws/dist/lambda",
  "packages/local-warehouse/dist",
];
/** Percent of all lines of these folders. */
const MINIMUM = 85;
const RECORDED = resolve(".local", "coverage");
/** Runs in processes that are ended with SIGKILL, as on Lambda, so V8 can't write what they executed. */
const UNRECORDED = ["packages/local-aws/dist/lambda/bootstrap.js"];

const command: CommandLine = {
  usage: "npm run coverage:local -- [options]",
  about: `Runs the demo and the end-to-end tests, and prints for each file of the local runtime how many of its lines they executed, lowest\nshare first. Fails if they executed less than ${MINIMUM} % of all lines.`,
  options: {
    report: { type: "boolean", help: "Reports what the last run recorded, without running anything." },
    json: { type: "boolean", help: "Prints JSON: totals, folders, and files with their unexecuted functions." },
  },
  examples: ["npm run coverage:local", "npm run coverage:local -- --report --json"],
};

interface Lines {
  readonly lines: number;
  readonly executed: number;
}

interface FileReport extends Lines {
  /** Relative to the root of the project. */
  readonly file: string;
  readonly folder: string;
  /** `name:line` of each function that nothing called. */
  readonly unexecuted: readonly string[];
}

/** Runs the demo and the end-to-end tests with V8's coverage on. @throws Error if one of them fails */
async function record(): Promise<void> {
  rmSync(RECORDED, { recursive: true, force: true });
  mkdirSync(RECORDED, { recursive: true });
  // Inherited by every process that is started from here.
  process.env.NODE_V8_COVERAGE = RECORDED;
  const quiet = ["--disable-warning=ExperimentalWarning", "--disable-warning=DeprecationWarning"];
  // Standard output is for the report.
  const { status } = spawnSync(process.execPath, [...quiet, resolve("dist/cli/demo.js")], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("The demo failed; to see why, run npm run demo.");
  const { startVitest } = await import("vitest/node");
  const vitest = await startVitest("test", ["tests/e2e"], { run: true, reporters: ["default"] }, undefined, {
    stdout: process.stderr,
  });
  await vitest.close();
  const failed = vitest.state.getCountOfFailedTests();
  if (failed > 0) throw new Error(`${failed} end-to-end tests failed, so their coverage is missing. --report shows the rest.`);
}

/** Coverage of the runtime's files by URL, merged over all recorded processes. */
function executed(): ReadonlyMap<string, Profiler.ScriptCoverage> {
  const processes = readdirSync(RECORDED)
    .filter((name) => name.endsWith(".json"))
    .map((name) => {
      const { result } = JSON.parse(readFileSync(join(RECORDED, name), "utf8")) as { result: Profiler.ScriptCoverage[] };
      return { result: result.filter(({ url }) => url.startsWith("file:") && folderOf(fileURLToPath(url)) !== undefined) };
    });
  return new Map(mergeProcessCovs(processes).result.map((script) => [script.url, script]));
}

function folderOf(script: string): string | undefined {
  return FOLDERS.find((folder) => script.startsWith(resolve(folder) + sep));
}

function scripts(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js"))
      .map((name) => resolve(folder, name)),
  ).filter((script) => !UNRECORDED.includes(relative(".", script)));
}

async function fileReport(script: string, coverage: Profiler.ScriptCoverage | undefined): Promise<FileReport> {
  const { default: convert } = await import("ast-v8-to-istanbul");
  const { createCoverageMap } = await import("@vitest/istanbul-lib-coverage");
  const { parseAst } = await import("vitest/node");
  const code = readFileSync(script, "utf8");
  const url = pathToFileURL(script).href;
  const never = {
    functionName: "",
    isBlockCoverage: true,
    ranges: [{ startOffset: 0, endOffset: code.length, count: 0 }],
  };
  const map = createCoverageMap(
    await convert({
      code,
      ast: parseAst(code),
      coverage: coverage ?? { url, functions: [never] },
      sourceMap: JSON.parse(readFileSync(`${script}.map`, "utf8")),
    }),
  );
  const hits = map.files().flatMap((file) => Object.values(map.fileCoverageFor(file).getLineCoverage()));
  const unexecuted = map.files().flatMap((file) => {
    const { f, fnMap } = map.fileCoverageFor(file);
    return Object.entries(fnMap).flatMap(([id, { name, line }]) => (f[id] === 0 ? [`${name}:${line}`] : []));
  });
  return {
    file: relative(".", script).replace("/dist/", "/src/").replace(/\.js$/, ".ts"),
    folder: folderOf(script) ?? "",
    lines: hits.length,
    executed: hits.filter((count) => count > 0).length,
    unexecuted,
  };
}

function sum(parts: readonly Lines[]): Lines {
  const total = (pick: (part: Lines) => number) => parts.reduce((all, part) => all + pick(part), 0);
  return { lines: total((part) => part.lines), executed: total((part) => part.executed) };
}

function percent({ lines, executed: hit }: Lines): number {
  return lines === 0 ? 100 : (100 * hit) / lines;
}

function line(name: string, counts: Lines): string {
  const figures = `${percent(counts).toFixed(1).padStart(5)} %  ${String(counts.executed).padStart(6)} of ${String(counts.lines).padStart(6)}`;
  return `${figures}  ${name}\n`;
}

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  if (!options.flag("report")) await record();
  const recorded = executed();
  const files = await Promise.all(scripts().map((script) => fileReport(script, recorded.get(pathToFileURL(script).href))));
  files.sort((a, b) => percent(a) - percent(b) || a.file.localeCompare(b.file));
  const folders = FOLDERS.map((folder) => ({ folder, ...sum(files.filter((file) => file.folder === folder)) }));
  const total = sum(files);
  if (options.flag("json")) process.stdout.write(`${JSON.stringify({ total, folders, files }, null, 2)}\n`);
  else {
    for (const file of files.filter(({ lines }) => lines > 0)) process.stdout.write(line(file.file, file));
    process.stdout.write("\n");
    for (const folder of folders) process.stdout.write(line(folder.folder, folder));
    process.stdout.write(line("all", total));
  }
  if (percent(total) >= MINIMUM) return 0;
  process.stderr.write(
    `The demo and the end-to-end tests execute ${percent(total).toFixed(1)} % of the local runtime's lines, less than ${MINIMUM} %. ` +
      "Delete what nobody needs, or use it in an end-to-end test.\n",
  );
  return 1;
}

runCommand(main);
