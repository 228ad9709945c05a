import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textHash } from "../../../../functions/scoring/core/text-hash";

describe("textHash", () => {
  it.each([
    ["", 3338908027751811],
    ["a", 7929297801672961],
    ["b", 8684336938537663],
    ["revenge", 4051478007546757],
    ["revenue", 8309097637345594],
    ["Chrome", 8143722893938030],
    ["chrome", 8030147479788878],
    ["Telefónica", 2646259479298263],
    ["\u{1f600}", 4725715722941614],
  ])("of %j never changes: archived rows and compiled models depend on it", (text, hash) => {
    expect(textHash(text)).toBe(hash);
  });

  it("is a whole number that a double holds exactly", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const hash = textHash(text);
        expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true);
        expect(JSON.parse(JSON.stringify(hash))).toBe(hash);
      }),
    );
  });

  it("distinguishes 200,000 similar texts", () => {
    const hashes = new Set<number>();
    for (let index = 0; index < 200_000; index++) hashes.add(textHash(`Mozilla/5.0 ${index}`));
    expect(hashes.size).toBe(200_000);
  });
});
