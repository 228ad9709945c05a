/** Each seeded bug is found where docs/simulation.md says, or soon after, when a change has moved it. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { hunt, seedsFrom } from "../../simulation/explore";
import { loadProduct, stopLoading } from "../../simulation/load-product";
import { seedsOf } from "../../simulation/mutation-table";
import { MUTATIONS } from "../../simulation/mutations";
import { planOf } from "../../simulation/plan";
import { prepare } from "../../simulation/prepared";
import { shrink } from "../../simulation/shrink";

const root = process.cwd();
const documented = seedsOf(readFileSync("docs/simulation.md", "utf8"));
const TRIES = 60;

afterAll(stopLoading);

describe("seeded bugs", () => {
  it("are those of the page", () => {
    expect([...documented.keys()]).toEqual(MUTATIONS.map(({ name }) => name));
  });

  it.each(MUTATIONS)(
    "$name: is found",
    async (mutation) => {
      const found = await hunt(root, mutation, seedsFrom(documented.get(mutation.name) ?? 1, TRIES));
      expect(found.violation, "Renew the page: npm run simulate -- --mutations").toBeDefined();
    },
    60_000,
  );

  it("can't be built when their text is gone", async () => {
    const gone = { file: "functions/stream/handler.ts", from: "no such text", to: "" };
    await expect(loadProduct(root, [gone])).rejects.toThrow("has the text of a seeded bug 0 times");
  });

  it("fail with less than the whole history", async () => {
    const [mutation] = MUTATIONS;
    const plan = planOf(documented.get(mutation?.name ?? "") ?? 1);
    const smaller = await shrink(plan, prepare(await loadProduct(root, mutation?.changes)));
    expect(smaller?.violations.length).toBeGreaterThan(0);
    expect(smaller?.plan.arrivals.length).toBeLessThan(plan.arrivals.length);
  }, 120_000);
});
