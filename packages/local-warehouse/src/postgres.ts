/** A private PostgreSQL server: loopback TCP only, one password, started again when it is killed, stopped with this process. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { binaryFolder, chooseLauncher, giveTo, type Launcher } from "./launcher";
import { stopOrphan } from "./orphan";
import { choosePort } from "./ports";

export const ADMIN_USER = "warehouse_admin";

const READY_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 4_000;
const POLL_MS = 15;
/** Between attempts to start a killed server again: its backends need a moment to notice, a full disk longer. */
const RESTART_MS = 500;
/** The first ones may fail while the killed server's backends still end. */
const REPORTED_ATTEMPT = 10;

const run = promisify(execFile);

export interface PostgresOptions {
  /** Folder for the server's files; kept between starts. */
  readonly folder: string;
  /** Survive a crash of the machine. Off for folders that are thrown away: three times faster. */
  readonly durable: boolean;
  /** The port of the last start is used again when it is free. */
  readonly port?: number;
  /** Called when the server ended by itself, and when it runs again. */
  readonly onTrouble?: (line: string) => void;
}

export class PostgresServer {
  private process: ChildProcess | undefined;
  private starting: Promise<void> | undefined;
  private restarting: Promise<void> | undefined;
  private readonly stopping = new AbortController();
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

  /** Of a user other than the administrator: the same at every start, and known to nobody who doesn't know the administrator's. */
  passwordOf(user: string): string {
    return createHmac("sha256", this.password).update(user).digest("base64url");
  }

  /** @throws Error with the server's output when it does not start, or when it is stopped first */
  start(): Promise<void> {
    this.starting = this.prepare().then((launcher) => this.launch(launcher));
    return this.starting;
  }

  private async prepare(): Promise<Launcher> {
    const launcher = chooseLauncher();
    mkdirSync(this.options.folder, { recursive: true, mode: 0o700 });
    await stopOrphan(this.data);
    if (!existsSync(this.data)) await this.initialise(launcher);
    giveTo(launcher.owner, this.options.folder);
    const last = existsSync(this.portFile) ? Number(readFileSync(this.portFile, "utf8")) : 0;
    this.portNumber = await choosePort([this.options.port, last]);
    return launcher;
  }

  private async launch(launcher: Launcher): Promise<void> {
    this.stopping.signal.throwIfAborted();
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
      join(binaryFolder(), "postgres"),
      "-D",
      this.data,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
    this.output = "";
    // Its own process group: Ctrl-C reaches us alone, and the functions that still write are ended before their warehouse is.
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    this.process = child;
    child.stderr?.on("data", (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-4_000);
    });
    await this.ready(child);
    const onExit = () => {
      if (this.process === child) this.restarting = this.restart(launcher, child);
    };
    if (child.exitCode === null && child.signalCode === null) child.once("exit", onExit);
    else onExit();
    writeFileSync(this.portFile, String(this.portNumber));
  }

  /** Starts a server that was killed or failed again, on its port, until that works or it is to stop. */
  private async restart(launcher: Launcher, { exitCode, signalCode }: ChildProcess): Promise<void> {
    const { onTrouble = () => undefined } = this.options;
    if (exitCode === 0) {
      onTrouble("The warehouse's PostgreSQL was shut down by somebody else. Restart the platform to have it back.");
      return;
    }
    const ending = signalCode ?? `exit status ${exitCode}`;
    onTrouble(
      `The warehouse's PostgreSQL ended (${ending}) and is started again. ${this.output.trim().split("\n").at(-1) ?? ""}`,
    );
    for (let attempt = 1; !this.stopping.signal.aborted; attempt += 1) {
      try {
        await this.launch(launcher);
        onTrouble("The warehouse's PostgreSQL runs again.");
        return;
      } catch (error) {
        if (attempt === REPORTED_ATTEMPT) onTrouble(error instanceof Error ? error.message : String(error));
      }
      await pause(RESTART_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** As the machine's out-of-memory killer would; it is started again. @returns false if it isn't running */
  kill(): boolean {
    return this.process?.kill("SIGKILL") ?? false;
  }

  /** Fast shutdown: open transactions are rolled back; then, after a while, by force. A start that is under way is given up. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error("The warehouse's PostgreSQL was stopped while it started."));
    await this.starting?.catch(() => undefined);
    await this.restarting;
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

  client(database: string, user = ADMIN_USER): Client {
    const client = new Client({
      host: "127.0.0.1",
      port: this.portNumber,
      user,
      password: user === ADMIN_USER ? this.password : this.passwordOf(user),
      database,
      ssl: false,
    });
    // A server that stops breaks idle connections; whoever runs a query gets its error from the query.
    client.on("error", () => undefined);
    return client;
  }

  /** Makes the files beside their place: a folder that is there is whole, whenever this process was killed. */
  private async initialise({ prefix, owner }: Launcher): Promise<void> {
    const fresh = `${this.data}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { mode: 0o700 });
    writeFileSync(this.passwordFile, randomBytes(18).toString("base64url"), { mode: 0o600 });
    giveTo(owner, this.options.folder);
    const [program = "", ...args] = [
      ...prefix,
      join(binaryFolder(), "initdb"),
      `--pgdata=${fresh}`,
      `--username=${ADMIN_USER}`,
      `--pwfile=${this.passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Redshift compares text byte by byte.
      "--locale=C",
      "--no-sync",
      "--no-instructions",
    ];
    // Takes half a second on another core, while this process evaluates the program.
    const initdb = run(program, args);
    const interrupt = () => initdb.child.kill("SIGINT");
    this.stopping.signal.addEventListener("abort", interrupt);
    try {
      await initdb;
      renameSync(fresh, this.data);
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true });
      this.stopping.signal.throwIfAborted();
      throw new Error(
        `PostgreSQL could not create ${this.data}: ${error instanceof Error ? error.message.trim() : String(error)}`,
      );
    } finally {
      this.stopping.signal.removeEventListener("abort", interrupt);
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
        const isLate = Date.now() > deadline;
        if (isLate || this.stopping.signal.aborted) await this.end();
        this.stopping.signal.throwIfAborted();
        if (isLate)
          throw new Error(
            `The warehouse's PostgreSQL was not ready after ${READY_TIMEOUT_MS / 1000} s (${String(error)}): ${this.output.trim()}`,
          );
        await pause(POLL_MS);
      }
    }
  }
}
