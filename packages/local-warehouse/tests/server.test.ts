import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PostgresServer } from "../src/postgres";
import { Warehouse } from "../src/warehouse";

const folder = mkdtempSync(join(tmpdir(), "server-"));
const create = (onTrouble: (line: string) => void = () => undefined) =>
  new Warehouse({
    folder,
    durable: true,
    onTrouble,
    readObject: async () => undefined,
    writeObject: async () => {},
    listObjects: async () => [],
    authorizeRole: () => {},
  });
/** Resolves when the condition holds; a test's own limit ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
const pid = () => Number(readFileSync(join(folder, "data/postmaster.pid"), "utf8").split("\n")[0]);
const isAlive = (process: number) => spawnSync("kill", ["-0", String(process)]).status === 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the warehouse's server", () => {
  it("keeps data, URL and password between starts and leaves no process behind", async () => {
    const first = create();
    await first.start();
    const { url } = first;
    await first.query("CREATE TABLE kept (a int); INSERT INTO kept VALUES (1)");
    const process = pid();
    await first.stop();
    expect(isAlive(process)).toBe(false);
    const second = create();
    await second.start();
    expect(second.url).toBe(url);
    expect(await second.query("SELECT a FROM kept")).toEqual([{ a: 1 }]);
    await second.stop();
  });

  it("takes the place of a server that an earlier run left behind", async () => {
    const orphaned = create();
    await orphaned.start();
    const left = pid();
    const next = create();
    await next.start();
    expect(isAlive(left)).toBe(false);
    expect(pid()).not.toBe(left);
    expect(await next.query("SELECT a FROM kept")).toEqual([{ a: 1 }]);
    await next.stop();
    await orphaned.stop();
  });

  it("that is stopped while it creates its files gives up at once, and the next start makes them anew", async () => {
    const folder = mkdtempSync(join(tmpdir(), "server-"));
    const interrupted = new PostgresServer({ folder, durable: false });
    const started = interrupted.start();
    const outcome = expect(started).rejects.toThrow(/stopped while it started/);
    await until(() => existsSync(join(folder, "data.new/PG_VERSION")));
    // What a kill would leave now is never taken for a server's files.
    expect(existsSync(join(folder, "data"))).toBe(false);
    await interrupted.stop();
    await outcome;
    mkdirSync(join(folder, "data.new"), { recursive: true });
    writeFileSync(join(folder, "data.new/PG_VERSION"), "17");
    const next = new PostgresServer({ folder, durable: false });
    await next.start();
    const client = next.client("postgres");
    await client.connect();
    await client.end();
    await next.stop();
    await expect(next.client("postgres").connect()).rejects.toThrow(/ECONNREFUSED/);
    rmSync(folder, { recursive: true, force: true });
  });

  it("that is killed runs again on its port with its data, and says so", async () => {
    const troubles: string[] = [];
    const server = create((line) => troubles.push(line));
    await server.start();
    const { url } = server;
    const killed = pid();
    process.kill(killed, "SIGKILL");
    await until(() => troubles.at(-1)?.includes("runs again") === true);
    expect(troubles).toEqual([
      expect.stringContaining("PostgreSQL ended (SIGKILL) and is started again"),
      "The warehouse's PostgreSQL runs again.",
    ]);
    expect(server.url).toBe(url);
    expect(await server.query("SELECT a FROM kept")).toEqual([{ a: 1 }]);
    const second = pid();
    await server.stop();
    expect(isAlive(killed) || isAlive(second)).toBe(false);
  });

  it("knows a session of an IAM role as that role alone, not as an administrator behind it", async () => {
    const server = create();
    await server.start();
    const rows: (readonly (string | null)[])[] = [];
    const session = { database: "risk", user: { kind: "iam", roleName: "loader", databaseRoles: [] } } as const;
    const { done } = server.begin(session, [{ sql: "SELECT session_user, current_user" }], {
      onResult: (_, result) => rows.push(...result.rows),
    });
    await done;
    expect(rows).toEqual([["IAMR:loader", "IAMR:loader"]]);
    const refused = server.begin(session, [{ sql: "SELECT a FROM kept" }], { onResult: () => undefined });
    await expect(refused.done).rejects.toThrow(/permission denied/);
    await server.stop();
  });

  it("refuses a database name that cannot be one", async () => {
    await expect(create().ensureDatabase("a; DROP")).rejects.toThrow(/Change the namespace's dbName/);
  });
});
