import { describe, expect, it } from "vitest";
import { models as validateModels } from "#validators";
import type { ModelsDocument } from "../../../functions/scoring/models/document";
import { PROFILES } from "../../../functions/scoring/profiles";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { createModelSource } from "../../../functions/shared/model-source";
import { createParameterSource } from "../../../functions/shared/parameter-source";
import { treeLoader } from "../../../functions/shared/tree-loader";
import { treeImage } from "../../helpers/tree-image";

const ONE = treeImage("trees-1", ["amount", "hour"], 1);
const TWO = treeImage("trees-2", ["amount", "count_1h"], 2);
const FOREIGN = treeImage("foreign", ["amount", "shoe_size"], 3);

class Store {
  now = 0;
  text: string | undefined;
  parameterDown = false;
  bucketDown = false;
  reads = 0;
  fetched: string[] = [];
  readonly objects = new Map([ONE, TWO, FOREIGN].map(({ bytes, ref }) => [ref.key, bytes]));
  readonly lines: string[] = [];
  gate: Promise<void> = Promise.resolve();

  put(document: ModelsDocument): void {
    this.text = JSON.stringify(document);
  }

  source() {
    const clock = { now: () => this.now };
    const sink = (line: string) => void this.lines.push(line);
    const metrics = createMetrics("Test", {}, clock, sink);
    const parameters = createParameterSource({
      read: async () => {
        this.reads++;
        await this.gate;
        if (this.parameterDown) throw Object.assign(new Error("SSM is down"), { $metadata: { httpStatusCode: 400 } });
        return new Map(this.text === undefined ? [] : [["/models", this.text]]);
      },
      ttlMs: 1000,
      clock,
      random: () => 0.5,
      sleep: async () => {},
    });
    const source = createModelSource({
      parameters,
      parameter: "/models",
      fetchImage: async (key) => {
        this.fetched.push(key);
        const bytes = this.objects.get(key);
        if (this.bucketDown || bytes === undefined) throw new Error("no such object");
        return bytes;
      },
      loadTrees: treeLoader(PROFILES.fraud),
      endpoint: ({ name }) => ({ version: name, scoreBatch: () => Promise.resolve() }),
      profile: PROFILES.fraud,
      validateModels,
      clock,
      log: createLog("info", {}, sink),
      metrics,
    });
    const names = async () => (await source.current())?.chain.map(({ name }) => name) ?? null;
    return {
      source,
      metrics,
      names,
      /** What is in use once the refresh that the TTL asks for is over. */
      refreshed: async (milliseconds = 1000) => {
        this.now += milliseconds;
        await source.current();
        for (let turn = 0; turn < 50; turn++) await Promise.resolve();
        return names();
      },
    };
  }

  log(event: string): string[] {
    return this.lines.filter((line) => line.includes(`"${event}"`));
  }
}

