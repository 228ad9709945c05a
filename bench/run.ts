/**
 * `npm run bench [-- NAME…]`: runs every benchmark whose id contains one of the names (without names: all), prints a table and
 * writes bench/results.json: `[{id, unit, better, ours, peers, note, requirements?}]`. Benchmarks that don't run keep their entries.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { paint, table } from "../cli/terminal";
import { type CheckedRequirement, check, verdict } from "./requirements";
import type { Bench, BenchResult } from "./types";

/** One entry of bench/results.json. */
type Row = Pick<Bench, "id" | "unit" | "better"> & BenchResult & { readonly requirements?: readonly CheckedRequirement[] };

const here = join(process.cwd(), "bench");
const compiled = __dirname;

/** Peers are only compared with, never shipped; they are installed on first use. */
function installPeers(): void {
  const folder = join(here, "peers");
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  if (Object.keys(dependencies).every((name) => existsSync(join(folder, "node_modules", name)))) return;
  process.stderr.write("Installing the libraries to compare with (once) …\n");
  // Without install scripts: what they would download (CUDA libraries) isn't measured.
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  execFileSync("npm", ["install", ...options], { cwd: folder, stdio: "inherit" });
}

function discover(): Bench[] {
  const notBenches = new Set(["run.js", "types.js", "requirements.js"]);
  const files = readdirSync(compiled).filter((file) => file.endsWith(".js") && !notBenches.has(file));
  return files.sort().flatMap((file) => {
    const loaded: { bench?: Bench; benches?: readonly Bench[] } = require(join(compiled, file));
    return [...(loaded.bench ? [loaded.bench] : []), ...(loaded.benches ?? [])];
  });
}

const format = (value: number) =>
  value >= 1000 ? Math.round(value).toLocaleString("en-US") : value >= 10 ? value.toFixed(1) : value.toPrecision(3);

/** How many times better ours is than a peer; above 1 we win, whether more or less is better. */
const advantage = (result: Row, peer: number) => (result.better === "higher" ? result.ours / peer : peer / result.ours);

async function main(): Promise<number> {
  const names = process.argv.slice(2);
  if (names.includes("--help")) {
    process.stdout.write(
      `Usage: npm run bench [-- NAME…]\n\nRuns the benchmarks whose id contains a NAME; all without one.\nIds: ${discover()
        .map((b) => b.id)
        .join(", ")}\n`,
    );
    return 0;
  }
  installPeers();
  const chosen = discover().filter(({ id }) => names.length === 0 || names.some((name) => id.includes(name)));
  if (chosen.length === 0) {
    process.stderr.write(
      `No benchmark has ${names.join(" or ")} in its id. Benchmarks: ${discover()
        .map((b) => b.id)
        .join(", ")}\n`,
    );
    return 2;
  }
  const results: Row[] = [];
  for (const bench of chosen) {
    process.stderr.write(`${bench.id} …\n`);
    const measured = await bench.run();
    const { id, unit, better, requirements } = bench;
    const checked = requirements?.map((requirement) => check(requirement, bench, measured));
    results.push({ id, unit, better, ...measured, ...(checked === undefined ? {} : { requirements: checked }) });
  }
  const rows = results.flatMap((result) => {
    const peers = Object.entries(result.peers).map(([peer, value]) => [
      peer,
      format(value),
      `${advantage(result, value).toFixed(1)}×`,
    ]);
    const own = [result.id, format(result.ours), result.unit];
    return peers.length === 0
      ? [[...own, "–", "", ""]]
      : peers.map((peer, index) => [...(index === 0 ? own : ["", "", ""]), ...peer]);
  });
  process.stdout.write(`\n${table(["benchmark", "ours", "unit", "peer", "its", "ours ahead"], rows)}\n\n`);
  for (const { id, note } of results) process.stdout.write(`  ${paint("bold", id)}: ${note}\n`);
  const checked = results.flatMap(({ id, requirements = [] }) =>
    requirements.map((one) => [id, one.required, one.measured, verdict(one)]),
  );
  if (checked.length > 0) process.stdout.write(`\n${table(["benchmark", "required", "measured", ""], checked)}\n`);
  const file = join(here, "results.json");
  const earlier: Row[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const known = discover().map(({ id }) => id);
  // Benchmarks that did not run this time keep their results.
  const kept = earlier.filter(({ id }) => known.includes(id) && !results.some((result) => result.id === id));
  const all = [...kept, ...results].sort((a, b) => known.indexOf(a.id) - known.indexOf(b.id));
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  process.stdout.write(`\nWritten to bench/results.json\n`);
  return 0;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  },
);
