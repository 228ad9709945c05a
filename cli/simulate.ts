/** Runs histories of the whole data path in virtual time: one by its seed, or as many as asked. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { describePlan, describeViolations } from "../simulation/describe";
import type { Explored, Found } from "../simulation/explore";
import { runHistory } from "../simulation/history";
import { loadProduct, stopLoading } from "../simulation/load-product";
import { MUTATION_SEEDS, mutationTable, withTable } from "../simulation/mutation-table";
import { MUTATIONS } from "../simulation/mutations";
import { inThreads } from "../simulation/parallel";
import { planOf } from "../simulation/plan";
import { type Prepared, prepare } from "../simulation/prepared";
import { shrink } from "../simulation/shrink";
import type { Task } from "../simulation/worker";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { Progress } from "./terminal";

const COMMAND: CommandLine = {
  usage: "npm run simulate -- [--seed N [--trace] | --seeds COUNT [--from N] | --mutations] [options]",
  about:
    "Runs the real handlers over simulated services, with faults, and checks that nothing is lost and nothing counts twice. docs/simulation.md explains it.",
  options: {
    seed: { type: "string", value: "N", help: "Runs the history of this seed. If it fails, it is made smaller and printed." },
    trace: { type: "boolean", help: "With --seed: prints everything that happens." },
    seeds: { type: "string", value: "COUNT", help: "Runs that many histories.", default: "2000" },
    from: { type: "string", value: "N", help: "The first of them.", default: "1" },
    threads: { type: "string", value: "N", help: "Threads that run them. Default: one a core." },
    mutations: { type: "boolean", help: "Looks for each seeded bug, and renews the table in docs/simulation.md." },
    json: { type: "boolean", help: "Prints the result as JSON." },
  },
  examples: ["npm run simulate -- --seed 71 --trace", "npm run simulate -- --seeds 20000", "npm run simulate -- --mutations"],
};

const SEEDS_PER_TASK = 25;
const DOCS = "docs/simulation.md";

export async function main(argv?: readonly string[]): Promise<number> {
  const options = parseCommandLine(COMMAND, argv);
  const root = process.cwd();
  const json = options.flag("json");
  const threads = count(options.text("threads") ?? String(availableParallelism()), "threads");
  if (options.flag("mutations")) return mutations(root, threads, json);
  const seed = options.text("seed");
  if (seed !== undefined) return one(root, count(seed, "seed"), options.flag("trace"), json);
  return many(root, count(options.text("from") ?? "", "from"), count(options.text("seeds") ?? "", "seeds"), threads, json);
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name}: expected a whole number from 1, got "${text}".`);
  return value;
}

const print = (text: string): boolean => process.stdout.write(`${text}\n`);

async function prepared(root: string): Promise<Prepared> {
  const product = await loadProduct(root);
  stopLoading();
  return prepare(product);
}

async function one(root: string, seed: number, trace: boolean, json: boolean): Promise<number> {
  const product = await prepared(root);
  const plan = planOf(seed);
  const outcome = await runHistory(plan, product, trace ? (actor, event) => print(`${actor} ${event}`) : undefined);
  const { accepted, redriven, violations } = outcome;
  if (json) print(JSON.stringify({ seed, accepted, redriven, violations }));
  else {
    const { records, scores, labels } = accepted;
    print(
      `seed ${seed}: ${records} records, ${scores} scores, ${labels} labels; ${redriven} redriven; ${violations.length} violations`,
    );
    if (violations.length > 0) await explain(seed, product);
  }
  return violations.length === 0 ? 0 : 1;
}

/** Prints the smallest plan that still fails in the same way. */
async function explain(seed: number, product: Prepared): Promise<void> {
  const smaller = await shrink(planOf(seed), product);
  if (smaller === undefined) return;
  print(`\nThe smallest history that still fails, after ${smaller.histories} tries:\n${describePlan(smaller.plan)}`);
  print(
    `\n${describeViolations(smaller.violations)}\n\nnpm run simulate -- --seed ${seed} --trace prints everything that happens.`,
  );
}

async function many(root: string, first: number, seeds: number, threads: number, json: boolean): Promise<number> {
  const startedAt = Date.now();
  const tasks: Task[] = [];
  for (let done = 0; done < seeds; done += SEEDS_PER_TASK)
    tasks.push({ kind: "explore", first: first + done, count: Math.min(SEEDS_PER_TASK, seeds - done) });
  const progress = new Progress("histories", seeds);
  let [histories, bad] = [0, 0];
  const results = await inThreads<Explored>(root, threads, tasks, (result) => {
    histories += result.histories;
    bad += result.failed.length;
    progress.update(histories, `${bad} failed`);
  });
  progress.end();
  const failed = results.flatMap((result) => result.failed);
  const records = results.reduce((sum, result) => sum + result.records, 0);
  const redriven = results.reduce((sum, result) => sum + result.redriven, 0);
  const seconds = (Date.now() - startedAt) / 1000;
  if (json) print(JSON.stringify({ histories, records, redriven, seconds, failed }));
  else {
    print(
      `${histories} histories with ${records} records, ${redriven} of them redriven, in ${seconds.toFixed(0)} s: ${failed.length} failed`,
    );
    for (const { seed, violations } of failed) print(`seed ${seed}:\n${describeViolations(violations)}`);
    if (failed[0] !== undefined) await explain(failed[0].seed, await prepared(root));
  }
  return failed.length === 0 ? 0 : 1;
}

async function mutations(root: string, threads: number, json: boolean): Promise<number> {
  const tasks = MUTATIONS.map((_, mutation): Task => ({ kind: "hunt", mutation, first: 1, count: MUTATION_SEEDS }));
  const progress = new Progress("seeded bugs", tasks.length);
  let done = 0;
  const found = await inThreads<Found>(root, threads, tasks, ({ mutation }) => progress.update(++done, mutation.name));
  progress.end();
  if (json) print(JSON.stringify(found.map(({ mutation, ...rest }) => ({ name: mutation.name, ...rest }))));
  else print(mutationTable(found));
  writeFileSync(DOCS, withTable(readFileSync(DOCS, "utf8"), found));
  return found.every(({ seed }) => seed !== undefined) ? 0 : 1;
}

if (require.main === module) runCommand(() => main());
