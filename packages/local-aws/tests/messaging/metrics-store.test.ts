import { expect, it } from "vitest";
import { StateDatabase } from "../../src/engine/state-database";
import { MetricsStore } from "../../src/services/cloudwatch/metrics-store";

const metric = { namespace: "AWS/Lambda", name: "Invocations", dimensions: { FunctionName: "f" } };
const sum = (store: MetricsStore) => store.statistics(metric, "Sum", 60_000, 0, 60_000).map(({ value }) => value);
const stored = (db: StateDatabase) => Number(db.prepare("SELECT count(*) AS values_ FROM cw_values").get()?.values_);

it("has every value that was put, before and after it is stored", () => {
  const db = new StateDatabase(":memory:");
  const store = new MetricsStore(db);
  for (let value = 1; value <= 3; value++) store.put(metric, value, "Count", value);
  expect(stored(db)).toBe(0);
  expect(sum(store)).toEqual([6]);
  expect(stored(db)).toBe(3);
  store.put(metric, 4, "Count", 4);
  store.flush();
  expect(sum(new MetricsStore(db))).toEqual([10]);
});

it("stores many values without being read, but not inside a transaction that may be rolled back", () => {
  const db = new StateDatabase(":memory:");
  const store = new MetricsStore(db);
  db.exec("BEGIN");
  for (let count = 0; count < 1500; count++) store.put(metric, 1, "Count", count);
  db.exec("ROLLBACK");
  expect(sum(store)).toEqual([1500]);
  for (let count = 0; count < 1000; count++) store.put(metric, 1, "Count", count);
  expect(stored(db)).toBe(2500);
});
