/** The provider of the real engine, without the engine: what it answers to check, diff, create, update, read and delete. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GraphResource, NameRule, ResourceBody } from "../../src/contracts";
import { physicalName } from "../../src/engine/names";
import { ProviderResources } from "../../src/provider/resources";
import { ResourceStore } from "../../src/provider/store";
import { secret, UNKNOWN } from "../../src/provider/values";
import { Vault } from "../../src/services/vault";

const QUEUE = "aws:sqs/queue:Queue";
const URN = `urn:pulumi:dev::risk::risk:lib:Queue$${QUEUE}::pending`;
const SEED = Uint8Array.of(1, 2, 3);

let folder: string;
let db: DatabaseSync;
let alive: Map<string, GraphResource>;
let refuse: string | undefined;

const queueName: NameRule = {
  field: "name",
  maxLength: 20,
  characters: { pattern: /^[a-z0-9-]+$/, words: "small letters, digits and hyphens" },
};

const queueBody: ResourceBody = {
  type: QUEUE,
  honoured: ["name", "fifo", "delay", "policy", "settings"],
  cloudOnly: {},
  replaceOn: ["name", "fifo"],
  autoName: queueName,
  outputs: ({ name, inputs }) => ({
    id: `id-${name}`,
    state: { arn: `arn:${physicalName(queueName, name, inputs)}`, length: Number(inputs.delay ?? 0) * 2 },
  }),
  readBack: ({ settings }) => ({ settings: { ...Object(settings), filledIn: "yes" } }),
  create: (resource) => {
    if (refuse !== undefined) throw new Error(refuse);
    const { policy } = resource.inputs;
    if (typeof policy === "string" && policy.startsWith("id-") && !alive.has(policy)) throw new Error(`${policy} does not exist`);
    alive.set(resource.id, resource);
  },
  update: (resource) => void alive.set(resource.id, resource),
  delete: ({ id }) => void alive.delete(id),
};

const notices: string[] = [];
const open = () =>
  new ProviderResources({
    bodies: [queueBody],
    region: "us-east-1",
    accountId: "000000000000",
    projectDir: folder,
    store: new ResourceStore(db, new Vault(folder)),
    notice: (line) => notices.push(line),
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "provider-"));
  db = new DatabaseSync(":memory:");
  alive = new Map();
  refuse = undefined;
  notices.length = 0;
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("check", () => {
  it("draws a name once, keeps it in updates, and draws another for a replacement", () => {
    const provider = open();
    const first = provider.check(URN, {}, {}, SEED);
    expect(first.failures).toEqual([]);
    expect(first.inputs.name).toMatch(/^pending-[0-9a-f]{7}$/);
    expect(provider.check(URN, first.inputs, {}, Uint8Array.of(9)).inputs.name).toBe(first.inputs.name);
    expect(provider.check(URN, {}, {}, Uint8Array.of(9)).inputs.name).not.toBe(first.inputs.name);
  });

  it("gives a name back to the provider when the program no longer chooses one", () => {
    expect(open().check(URN, { name: "mine" }, {}, SEED).inputs.name).toMatch(/^pending-[0-9a-f]{7}$/);
  });

  it.each([
    [
      "aws:sqs/queue:Queue::a-name-that-is-too-long",
      {},
      /the generated name "a-name-that-is-too-long-[0-9a-f]{7}" has 31 characters, the limit is 20/,
    ],
    ["aws:sqs/queue:Queue::pending", { name: "Upper" }, /"Upper" is refused by the service, which takes small letters/],
    ["aws:sqs/queue:Queue::pending", { colour: "red" }, /the field "colour" has no local effect/],
    ["aws:sqs/fleet:Fleet::pending", {}, /this resource type has no local body/],
  ])("refuses %s %j", (type, news, reason) => {
    const { failures } = open().check(`urn:pulumi:dev::risk::${type}`, {}, news, SEED);
    expect(failures).toEqual([expect.objectContaining({ reason: expect.stringMatching(reason) })]);
  });
});

describe("diff", () => {
  const diff = (before: object, after: object, { olds = before, ignored = [] as string[] } = {}) =>
    open().diff(URN, { ...olds }, { ...before }, { ...after }, ignored);

  it("tells what changes in place from what replaces", () => {
    expect(
      diff({ delay: 1, policy: { a: 1, b: [1, 2] } }, { delay: 1, policy: { a: 1, b: [1, 3] }, fifo: true }).changes,
    ).toEqual([
      { path: "fifo", kind: "add", replaces: true },
      { path: "policy.b[1]", kind: "update", replaces: false },
    ]);
  });

  it("deletes first where the program chose the name and keeps it", () => {
    expect(diff({ name: "mine" }, { name: "mine", fifo: true }).deleteBeforeReplace).toBe(true);
    expect(diff({ name: "mine" }, { name: "other" }).deleteBeforeReplace).toBe(false);
    expect(diff({ name: "drawn" }, { name: "drawn", fifo: true, __defaults: ["name"] }).deleteBeforeReplace).toBe(false);
  });

  it("takes one file under two paths, and a value that became a secret, for the same", () => {
    const file = (path: string) => ({ "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", hash: "ab", path });
    expect(diff({ policy: file("/a"), delay: 1 }, { policy: file("/b"), delay: secret(1) }).changes).toEqual([]);
  });

  it("shows what AWS reads back otherwise for ever, unless its changes are ignored", () => {
    const inputs = { settings: { tls: true } };
    const olds = { settings: { tls: true, filledIn: "yes" } };
    expect(diff(inputs, inputs, { olds }).changes).toEqual([{ path: "settings.filledIn", kind: "delete", replaces: false }]);
    expect(diff(inputs, inputs, { olds, ignored: ["settings"] }).changes).toEqual([]);
  });
});

describe("a resource", () => {
  it("is created with its outputs, secrets marked, and read back as AWS would", async () => {
    const provider = open();
    const inputs = { name: "pending-1", delay: 2, policy: secret("hidden"), settings: { tls: true } };
    const { id, state } = await provider.create(URN, inputs);
    expect(id).toBe("id-pending");
    expect(state).toEqual({ ...inputs, arn: "arn:pending-1", length: 4, settings: { tls: true, filledIn: "yes" } });
    expect(alive.get(id)?.inputs).toEqual({ name: "pending-1", delay: 2, policy: "hidden", settings: { tls: true } });
    expect(provider.read(URN, id, { arn: "arn:pending-1" })).toEqual({
      arn: "arn:pending-1",
      settings: { tls: true, filledIn: "yes" },
    });
    expect(provider.read(URN, "another", {})).toBeUndefined();
  });

  it("shows in a preview that outputs change with the inputs that they follow from", async () => {
    const provider = open();
    const { id, state } = await provider.create(URN, { name: "n", delay: 1 });
    expect(provider.previewUpdate(URN, id, state, { name: "n", delay: 3 })).toMatchObject({
      delay: 3,
      arn: "arn:n",
      length: UNKNOWN,
    });
    expect(await provider.update(URN, id, { name: "n", delay: 1 }, { name: "n", delay: 3 })).toMatchObject({ length: 6 });
    expect(alive.get(id)?.inputs.delay).toBe(3);
  });

  it("that replaces another is a second one until the first is deleted", async () => {
    const provider = open();
    const first = await provider.create(URN, { name: "one" });
    const second = await provider.create(URN, { name: "two" });
    expect(second.id).not.toBe(first.id);
    await provider.delete(URN, first.id, { name: "one" });
    expect([...alive.keys()]).toEqual([second.id]);
  });

  it("that could not be created is not kept, and the same creation works later", async () => {
    const provider = open();
    refuse = "AccessDenied";
    await expect(provider.create(URN, { name: "n" })).rejects.toThrow("AccessDenied");
    refuse = undefined;
    expect((await provider.create(URN, { name: "n" })).id).toBe("id-pending");
  });
});

describe("a provider that starts again", () => {
  it("gives everything its body again, from what it kept sealed", async () => {
    await open().create(URN, { name: "n", policy: secret("hidden") });
    alive.clear();
    const again = open();
    await again.restore();
    expect(alive.get("id-pending")?.inputs).toEqual({ name: "n", policy: "hidden" });
    const rows = JSON.stringify(
      db
        .prepare("SELECT * FROM provider_resources")
        .all()
        .map(({ sealed }) => Buffer.from(sealed as Uint8Array).toString("latin1")),
    );
    expect(rows).not.toContain("hidden");
    expect(rows).not.toContain(Buffer.from("hidden").toString("base64"));
  });

  it("says what is gone, and starts all the same", async () => {
    await open().create(URN, { name: "n" });
    refuse = "its bucket does not exist";
    const again = open();
    await again.restore();
    expect(notices).toEqual([`${QUEUE} (pending) can't be restored: its bucket does not exist`]);
    expect(again.read(URN, "id-pending", {})).toBeUndefined();
    refuse = undefined;
    const later = open();
    await later.restore();
    expect(later.read(URN, "id-pending", {})).toBeDefined();
  });

  it("gives bodies in an order in which each finds what it refers to now, whatever was created first", async () => {
    const provider = open();
    const other = (name: string) => URN.replace("pending", name);
    await provider.create(other("first"), { name: "first" });
    await provider.create(other("second"), { name: "second" });
    await provider.update(other("first"), "id-first", { name: "first" }, { name: "first", policy: "id-second" });
    alive.clear();
    await open().restore();
    expect([...alive.keys()]).toEqual(["id-second", "id-first"]);
    expect(notices).toEqual([]);
  });
});
