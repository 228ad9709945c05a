import fc from "fast-check";
import { expect, it } from "vitest";
import { EventIds, idHashes } from "../../../functions/replay/event-ids";

it("an id is new once, in any number of calls", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.stringMatching(/^[a-f]{1,3}$/), { maxLength: 40 }), { maxLength: 8 }), (calls) => {
      const ids = new EventIds();
      const seen = new Set<string>();
      for (const call of calls) {
        const expected = call.map((id) => (seen.has(id) ? 0 : 1) && Number(seen.add(id) !== undefined));
        expect([...ids.add(idHashes(call))]).toEqual(expected);
      }
      expect(ids.size).toBe(seen.size);
    }),
  );
});

it("the set grows with what it holds", () => {
  const ids = new EventIds();
  const names = Array.from({ length: 20_000 }, (_, index) => `event-${index}`);
  expect(ids.add(idHashes(names)).every((fresh) => fresh === 1)).toBe(true);
  expect(ids.add(idHashes(names)).some((fresh) => fresh === 1)).toBe(false);
  expect(ids.size).toBe(20_000);
});
