/** `npm run demo`: starts the platform on this machine, sends it traffic, and compares all counts at the end. */
import { mkdirSync, rmSync } from "node:fs";
import { relative, resolve } from "node:path";
import { balance, settleStream } from "./demo/check";
import { connect } from "./demo/clients";
import { churnExample, modelsTable, switchModels } from "./demo/models";
import {
  alarmStates,
  bands,
  booksTable,
  nextSteps,
  quarantineReasons,
  routes,
  throughput,
  topUsers,
  whereThingsLie,
} from "./demo/report";
import { sendRest, sendStream } from "./demo/send";
import { restTraffic, streamTraffic } from "./demo/traffic";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { type Running, start, stop } from "./running";
import { Progress, paint } from "./terminal";

const command: CommandLine = {
  usage: "npm run demo -- [options]",
  about: [
    "Starts the platform of the dev stack on free ports and sends it generated leads, churn requests and transactions, including",
    "fraud patterns, duplicates, and malformed and hostile records. Waits until everything is processed and shows the results.",
    "The exit status is 0 only if every count adds up.",
  ].join("\n"),
  options: {
    stack: { type: "string", value: "NAME", help: "Stack to run.", default: "dev" },
    transactions: { type: "string", value: "N", help: "Number of stream records to send.", default: "3000" },
    seed: { type: "string", value: "N", help: "Seed of the traffic; the same seed gives the same traffic.", default: "42" },
    verbose: { type: "boolean", help: "Prints what the runtime does, call by call." },
  },
  examples: ["npm run demo", "npm run demo -- --transactions 20000 --seed 7"],
};

function wholeNumber(text: string | undefined, name: string, low: number, high: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new UsageError(`--${name}: expected a whole number from ${low} to ${high}, got "${text}".`);
  }
  return value;
}

const heading = (text: string) => process.stdout.write(`\n${paint("bold", text)}\n`);
const step = (number: number, text: string) => process.stdout.write(`${paint("cyan", `[${number}/6]`)} ${text}\n`);

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const stack = options.text("stack") ?? "dev";
  const count = wholeNumber(options.text("transactions"), "transactions", 100, 1_000_000);
  const seed = wholeNumber(options.text("seed"), "seed", 0, 2 ** 32 - 1);
  const dataDir = resolve(".local", "demo");
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true });

  const startedAt = performance.now();
  const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  step(1, `starting stack ${stack} on this machine …`);
  const log = (line: string) => {
    if (options.flag("verbose")) process.stderr.write(`${line}\n`);
  };
  // The demo has its own outputs file, so that scripts still find the platform that npm start runs.
  // Tables aren't held to their units, which would take minutes; the report says how long AWS would have taken.
  const running = await start({ stack, port: 0, inMemory: false, dataDir, log, metering: "observed" }, dataDir);
  const interrupt = () => {
    void stop(running).then(() => process.exit(130));
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    process.stdout.write(`      running after ${elapsed()}: ${running.platform.graph.resources.length} resources\n`);
    return await exercise(running, { count, seed, dataDir, elapsed });
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    await stop(running);
  }
}

async function exercise(
  { outputs, platform }: Running,
  options: { count: number; seed: number; dataDir: string; elapsed: () => string },
): Promise<number> {
  const clients = await connect(outputs);
  try {
    const stream = streamTraffic({ seed: options.seed, count: options.count, now: Date.now() });
    const calls = restTraffic({ seed: options.seed, leads: 240, churn: 80 });
    step(2, `sending ${stream.records.length} transactions to Kinesis and ${calls.length} requests to the REST API …`);
    const streamBar = new Progress("stream", stream.records.length);
    const delivered = await sendStream(clients, outputs, stream.records, (sent) => streamBar.update(sent));
    streamBar.end();
    const restBar = new Progress("REST", calls.length);
    const rest = await sendRest(outputs, calls, (done) => restBar.update(done));
    restBar.end();

    step(3, "waiting until every record is scored or in quarantine …");
    const scoredBar = new Progress("scored", stream.scored + stream.quarantined);
    await settleStream(clients, outputs, stream, (sum) => scoredBar.update(sum));
    scoredBar.end();

    step(4, "promoting the challenger while the stream function runs, then rolling back …");
    const show = await switchModels(clients, outputs);

    step(5, "loading the archive into the warehouse …");
    const loadBar = new Progress("loaded", stream.scored + show.sent + rest.scored + stream.quarantined);
    const sent = { stream, delivered, rest, probes: show.sent };
    const books = await balance(clients, outputs, sent, (loaded) => loadBar.update(loaded));
    loadBar.end();
    step(6, `comparing the counts after ${options.elapsed()}`);

    heading("Top risky users");
    process.stdout.write(`${await topUsers(clients)}\n`);
    heading("Scores by band");
    process.stdout.write(`${await bands(clients)}\n`);
    heading("Models");
    process.stdout.write(`${await modelsTable(clients)}\n\n${show.lines.join("\n")}\n`);
    heading("The customer most likely to leave, and why");
    process.stdout.write(`${await churnExample(clients)}\n`);
    heading("Routes");
    const logGroup = platform.outputs.highScoresLogGroup;
    process.stdout.write(`${await routes(clients, String(logGroup), relative(process.cwd(), options.dataDir))}\n`);
    heading("Throughput");
    process.stdout.write(`${throughput(platform.services.dynamodb.meter.usage())}\n`);
    heading("Alarms");
    process.stdout.write(`${await alarmStates(clients)}\n`);
    heading("Quarantine");
    process.stdout.write(`${quarantineReasons(books)}\n`);
    heading("The books");
    process.stdout.write(`${booksTable(books)}\n`);
    for (const surprise of rest.surprises.slice(0, 5)) process.stdout.write(`  ${paint("red", surprise)}\n`);
    heading("Where everything is stored");
    process.stdout.write(`${whereThingsLie(outputs, relative(process.cwd(), options.dataDir))}\n`);
    heading("Try next");
    process.stdout.write(`${nextSteps}\n\n`);
    const verdict = books.balanced
      ? paint("green", "Every count adds up.")
      : paint("red", "The counts do not add up: see ✗ above.");
    process.stdout.write(`${verdict} (${options.elapsed()})\n`);
    return books.balanced ? 0 : 1;
  } finally {
    await clients.close();
  }
}

runCommand(main);
