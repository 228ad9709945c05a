/** Starting, stopping and restarting; the commands as separate processes. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { query, runLoader } from "../../cli/demo/tally";
import type { Outputs } from "../../cli/outputs";
import {
  connection,
  lines,
  linkProject,
  scan,
  settled,
  startPlatform,
  startWorld,
  transactions,
  until,
  type World,
} from "./support";

interface RunningProcess {
  readonly id: number;
  readonly parent: number;
}

/** All running processes, except zombies (state Z) and ps itself. */
function runningProcesses(): RunningProcess[] {
  const rows = execFileSync("ps", ["-e", "-o", "pid=,ppid=,stat=,comm="], { encoding: "utf8" }).trim().split("\n");
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , state, command]) => !state?.startsWith("Z") && command !== "ps")
    .map(([id, parent]) => ({ id: Number(id), parent: Number(parent) }));
}

/** Process ids of all descendants of a process. */
function descendants(pid: number): number[] {
  const processes = runningProcesses();
  const found = new Set([pid]);
  for (let grown = true; grown; ) {
    const children = processes.filter(({ id, parent }) => found.has(parent) && !found.has(id));
    for (const { id } of children) found.add(id);
    grown = children.length > 0;
  }
  found.delete(pid);
  return [...found].sort();
}

const alive = (pid: number): boolean => runningProcesses().some(({ id }) => id === pid);

/** Whether something accepts connections at a URL's port. */
function listens(url: string): Promise<boolean> {
  const { port } = new URL(url);
  return new Promise((answer) => {
    const socket = dial(Number(port), "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      answer(true);
    });
    socket.once("error", () => answer(false));
  });
}

async function put(world: World, prefix: string, count: number): Promise<void> {
  const Records = transactions(prefix, count).map((body) => ({
    PartitionKey: body.user_id,
    Data: Buffer.from(JSON.stringify(body)),
  }));
  await world.clients.kinesis.send(new PutRecordsCommand({ StreamName: world.names.streamName, Records }));
  await settled(world);
}

describe("a platform", () => {
  it("leaves no process, port or file when it stops", async () => {
    const before = descendants(process.pid);
    const world = await startWorld();
    await put(world, "stop", 5);
    const started = descendants(process.pid).filter((pid) => !before.includes(pid));
    expect(started.length).toBeGreaterThan(1);
    const urls = [world.platform.endpointUrl, world.names.apiUrl, world.platform.warehouseUrl];
    expect(await Promise.all(urls.map(listens))).toEqual([true, true, true]);
    await world.stop();
    await world.platform.stop();
    expect(await Promise.all(urls.map(listens))).toEqual([false, false, false]);
    expect(started.filter(alive)).toEqual([]);
    expect(descendants(process.pid)).toEqual(before);
    expect(existsSync(world.platform.dataDir)).toBe(false);
  });

  it("continues where it was when it starts with a kept folder", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "kept-"));
    const options = { inMemory: false, dataDir };
    const first = await startWorld(options);
    await put(first, "kept", 20);
    await runLoader(first.clients, first.names);
    const ssm = new SSMClient(connection(first));
    await ssm.send(new PutParameterCommand({ Name: "/kept/parameter", Value: "mine", Type: "String" }));
    ssm.destroy();
    const results = await scan(first, first.names.resultsTable);
    const archive = await lines(first, "archive/");
    await first.stop();

    const second = await startWorld(options);
    expect(second.platform.credentials).toEqual(first.platform.credentials);
    expect(second.names.apiKey).toBe(first.names.apiKey);
    expect(await scan(second, second.names.resultsTable)).toEqual(results);
    expect(await lines(second, "archive/")).toEqual(archive);
    const again = new SSMClient(connection(second));
    expect((await again.send(new GetParameterCommand({ Name: "/kept/parameter" }))).Parameter?.Value).toBe("mine");
    again.destroy();
    await settled(second);
    const invocations = await lines(second, "archive/");
    // The stream's position was kept: nothing of the first run was read again.
    expect(invocations).toHaveLength(20);
    await put(second, "later", 10);
    await runLoader(second.clients, second.names);
    const rows = await query<{ n: number }>(second.clients, "select count(*)::int as n from risk.risk_events");
    expect(rows).toEqual([{ n: 30 }]);
    expect(await lines(second, "archive/")).toHaveLength(30);
    // Tokens of the same user are the same after the restart.
    const tokens = new Set((await scan(second, second.names.resultsTable)).map(({ user_id }) => user_id?.S));
    expect(tokens.size).toBe(14);
    await second.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each(["staging", "prod"])("of stack %s starts, and every resource is supported", async (stack) => {
    const world = await startWorld({ stack });
    expect(world.platform.region).toBe(stack === "staging" ? "us-west-2" : "us-east-1");
    expect(world.names.streamName).toContain(`fraud-transactions-${stack}-`);
    await put(world, stack, 8);
    expect(await scan(world, world.names.resultsTable)).toHaveLength(8);
    await world.stop();
  });

  it("reports a port that is in use and leaves nothing behind", async () => {
    const before = descendants(process.pid);
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(startPlatform({ stack: "dev", inMemory: true, port })).rejects.toThrow(String(port));
    await expect(startPlatform({ stack: "dev", inMemory: true, apiPort: port })).rejects.toThrow(String(port));
    await new Promise((done) => server.close(done));
    expect(descendants(process.pid)).toEqual(before);
  });
});

