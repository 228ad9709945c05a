import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, parseConfig } from "../../stacks/config";
import { readShippedModels, resolveModels } from "../../stacks/models";
import { stackValues } from "../helpers/recorder";

const SHA = "ab".repeat(32);
const SHIPPED = [
  { profile: "churn", name: "churn-trees-1", file: "models/churn-trees-1.rsm", sha256: SHA },
  { profile: "fraud", name: "fraud-trees-1", file: "models/fraud-trees-1.rsm", sha256: SHA },
];
const BUILT_IN = {
  "risk:churn.champion": undefined,
  "risk:fraud.champion": undefined,
  "risk:fraud.challengers": undefined,
};

const resolved = (overrides: Readonly<Record<string, string | undefined>>) =>
  resolveModels("dev", parseConfig("dev", stackValues("dev", { ...BUILT_IN, ...overrides })), SHIPPED);

function problemsOf(overrides: Readonly<Record<string, string>>): readonly string[] {
  try {
    resolved(overrides);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("resolveModels", () => {
  it("starts every profile with its built-in model", () => {
    expect(resolved({})).toEqual({
      lead: { chain: [{ kind: "heuristic", name: "lead-heuristic-1" }] },
      churn: { chain: [{ kind: "logistic", name: "churn-logistic-1" }] },
      fraud: { chain: [{ kind: "rules-only" }] },
      device: { chain: [{ kind: "rules-only" }] },
    });
  });

  it("knows shipped models, endpoints, shares, and two names of one model", () => {
    const models = resolved({
      "risk:churn.champion": "endpoint:churn-prod",
      "risk:churn.fallbacks": "churn-trees-1,builtin",
      "risk:fraud.fallbacks": "rules",
      "risk:fraud.challengers": "fraud-trees-1@10",
    });
    const tree = { kind: "trees", name: "churn-trees-1", key: `models/churn/${SHA}.rsm`, sha256: SHA };
    expect(models.churn.chain).toEqual([
      { kind: "endpoint", name: "churn-prod", endpointName: "churn-prod", contentType: "text/csv", timeoutMs: 500 },
      tree,
      { kind: "logistic", name: "churn-logistic-1" },
    ]);
    expect(models.fraud).toMatchObject({
      chain: [{ kind: "rules-only" }],
      challengers: [{ model: { name: "fraud-trees-1" }, percent: 10 }],
    });
  });

  it("names every model that doesn't exist, with the existing ones and the command that helps", () => {
    expect(problemsOf({ "risk:churn.champion": "churn-tree-1", "risk:fraud.challengers": "churn-trees-1" })).toEqual([
      'risk:churn.champion: expected builtin, rules, churn-trees-1 or endpoint:NAME, got "churn-tree-1". Did you mean "churn-trees-1"? Fix: pulumi config set --path risk:churn.champion builtin --stack dev',
      expect.stringMatching(
        /^risk:fraud\.challengers: expected builtin, rules, fraud-trees-1 or endpoint:NAME, got "churn-trees-1"/,
      ),
    ]);
  });

  it("refuses a challenger that is the champion already, and shares over 100 %", () => {
    expect(problemsOf({ "risk:churn.champion": "churn-trees-1", "risk:churn.challengers": "churn-trees-1" })).toEqual([
      expect.stringMatching(/^risk:churn\.challengers: .*name each model once/),
    ]);
    expect(problemsOf({ "risk:churn.challengers": "churn-trees-1@60,endpoint:other@60" })).toEqual([
      expect.stringMatching(/^risk:churn\.challengers: .*at most 100 together/),
    ]);
  });

  it("refuses something that isn't a name at all", () => {
    expect(problemsOf({ "risk:churn.champion": "Churn Model" })).toEqual([
      expect.stringContaining("risk:churn.champion: expected"),
    ]);
    expect(problemsOf({ "risk:churn.challengers": "builtin@0" })).toEqual([expect.stringContaining("risk:churn.challengers")]);
  });
});

describe("readShippedModels", () => {
  let root: string;
  const bytes = Buffer.from("a model");
  const entry = {
    profile: "churn",
    name: "churn-trees-9",
    file: "churn-trees-9.rsm",
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
  const index = (value: unknown) => writeFileSync(join(root, "models", "index.json"), JSON.stringify(value));
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "models-"));
    mkdirSync(join(root, "models"));
    writeFileSync(join(root, "models", "churn-trees-9.rsm"), bytes);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("returns none without an index", () => {
    expect(readShippedModels(root)).toEqual([]);
  });

  it("returns what the index names, and checks the files", () => {
    index([{ ...entry, bytes: 7, trees: 1 }]);
    expect(readShippedModels(root)).toEqual([{ ...entry, file: "models/churn-trees-9.rsm" }]);
    writeFileSync(join(root, "models", "churn-trees-9.rsm"), "another model");
    expect(() => readShippedModels(root)).toThrow(/models\/churn-trees-9\.rsm has the hash .*restore the file/);
  });

  it.each([
    [{}, /expected a list/],
    [[{ ...entry, name: "" }], /index\.json\[0\]\.name: expected text, got ""/],
    [[{ ...entry, file: "gone.rsm" }], /models\/gone\.rsm, which does not exist/],
  ])("refuses %j", (value, message) => {
    index(value);
    expect(() => readShippedModels(root)).toThrow(message);
  });
});
