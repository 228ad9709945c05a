/** Files in the data bucket of the running platform are scored to their end. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PAYSIM, TAKE_HOME } from "../functions/files/samples";
import { connection, startWorld, transactions, until, type World } from "./support";

let world: World;
let s3: S3Client;
beforeAll(async () => {
  world = await startWorld();
  s3 = new S3Client({ ...connection(world), forcePathStyle: true });
}, 60_000);
afterAll(async () => {
  s3?.destroy();
  await world?.stop();
});

const Bucket = () => world.names.dataBucket ?? "";

async function results(name: string): Promise<Record<string, unknown>[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: Bucket(), Prefix: `results/${name}` }));
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: Bucket(), Key: Key ?? "" }));
      return JSON.parse((await Body?.transformToString()) ?? "null") as Record<string, unknown>;
    }),
  );
}

const put = (name: string, Body: string | Uint8Array, Metadata: Record<string, string> = {}) =>
  s3.send(new PutObjectCommand({ Bucket: Bucket(), Key: `incoming/${name}`, Body, Metadata }));

async function resultOf(name: string, count = 1): Promise<Record<string, unknown>[]> {
  await until(`${name} has its result`, async () => (await results(name)).length >= count);
  return results(name);
}

describe("files under incoming/", () => {
  it("are scored whatever their format, and each has a result", async () => {
    const events = transactions("file", 6);
    await put(
      "a.ndjson",
      events
        .slice(0, 3)
        .map((event) => JSON.stringify(event))
        .join("\n"),
    );
    await put("b.json.gz", gzipSync(JSON.stringify(events.slice(2))));
    await put("paysim.csv", PAYSIM);
    expect(await resultOf("paysim.csv")).toMatchObject([{ status: "scored", preset: "paysim", rows: 2, scored: 2 }]);
    const [[a], [b]] = [await resultOf("a.ndjson"), await resultOf("b.json.gz")];
    expect([a, b]).toMatchObject([{ rows: 3 }, { rows: 4 }]);
    // The two share an event, whichever of them is first.
    expect(Number(a?.scored) + Number(b?.scored)).toBe(6);
    expect(Number(a?.duplicates) + Number(b?.duplicates)).toBe(1);
  });

  it("that replace others of the same key are read as they were put", async () => {
    await put("daily.csv", TAKE_HOME);
    await put("daily.csv", `${TAKE_HOME}\r\n1,2/1/2015 22:55,4/1/2015 2:47,34,QVPS,SEO,Chrome,M,39,732758368.8,0`);
    const both = await resultOf("daily.csv", 2);
    expect(both.map(({ rows }) => rows).sort()).toEqual([2, 3]);
    expect(new Set(both.map(({ version_id }) => version_id)).size).toBe(2);
  });

  it("that can't be read say what helps, and a second try with metadata is scored", async () => {
    await put("odd.txt", "when;who;what\n1.2.2026;u;1,5\n");
    expect(await resultOf("odd.txt")).toMatchObject([{ status: "refused", problem: expect.stringContaining("--id row") }]);
    await put("odd.txt", "when;who;what\n1.2.2026;u;1,5\n", {
      id: "row",
      time: "when as D.M.YYYY",
      map: "user_id=who,amount=what",
    });
    const [, second] = (await resultOf("odd.txt", 2)).sort((one, two) => Number(one.rows) - Number(two.rows));
    expect(second).toMatchObject({ status: "scored", rows: 1, scored: 1 });
  });
});

const run = promisify(execFile);
const hasCli = spawnSync("aws", ["--version"]).status === 0;

describe.runIf(hasCli)("the AWS CLI", () => {
  it("copies files in and results out, lists and removes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "files-"));
    const { awsEndpointUrl = "", region = "", accessKeyId = "", secretAccessKey = "" } = world.names;
    const env = { PATH: process.env.PATH, HOME: folder, AWS_ENDPOINT_URL: awsEndpointUrl, AWS_REGION: region };
    const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const aws = async (...args: string[]) => (await run("aws", ["s3", ...args], { env: { ...env, ...keys } })).stdout;
    try {
      const rows = transactions("cli", 40_000).map((event) => JSON.stringify(event));
      writeFileSync(join(folder, "cli.ndjson"), rows.slice(0, 20).join("\n"));
      // Large enough for several parts.
      writeFileSync(join(folder, "large.bin"), rows.join("\n"));
      await aws("cp", join(folder, "cli.ndjson"), `s3://${Bucket()}/incoming/cli.ndjson`);
      await aws("cp", join(folder, "cli.ndjson"), `s3://${Bucket()}/other/cli.ndjson`);
      await aws("cp", join(folder, "large.bin"), `s3://${Bucket()}/other/large.bin`);
      expect(await resultOf("cli.ndjson")).toMatchObject([{ scored: 20 }]);
      expect(await aws("ls", `s3://${Bucket()}/`)).toMatch(/PRE incoming\/[\s\S]*PRE results\//);
      await aws("cp", `s3://${Bucket()}/results/`, folder, "--recursive");
      await aws("rm", `s3://${Bucket()}/other/cli.ndjson`);
      expect(await aws("ls", `s3://${Bucket()}/other/`)).not.toContain("cli.ndjson");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
