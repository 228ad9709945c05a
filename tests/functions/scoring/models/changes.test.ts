import { describe, expect, it } from "vitest";
import { challenged, describeRef, promoted, rolledBack, withdrawn } from "../../../../functions/scoring/models/changes";
import type { ModelRef, ModelsDocument } from "../../../../functions/scoring/models/document";

const trees = (name: string): ModelRef => ({ kind: "trees", name, key: `models/${name}.rsm`, sha256: "0".repeat(64) });
const [A, B, C] = [trees("a"), trees("b"), trees("c")] as const;
const RULES: ModelRef = { kind: "rules-only" };

describe("changes of a models document", () => {
  it("put a promoted model in the champion's place; fallbacks stay, and it is no longer a challenger", () => {
    const document: ModelsDocument = { version: "1", chain: [A, RULES], challengers: [{ model: B, percent: 10 }, { model: C }] };
    expect(promoted(document, B)).toEqual({ chain: [B, RULES], challengers: [{ model: C }] });
    expect(promoted({ chain: [A, B] }, B)).toEqual({ chain: [B] });
    expect(promoted({ chain: [A, RULES] }, A)).toEqual({ chain: [A, RULES] });
  });

  it("keep a challenger's place when its share changes", () => {
    const document: ModelsDocument = { chain: [A], challengers: [{ model: B, percent: 10 }, { model: C }] };
    expect(challenged(document, B, 20).challengers).toEqual([{ model: B, percent: 20 }, { model: C }]);
    expect(challenged(document, B, undefined).challengers).toEqual([{ model: B }, { model: C }]);
    expect(challenged({ chain: [A] }, B, 0).challengers).toEqual([{ model: B, percent: 0 }]);
  });

  it("remove a withdrawn challenger completely", () => {
    expect(withdrawn({ chain: [A], challengers: [{ model: B }] }, "b")).toEqual({ chain: [A] });
    expect(withdrawn({ chain: [A], challengers: [{ model: B }, { model: C }] }, "b")).toEqual({
      chain: [A],
      challengers: [{ model: C }],
    });
    expect(withdrawn({ chain: [A] }, "b")).toBeUndefined();
  });

  it("restore the earlier document at a rollback, but without a share for the current model", () => {
    const canary: ModelsDocument = {
      version: "2",
      chain: [A, RULES],
      challengers: [
        { model: B, percent: 10 },
        { model: C, percent: 5 },
      ],
    };
    const withoutB: ModelsDocument = { chain: [A], challengers: [{ model: C, percent: 5 }] };
    // B was promoted since, or failed as a canary and was withdrawn.
    for (const left of [{ ...withoutB, chain: [B] }, withoutB])
      expect(rolledBack(canary, left)).toEqual({ chain: [A, RULES], challengers: [{ model: C, percent: 5 }] });
    const shadow: ModelsDocument = { chain: [A], challengers: [{ model: B }] };
    expect(rolledBack(shadow, { chain: [B] })).toEqual(shadow);
    expect(rolledBack(canary, undefined).challengers).toHaveLength(2);
  });

  it("name models for people", () => {
    expect([A, RULES].map(describeRef)).toEqual(["a (trees)", "rules only"]);
  });
});