interface Command {
  readonly child: ChildProcess;
  readonly output: { text: string };
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

describe("the commands", () => {
  let folder: string;
  const running: Command[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "project-"));
    linkProject(folder);
    cpSync("Pulumi.dev.yaml", join(folder, "Pulumi.dev.yaml"));
  });
  afterEach(() => {
    for (const { child } of running.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(name: "start" | "ingest", ...args: readonly string[]): Command {
    const child = spawn(process.execPath, [join("dist", "cli", `${name}.js`), ...args], {
      cwd: folder,
      env: { ...process.env, NODE_NO_WARNINGS: "1", NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { text: "" };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output.text += bytes.toString()));
    const ended = new Promise<number | string>((done) =>
      child.once("close", (code, signal) => done(code ?? signal ?? "unknown")),
    );
    const command = { child, output, ended };
    running.push(command);
    return command;
  }

  const outputsPath = () => join(folder, ".local", "outputs.json");
  const readOutputs = (): Outputs => JSON.parse(readFileSync(outputsPath(), "utf8"));

  async function start(...args: readonly string[]): Promise<Command> {
    const command = run("start", "--port", "0", "--in-memory", ...args);
    await until(
      "the platform runs",
      () => {
        if (command.child.exitCode !== null) throw new Error(`start ended: ${command.output.text}`);
        return command.output.text.includes("Ctrl-C stops it.") && existsSync(outputsPath());
      },
      40_000,
    );
    return command;
  }

  it("start writes the outputs, ingest sends a file, SIGTERM ends everything", async () => {
    const command = await start();
    const outputs = readOutputs();
    expect(Object.keys(outputs)).toEqual(
      expect.arrayContaining(
        "apiUrl awsEndpointUrl region accessKeyId secretAccessKey apiKey streamName resultsTable scoresTable dataBucket eventBusName warehouseUrl loaderFunction".split(
          " ",
        ),
      ),
    );
    for (const value of Object.values(outputs)) expect(String(value)).not.toBe("");
    expect(outputs.warehouseUrl).toMatch(/^postgres:\/\//);
    for (const text of [outputs.apiUrl, outputs.awsEndpointUrl, "curl", "psql"])
      await until(`start prints ${text}`, () => command.output.text.includes(text));

    const good = transactions("file", 12).map(
      ({ transaction_id, user_id, amount, timestamp }) => `${transaction_id},${user_id},${amount},${timestamp},x`,
    );
    const csv = [
      "id,card,amount,timestamp,colour",
      ...good,
      "file-bad-1,u,minus,2026-01-01T00:00:00Z,x",
      "file-bad-2,u,,2026-01-01T00:00:00Z,x",
      "file-bad-3,,5,2026-01-01T00:00:00Z,x",
      "file-bad-4,u,5,yesterday,x",
      'file-bad-5,"u,5',
      "",
    ].join("\n");
    writeFileSync(join(folder, "rows.csv"), csv);
    const ingest = run("ingest", "rows.csv", "--profile", "fraud", "--map", "transaction_id=id,user_id=card", "--json");
    expect([await ingest.ended, ingest.output.text]).toEqual([0, expect.stringContaining('"accepted": 12')]);
    const summary = JSON.parse(ingest.output.text.slice(ingest.output.text.indexOf("{")));
    expect(summary).toMatchObject({ rows: 17, accepted: 12, rejected: 5, repeatedIds: 0, outcomes: { scored: 12 } });
    expect(Object.keys(summary.reasons).length).toBeGreaterThanOrEqual(4);

    writeFileSync(join(folder, "empty.csv"), "");
    const empty = run("ingest", "empty.csv");
    expect([await empty.ended, empty.output.text]).toEqual([1, expect.stringContaining("rows read")]);

    const nothing = run("ingest", "rows.csv", "--map", "transaction_id=nowhere");
    expect(await nothing.ended).toBe(2);
    expect(nothing.output.text).toContain("nowhere");

    const pids = [outputs.pid, ...descendants(outputs.pid)];
    expect(pids.length).toBeGreaterThan(2);
    command.child.kill("SIGTERM");
    expect(await command.ended).toBe(0);
    expect(pids.filter(alive)).toEqual([]);
    expect(existsSync(outputsPath())).toBe(false);
    const late = run("ingest", "rows.csv");
    expect(await late.ended).toBe(2);
    expect(late.output.text).toContain("npm start");
  });

  it("SIGINT ends start with status 0 and leaves nothing, even during startup", async () => {
    const command = await start();
    const { pid } = readOutputs();
    const pids = [pid, ...descendants(pid)];
    command.child.kill("SIGINT");
    expect(await command.ended).toBe(0);
    expect(pids.filter(alive)).toEqual([]);

    const early = run("start", "--port", "0", "--in-memory");
    const earlyPid = early.child.pid ?? 0;
    await until("the warehouse is starting", () => descendants(earlyPid).length > 0);
    const children = descendants(earlyPid);
    early.child.kill("SIGINT");
    expect(await early.ended).toBe(0);
    expect(children.filter(alive)).toEqual([]);
  });

  it("start --faults says when faults begin, and at the end what they did", async () => {
    const rules = [{ kind: "error", service: "kinesis", action: "PutRecords", nth: 1 }];
    writeFileSync(join(folder, "faults.json"), JSON.stringify({ description: "one refused put", rules }));
    writeFileSync(join(folder, "one.csv"), `transaction_id,user_id,amount,timestamp\nf-1,u,5,${new Date().toISOString()}\n`);
    const command = await start("--faults", "faults.json", "--seed", "9");
    await until("faults begin", () => command.output.text.includes("(faults.json, seed 9): one refused put."));
    const ingest = run("ingest", "one.csv", "--profile", "fraud");
    expect(await ingest.ended).toBe(0);
    command.child.kill("SIGINT");
    expect(await command.ended).toBe(0);
    expect(command.output.text).toContain("Injected faults (faults.json, seed 9):\n  1 × error kinesis PutRecords\nStopped.");
  });

  it("start names a port that is in use and exits with 1", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const port = String(typeof address === "object" && address !== null ? address.port : 0);
    const command = run("start", "--port", port, "--in-memory");
    expect(await command.ended).toBe(1);
    expect(command.output.text).toContain(port);
    expect(command.output.text).not.toContain("    at ");
    await new Promise((done) => server.close(done));
  });

  it.each([
    ["start", ["--help"], 0, "--in-memory"],
    ["ingest", ["--help"], 0, "--map"],
    ["start", ["--prot", "1"], 2, "--prot"],
    ["start", ["--port", "http"], 2, "from 0 to 65535"],
    ["start", ["--faults", "slwo"], 2, "Presets:"],
    ["start", ["--stack", "nowhere"], 1, "Pulumi.nowhere.yaml"],
    ["ingest", [], 2, "Name the file"],
    ["ingest", ["rows.csv", "--limit", "0"], 2, "--limit"],
    ["ingest", ["rows.csv", "--profile", "nobody"], 2, "nobody"],
  ] as const)("%s %j ends with %d and says why", async (name, args, status, text) => {
    const command = run(name, ...args);
    expect([await command.ended, command.output.text]).toEqual([status, expect.stringContaining(text)]);
  });
});