describe("model source", () => {
  it("uses the policy's own model without a parameter, and again when the parameter is deleted", async () => {
    const store = new Store();
    const { names, refreshed } = store.source();
    expect(await names()).toBeNull();
    store.put({ chain: [ONE.ref] });
    expect(await refreshed()).toEqual(["trees-1"]);
    store.text = undefined;
    expect(await refreshed()).toBeNull();
    expect(store.log("models_changed")).toHaveLength(2);
  });

  it("loads champion, fallbacks and challengers", async () => {
    const store = new Store();
    store.put({
      version: "v1",
      chain: [
        { kind: "endpoint", name: "e", endpointName: "e", contentType: "text/csv", timeoutMs: 100 },
        ONE.ref,
        { kind: "rules-only" },
      ],
      challengers: [{ model: TWO.ref, percent: 5 }],
    });
    const { source } = store.source();
    expect(await source.current()).toMatchObject({
      version: "v1",
      chain: [
        { name: "e", local: null },
        { name: "trees-1", costlyToExplain: true },
        { name: "rules-only", costlyToExplain: false },
      ],
      challengers: [{ member: { name: "trees-2" }, percent: 5 }],
    });
  });

  it("swaps in the background, as a whole, and never waits for it", async () => {
    const store = new Store();
    store.put({ chain: [ONE.ref] });
    const { source, names, refreshed } = store.source();
    const before = await source.current();
    store.put({ chain: [TWO.ref], challengers: [{ model: ONE.ref }] });
    let open: () => void = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    store.now += 1000;
    expect(await source.current()).toBe(before);
    expect(await source.current()).toBe(before);
    expect(store.reads).toBe(2);
    open();
    expect(await refreshed(0)).toEqual(["trees-2"]);
    // Whoever took the old set goes on with it.
    expect(before?.chain.map(({ name }) => name)).toEqual(["trees-1"]);
    expect(await names()).toEqual(["trees-2"]);
    expect(store.fetched).toEqual([ONE.ref.key, TWO.ref.key]);
  });

  it("rolls back by the parameter without fetching anything again", async () => {
    const store = new Store();
    store.put({ chain: [ONE.ref] });
    const { names, refreshed } = store.source();
    await names();
    store.put({ chain: [TWO.ref] });
    await refreshed();
    store.bucketDown = true;
    store.put({ chain: [ONE.ref] });
    expect(await refreshed()).toEqual(["trees-1"]);
    expect(store.fetched).toHaveLength(2);
  });

  it.each<[string, (store: Store) => void, RegExp]>([
    ["text that is no document", (store) => (store.text = "{"), /not JSON/],
    ["a model that it can't name", (store) => store.put({ chain: [{ kind: "logistic", name: "x" }] }), /no logistic model/],
    ["a missing object", (store) => store.put({ chain: [{ ...TWO.ref, key: "models/none" }] }), /models\/none could not be read/],
    ["another hash", (store) => store.put({ chain: [{ ...TWO.ref, sha256: "0".repeat(64) }] }), /has SHA-256 .* says 0000/],
    ["features that the profile has not", (store) => store.put({ chain: [FOREIGN.ref] }), /shoe_size/],
    ["SSM down", (store) => (store.parameterDown = true), /SSM is down/],
  ])("keeps the last good models with %s, and says so", async (_, spoil, message) => {
    const store = new Store();
    store.put({ chain: [ONE.ref] });
    const { names, refreshed, metrics } = store.source();
    await names();
    spoil(store);
    expect(await refreshed()).toEqual(["trees-1"]);
    expect(store.log("model_refresh_failed").join()).toMatch(message);
    metrics.flush();
    expect(store.lines.at(-1)).toContain('"ModelRefreshFailures":1');

    store.parameterDown = false;
    store.put({ chain: [TWO.ref] });
    expect(await refreshed()).toEqual(["trees-2"]);
  });

  it("takes a new chain although a challenger can't be loaded, and adds the challenger once it can", async () => {
    const store = new Store();
    store.put({ chain: [ONE.ref] });
    const { source, names, refreshed } = store.source();
    await names();
    const first = store.text;
    store.put({ chain: [TWO.ref], challengers: [{ model: { ...ONE.ref, key: "models/late" } }] });
    expect(await refreshed()).toEqual(["trees-2"]);
    expect(store.log("model_refresh_failed").join()).toMatch(/models\/late could not be read/);
    const challenger = async () => (await source.current())?.challengers[0]?.member.local;
    expect(await challenger()).toBeNull();

    store.objects.set("models/late", ONE.bytes);
    expect(await refreshed(5000)).toEqual(["trees-2"]);
    expect(await challenger()).not.toBeNull();
    expect(store.log("models_changed")).toHaveLength(1);

    store.objects.delete("models/late");
    store.put({ chain: [TWO.ref], challengers: [{ model: { ...ONE.ref, key: "models/later" } }] });
    await refreshed();
    store.text = first;
    expect(await refreshed()).toEqual(["trees-1"]);
  });

  it("refuses a damaged object whose hash the document confirms", async () => {
    const store = new Store();
    const { createHash } = await import("node:crypto");
    const damaged = ONE.bytes.slice();
    damaged[damaged.length - 1]! ^= 1;
    const sha256 = createHash("sha256").update(damaged).digest("hex");
    store.objects.set("models/damaged", damaged);
    store.put({ chain: [TWO.ref] });
    const { names, refreshed } = store.source();
    await names();
    store.put({ chain: [{ kind: "trees", name: "damaged", key: "models/damaged", sha256 }] });
    expect(await refreshed()).toEqual(["trees-2"]);
    expect(store.log("model_refresh_failed").join()).toMatch(/does not match its hash/);
  });

  it("retries artifacts that can't be loaded less and less often, but at once when the document changes", async () => {
    const store = new Store();
    store.put({ chain: [ONE.ref] });
    const { names, refreshed } = store.source();
    await names();
    store.put({ chain: [{ ...TWO.ref, key: "models/late" }] });
    for (let second = 0; second < 75; second++) await refreshed();
    // After 0, 5, 15 and 35 seconds.
    expect(store.fetched.filter((key) => key === "models/late")).toHaveLength(4);
    store.objects.set("models/late", TWO.bytes);
    expect(await refreshed(80_000)).toEqual(["trees-2"]);
    store.put({ chain: [ONE.ref] });
    expect(await refreshed()).toEqual(["trees-1"]);
  });

  it("starts with the models that can be loaded, and decisions name the others", async () => {
    const store = new Store();
    store.put({ chain: [{ ...ONE.ref, key: "models/none" }, TWO.ref] });
    const { source, refreshed } = store.source();
    const first = await source.current();
    expect(first?.chain.map(({ name, local }) => [name, local !== null])).toEqual([
      ["trees-1", false],
      ["trees-2", true],
    ]);
    await expect(first?.chain[0]?.model.scoreBatch(new Float64Array(0), 0, new Float64Array(0))).rejects.toMatchObject({
      reason: "artifact",
    });
    store.objects.set("models/none", ONE.bytes);
    expect(await refreshed(5000)).toEqual(["trees-1", "trees-2"]);
    expect((await source.current())?.chain[0]?.local).not.toBeNull();
  });

  it("starts without SSM, with only the policy's own model", async () => {
    const store = new Store();
    store.parameterDown = true;
    store.put({ chain: [ONE.ref] });
    const { names, refreshed, source } = store.source();
    expect(await names()).toEqual(["models"]);
    await expect(
      (await source.current())?.chain[0]?.model.scoreBatch(new Float64Array(0), 0, new Float64Array(0)),
    ).rejects.toMatchObject({ reason: "parameter_unavailable" });
    store.parameterDown = false;
    expect(await refreshed()).toEqual(["trees-1"]);
  });

  it("remembers a limited number of models", async () => {
    const store = new Store();
    const { refreshed } = store.source();
    for (let index = 0; index < 12; index++) {
      store.objects.set(`models/${index}`, ONE.bytes);
      store.put({ chain: [{ ...ONE.ref, name: `m${index}`, key: `models/${index}` }] });
      expect(await refreshed()).toEqual([`m${index}`]);
    }
    store.fetched = [];
    store.put({ chain: [{ ...ONE.ref, name: "m8", key: "models/8" }] });
    await refreshed();
    expect(store.fetched).toEqual([]);
    store.put({ chain: [{ ...ONE.ref, name: "m0", key: "models/0" }] });
    await refreshed();
    expect(store.fetched).toEqual(["models/0"]);
  });
});

describe("tree loader", () => {
  it("scales a probability to the profile's scale", () => {
    const { bytes, ref } = treeImage("lead-trees", ["company_size", "engagement"], 5);
    const member = treeLoader(PROFILES.lead)(bytes, ref);
    const score = member.local?.score(Float64Array.of(1, 1, 0)) ?? 0;
    expect(score).toBeGreaterThan(1);
    expect(score).toBeLessThanOrEqual(100);
  });

  it.each([
    ["log-odds", { objective: "binary:logitraw" }, /binary:logitraw, whose predictions are not scores/],
    ["several classes", { classes: 3 }, /3 classes/],
  ])("refuses %s", (_, options, message) => {
    const { bytes, ref } = treeImage("fraud-trees", ["amount"], 7, options);
    expect(() => treeLoader(PROFILES.fraud)(bytes, ref)).toThrow(message);
  });
});
