import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Parsed } from "../../../cli/options";
import { changesSomething, requestOf } from "../../../cli/replay/request";
import { archiveTarget, namesIn } from "../../../cli/replay/target";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "replay-request-"));
  writeFileSync(join(folder, "policy.json"), '{"profile":"churn"}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Given = Readonly<Record<string, string | true | readonly string[]>>;

function parsed(given: Given, positionals: readonly string[] = []): Parsed {
  const all: Given = { from: "2026-11-01", to: "2026-11-21", "warm-up": "0", threads: "2", ...given };
  return {
    positionals,
    text: (name) => (typeof all[name] === "string" ? all[name] : undefined),
    list: (name) => (Array.isArray(all[name]) ? all[name].map(String) : []),
    flag: (name) => all[name] === true,
  };
}

describe("the request of a replay", () => {
  it("is of all profiles and changes nothing unless told to", () => {
    const request = requestOf(parsed({}));
    expect(request).toMatchObject({ profiles: ["lead", "churn", "fraud", "device"], source: "archived", apply: false });
    expect(changesSomething(request)).toBe(false);
    const before = new Date().toISOString().slice(0, 10);
    const { to } = requestOf(parsed({ from: "2020-01-01", to: true })).days;
    // Midnight may come in between.
    expect([before, new Date().toISOString().slice(0, 10)]).toContain(to);
  });

  it("is of the profile that a policy file is for", () => {
    const file = join(folder, "policy.json");
    expect(requestOf(parsed({ policy: file, set: ["bands.high=0.7"], apply: true }))).toMatchObject({
      profiles: ["churn"],
      apply: true,
    });
    expect(requestOf(parsed({ policy: "current" })).profiles).toHaveLength(4);
  });

  it.each([
    [{ from: "2026-02-30" }, '--from: expected a day such as 2026-11-01, got "2026-02-30".'],
    [{ from: "yesterday" }, '--from: expected a day such as 2026-11-01, got "yesterday".'],
    [{ from: "2026-12-01" }, "--from 2026-12-01 is after --to 2026-11-21."],
    [{ profile: "frauds" }, '--profile: expected lead, churn, fraud, device, got "frauds".'],
    [{ set: ["thresholds.x=1"] }, "--set and --model are of one profile"],
    [{ model: "fraud-trees-1" }, "--set and --model are of one profile"],
    [{ apply: true }, "--apply would only copy the old decisions"],
    [{ apply: true, "dry-run": true, recompute: true }, "--apply writes and --dry-run does not"],
    [{ "warm-up": "3" }, "--warm-up is of --recompute"],
    [{ "warm-up": "-1", recompute: true }, '--warm-up: expected a whole number from 0, got "-1".'],
    [{ threads: "0" }, '--threads: expected a whole number from 1, got "0".'],
  ] satisfies [Given, string][])("refuses %j", (given, message) => {
    expect(() => requestOf(parsed(given))).toThrow(message);
  });

  it("refuses what isn't an option", () => {
    expect(() => requestOf(parsed({}, ["2026-11-01"]))).toThrow("Expected options only, got: 2026-11-01.");
  });
});

describe("the names of a stack", () => {
  const outputs = {
    region: "us-east-1",
    dataBucket: "data",
    modelBucket: "models",
    resultsTable: "results",
    modelsParameters: { lead: "/ml", churn: "/mc", fraud: "/mf", device: "/md" },
    leadPolicyParameter: "/pl",
    churnPolicyParameter: "/pc",
    fraudPolicyParameter: "/pf",
    devicePolicyParameter: "/pd",
  };

  it("are read from its outputs, with or without a warehouse", () => {
    expect(namesIn(outputs, "f")).toMatchObject({ dataBucket: "data", policyParameters: { fraud: "/pf" } });
    expect(namesIn(outputs, "f").warehouse).toBeUndefined();
    const stored = { ...outputs, warehouseWorkgroup: "risk", warehouseDatabase: "db" };
    expect(namesIn(stored, "f").warehouse).toEqual({ workgroupName: "risk", database: "db" });
  });

  it.each(["dataBucket", "fraudPolicyParameter", "modelsParameters"])("have to have %s", (name) => {
    expect(() => namesIn({ ...outputs, [name]: undefined }, "f")).toThrow(/f has no .*: it was written by another version/);
    expect(() => namesIn(null, "f")).toThrow("f has no region");
  });

  it("of a stack on AWS need --aws", () => {
    expect(() => archiveTarget({ aws: false, outputsFile: "outputs.json" })).toThrow("--outputs is of a stack on AWS: add --aws");
  });
});
