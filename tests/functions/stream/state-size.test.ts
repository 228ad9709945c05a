/** What a user's state costs in the table. */
import { expect, it } from "vitest";
import { PROFILES } from "../../../functions/scoring/profiles";
import type { FraudState } from "../../../functions/scoring/profiles/fraud/state";
import type { Item } from "../../../functions/shared/attribute-values";
import { itemBytes, WRITE_UNIT_BYTES } from "../../../functions/shared/item-size";
import { createStateStore } from "../../../functions/stream/adapters";
import { EventMarks } from "../../../functions/stream/event-marks";

const { fraud } = PROFILES;
const START = Date.UTC(2026, 10, 1);
const DAY = 86_400_000;

/** The item of a user after so many events, of which several are counted at a time. */
async function unitsOf(count: number, gapMs: number, together: number): Promise<number> {
  let item: Item = {};
  const send = async ({ input }: { readonly input: { readonly Item: Item } }): Promise<void> => {
    item = input.Item;
  };
  let state: FraudState | null = null;
  let marks = EventMarks.NONE;
  for (let index = 0; index < count; index++) {
    // Uneven gaps and amounts, as people's are.
    const at = START + Math.round((index + 0.7 * Math.sin(index)) * gapMs);
    const input = fraud.normalise({
      transaction_id: `txn-${index}`,
      user_id: "u",
      amount: Math.round(2_000 + 1_999 * Math.sin(7 * index)) / 100,
      timestamp: at,
      latitude: 40.71 + Math.sin(index),
      longitude: -74.01,
      country: "US",
      category: `category ${index % 8}`,
      device_id: `device-${index % 2}`,
    });
    state = fraud.fold(state, input, at);
    if (index % together === 0)
      marks = marks.with(
        Array.from({ length: together }, (_, each) => `txn-${index + each}`),
        at,
      );
  }
  const args = { table: "states", clock: { now: () => START }, ttlSeconds: 30 * 86_400 };
  await createStateStore({ ...args, client: Object.create(null, { send: { value: send } }) }).write(`tok_${"x".repeat(32)}`, {
    state,
    marks,
    version: 12_345,
  });
  return Math.ceil(itemBytes(item) / WRITE_UNIT_BYTES);
}

it("takes one write unit for a user of ten events a day, two for 48, and twelve at most for thousands an hour", async () => {
  expect(await unitsOf(300, DAY / 10, 1)).toBe(1);
  expect(await unitsOf(1000, DAY / 48, 1)).toBe(2);
  expect(await unitsOf(20_000, 360, 3)).toBeLessThanOrEqual(13);
});
