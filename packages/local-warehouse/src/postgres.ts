/** A private PostgreSQL server: loopback TCP only, one password, stopped with this process. */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { binaryFolder, chooseLauncher, giveTo } from "./launcher";

export const ADMIN_USER = "warehouse_admin";

const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 4_000;
const POLL_MS = 15;

const run = promisify(execFile);

export interface PostgresOptions {
  /** Folder for the server's files; kept between starts. */
  readonly folder: string;
  /** Survive a crash of the machine. Off for folders that are thrown away: three times faster. */
  readonly durable: boolean;
  /** The port of the last start is used again when it is free. */
  readonly port?: number;
}

export class PostgresServer {
  private process: ChildProcess | undefined;
  private starting: Promise<void> | undefined;
  private output = "";
  private portNumber = 0;
  private readonly data: string;
  private readonly passwordFile: string;
  private readonly portFile: string;

  constructor(private readonly options: PostgresOptions) {
    this.data = join(options.folder, "data");
    this.passwordFile = join(options.folder, "password");
    this.portFile = join(options.folder, "port");
  }

  get port(): number {
    return this.portNumber;
  }

  get password(): string {
    return readFileSync(this.passwordFile, "utf8").trim();
  }

  /** @throws Error with the server's output when it does not start */
  start(): Promise<void> {
    this.starting = this.launch();
    return this.starting;
  }

  private async launch(): Promise<void> {
    const launcher = chooseLauncher();
    const bin = binaryFolder();
    mkdirSync(this.options.folder, { recursive: true, mode: 0o700 });
    await this.stopOrphan();
    if (!existsSync(join(this.data, "PG_VERSION"))) await this.initialise(launcher.prefix, launcher.owner, bin);
    giveTo(launcher.owner, this.options.folder);
    this.portNumber = await this.choosePort();
    const settings = {
      listen_addresses: "127.0.0.1",
      port: String(this.portNumber),
      unix_socket_directories: "",
      timezone: "UTC",
      log_timezone: "UTC",
      max_connections: "50",
      shared_buffers: "64MB",
      // Connections of psql end soon after this process.
      tcp_keepalives_idle: "30",
      ...(this.options.durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
    };
    const [program = "", ...args] = [
      ...launcher.prefix,
      join(bin, "postgres"),
      "-D",
      this.data,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
    // Its own process group: Ctrl-C reaches us alone, and the functions that still write are ended before their warehouse is.
    this.process = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    this.process.stderr?.on("data", (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-4_000);
    });
    await this.ready(this.process);
    writeFileSync(this.portFile, String(this.portNumber));
  }

  /** Fast shutdown: open transactions are rolled back; then, after a while, by force. A server that is still starting is awaited. */
  async stop(): Promise<void> {
    await this.starting?.catch(() => undefined);
    await this.end();
  }

  private async end(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGINT");
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(force);
  }

  client(database: string): Client {
    const client = new Client({
      host: "127.0.0.1",
      port: this.portNumber,
      user: ADMIN_USER,
      password: this.password,
      database,
      ssl: false,
    });
    // A server that stops breaks idle connections; whoever runs a query gets its error from the query.
    client.on("error", () => undefined);
    return client;
  }

  private async initialise(prefix: readonly string[], owner: number | undefined, bin: string): Promise<void> {
    rmSync(this.data, { recursive: true, force: true });
    mkdirSync(this.data, { mode: 0o700 });
    writeFileSync(this.passwordFile, randomBytes(18).toString("base64url"), { mode: 0o600 });
    giveTo(owner, this.options.folder);
    const [program = "", ...args] = [
      ...prefix,
      join(bin, "initdb"),
      `--pgdata=${this.data}`,
      `--username=${ADMIN_USER}`,
      `--pwfile=${this.passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Redshift compares text byte by byte.
      "--locale=C",
      "--no-sync",
      "--no-instructions",
    ];
    try {
      // Takes half a second on another core, while this process evaluates the program.
      await run(program, args);
    } catch (error) {
      rmSync(this.data, { recursive: true, force: true });
      throw new Error(
        `PostgreSQL could not create ${this.data}: ${error instanceof Error ? error.message.trim() : String(error)}`,
      );
    }
  }

  private async ready(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    let problem = "";
    child.once("error", (error) => {
      problem = error.message;
    });
    for (;;) {
      if (problem !== "" || child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`The warehouse's PostgreSQL did not start in ${this.data}: ${problem}${this.output.trim()}`);
      }
      const client = this.client("postgres");
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        await client.end().catch(() => undefined);
        if (Date.now() > deadline) {
          await this.end();
          throw new Error(
            `The warehouse's PostgreSQL was not ready after ${READY_TIMEOUT_MS / 1000} s (${String(error)}): ${this.output.trim()}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  /** A server of an earlier run that was killed too hard to stop its own. It is certainly ours: it runs in our folder. */
  private async stopOrphan(): Promise<void> {
    const pidFile = join(this.data, "postmaster.pid");
    if (!existsSync(pidFile)) return;
    const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
    if (Number.isInteger(pid) && pid > 1 && this.isOurServer(pid)) {
      process.kill(pid, "SIGINT");
      for (let waited = 0; waited < STOP_TIMEOUT_MS && isAlive(pid); waited += POLL_MS) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      if (isAlive(pid) && this.isOurServer(pid)) process.kill(pid, "SIGKILL");
      for (let waited = 0; waited < STOP_TIMEOUT_MS && isAlive(pid); waited += POLL_MS) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
    rmSync(pidFile, { force: true });
  }

  private isOurServer(pid: number): boolean {
    try {
      return (
        readlinkSync(`/proc/${pid}/cwd`) === realpathSync(this.data) &&
        readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("postgres")
      );
    } catch {
      const { stdout } = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
      return (stdout ?? "").includes("postgres") && (stdout ?? "").includes(this.data);
    }
  }

  private async choosePort(): Promise<number> {
    const last = existsSync(this.portFile) ? Number(readFileSync(this.portFile, "utf8")) : 0;
    for (const candidate of [this.options.port, last]) {
      if (candidate !== undefined && candidate > 0 && (await freePort(candidate).catch(() => 0)) > 0) return candidate;
    }
    return freePort(0);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
