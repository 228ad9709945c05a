import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PostgresServer } from "../src/postgres";
import { Warehouse } from "../src/warehouse";

const folder = mkdtempSync(join(tmpdir(), "server-"));
const create = () =>
  new Warehouse({
    folder,
    durable: true,
    readObject: async () => undefined,
    writeObject: async () => {},
    listObjects: async () => [],
    authorizeRole: () => {},
  });
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

  it("that is stopped while it creates its files leaves no process behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "server-"));
    const server = new PostgresServer({ folder, durable: false });
    const started = server.start();
    await server.stop();
    await started;
    await expect(server.client("postgres").connect()).rejects.toThrow(/ECONNREFUSED/);
    expect(existsSync(join(folder, "data/postmaster.pid"))).toBe(false);
    rmSync(folder, { recursive: true, force: true });
  });

  it("refuses a database name that cannot be one", async () => {
    await expect(create().ensureDatabase("a; DROP")).rejects.toThrow(/Change the namespace's dbName/);
  });
});
