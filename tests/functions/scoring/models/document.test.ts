import { describe, expect, it } from "vitest";
import { models as validateModels } from "#validators";
import { type ModelsDocument, parseModels } from "../../../../functions/scoring/models/document";
import { PROFILES } from "../../../../functions/scoring/profiles";

const SHA = "a".repeat(64);
const parse = (document: unknown) =>
  parseModels(typeof document === "string" ? document : JSON.stringify(document), PROFILES.churn, validateModels);
const problemsOf = (document: unknown): string[] => {
  const result = parse(document);
  return result.ok ? [] : result.problems.map(({ pointer, detail }) => `${pointer}: ${detail}`);
};
const endpoint = { kind: "endpoint", name: "e", endpointName: "churn-e", contentType: "text/csv", timeoutMs: 300 };

describe("a models document", () => {
  it("may name every kind of model, a fallback chain and challengers with shares", () => {
    const document: ModelsDocument = {
      version: "2026-11-21",
      chain: [
        {
          kind: "endpoint",
          name: "e",
          endpointName: "churn-e",
          contentType: "application/json",
          timeoutMs: 300,
          features: ["age"],
        },
        { kind: "trees", name: "churn-trees-1", key: "models/a.rsm", sha256: SHA },
        { kind: "logistic", name: "churn-logistic-1" },
        { kind: "rules-only" },
      ],
      challengers: [
        { model: { kind: "trees", name: "churn-trees-2", key: "models/b.rsm", sha256: SHA }, percent: 99.5 },
        { model: { kind: "trees", name: "churn-trees-3", key: "models/c.rsm", sha256: SHA } },
      ],
    };
    expect(parse(document)).toEqual({ ok: true, document });
  });

  it.each([
    ["nothing", {}, /chain/],
    ["an empty chain", { chain: [] }, /\/chain/],
    ["text that is no JSON", "{", /not JSON/],
    ["more than a parameter holds", JSON.stringify({ chain: [{ kind: "rules-only" }], version: "v".repeat(4096) }), /4096/],
    ["an unknown member", { chain: [{ kind: "rules-only" }], champion: 1 }, /champion/],
    ["an unknown kind", { chain: [{ kind: "forest" }] }, /\/chain\/0\/kind/],
    ["a hash that is none", { chain: [{ kind: "trees", name: "t", key: "k", sha256: "abc" }] }, /\/chain\/0\/sha256/],
    ["a tree model without its object", { chain: [{ kind: "trees", name: "t", sha256: SHA }] }, /\/chain\/0\/key: Expected key/],
    [
      "a member of another kind",
      { chain: [{ kind: "rules-only", name: "r" }] },
      /\/chain\/0\/name: A model of kind "rules-only" has no name/,
    ],
    ["an unknown formula", { chain: [{ kind: "logistic", name: "x" }] }, /no logistic model "x"; it has churn-logistic-1/],
    ["an unknown feature", { chain: [{ ...endpoint, features: ["age", "shoe_size"] }] }, /\/chain\/0\/features\/1.*shoe_size/],
    ["an endless timeout", { chain: [{ ...endpoint, timeoutMs: 1e9 }] }, /timeoutMs/],
    ["one name twice", { chain: [endpoint, endpoint] }, /\/chain\/1: .*"e", which \/chain\/0 has/],
    [
      "shares above 100 %",
      {
        chain: [{ kind: "rules-only" }],
        challengers: [
          { model: endpoint, percent: 70 },
          { model: { ...endpoint, name: "f" }, percent: 31 },
        ],
      },
      /at most 100 together, got 101/,
    ],
  ])("is refused with %s", (_, document, message) => {
    expect(problemsOf(document).join("\n")).toMatch(message);
  });

  it("gets every problem reported at once", () => {
    expect(
      problemsOf({
        chain: [
          { kind: "trees", name: "t" },
          { kind: "logistic", name: "x" },
        ],
      }),
    ).toHaveLength(3);
  });
});
