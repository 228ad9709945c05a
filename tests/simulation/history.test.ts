import { afterAll, beforeAll, expect, it } from "vitest";
import { runHistory } from "../../simulation/history";
import { loadProduct, stopLoading } from "../../simulation/load-product";
import { planOf } from "../../simulation/plan";
import { type Prepared, prepare } from "../../simulation/prepared";
import { shrink } from "../../simulation/shrink";

let prepared: Prepared;
beforeAll(async () => {
  prepared = prepare(await loadProduct(process.cwd()));
});
afterAll(stopLoading);

async function traceOf(seed: number): Promise<string> {
  const lines: string[] = [];
  await runHistory(planOf(seed), prepared, (actor, event) => lines.push(`${actor} ${event}`));
  return lines.join("\n");
}

it("is the same for the same seed, to the last call", async () => {
  const [first, second, other] = [await traceOf(5), await traceOf(5), await traceOf(6)];
  expect(first.length).toBeGreaterThan(1_000);
  expect(second).toBe(first);
  expect(other).not.toBe(first);
});

it("isn't made smaller when nothing is wrong with it", async () => {
  expect(await shrink(planOf(5), prepared)).toBeUndefined();
});
