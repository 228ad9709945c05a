import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTrees } from "@risk/tree-kernel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customer } from "../../cli/training/churn-world";
import { userHistory } from "../../cli/training/fraud-world";
import { churnRows, fraudRows, headerOf, learnt, SPLITS } from "../../cli/training/rows";
import { convertBankChurn, SEED, writeTrainingData } from "../../cli/training/training-data";
import { CHURN } from "../../functions/scoring/profiles/churn";
import { FRAUD } from "../../functions/scoring/profiles/fraud";
import { context, encode, event, kinesisRecord, StreamWorld } from "../helpers/stream-world";
import { imageOf, named, SHIPPED } from "./shipped";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "training-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("training rows", () => {
  const users = 60;
  const rows = fraudRows({ seed: SEED, users });
  const histories = Array.from({ length: users }, (_, user) => userHistory(SEED, user));
  const byId = new Map(histories.flat().map((record) => [record.raw.transaction_id, record]));

  it("are those that the shipped models were trained with: run `npm run train` after a change of features or worlds", () => {
    const generated = new Map<string, string>(writeTrainingData(folder).map(({ profile, sha256 }) => [profile, sha256]));
    for (const { profile, data } of SHIPPED) expect(generated.get(profile)).toBe(data.sha256);
    expect(readFileSync(join(folder, "churn-train.csv"), "utf8").split("\n")[0]).toBe(headerOf(CHURN));
  }, 120_000);

  it("train on the past of some users and are judged by the future of others", () => {
    const facts = Object.fromEntries(
      SPLITS.map((split) => {
        const records = rows[split].map((line) => byId.get(line.split(",")[0]!)!);
        return [split, { users: new Set(records.map(({ user }) => user)), times: records.map(({ atMs }) => atMs) }];
      }),
    );
    const { train, validation, holdout } = facts;
    expect(Math.max(...train!.times, ...validation!.times)).toBeLessThan(Math.min(...holdout!.times));
    const everyone = [train!, validation!, holdout!].flatMap(({ users }) => [...users]);
    expect(everyone.length).toBe(new Set(everyone).size);
    for (const { users, times } of Object.values(facts)) {
      expect(users.size).toBeGreaterThan(2);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it("hold every kind of honest anomaly and of fraud, and overlap", () => {
    const labels = new Map<string, number>();
    let frauds = 0;
    let total = 0;
    let below = 0;
    for (let user = 0; user < 600; user++) {
      for (const { label, isFraud, raw } of userHistory(SEED, user)) {
        labels.set(label, (labels.get(label) ?? 0) + 1);
        total++;
        if (!isFraud) continue;
        frauds++;
        if (Number(raw.amount) < 1000) below++;
      }
    }
    expect([...labels.keys()].sort()).toEqual([
      "account takeover",
      "borrowed device",
      "bust-out",
      "busy day",
      "card testing",
      "gift or deposit",
      "impossible travel",
      "large purchase",
      "local takeover",
      "ordinary",
      "remote merchant",
      "shopping spree",
      "single purchase",
      "slow card testing",
      "small change",
      "stolen card",
      "trip abroad",
    ]);
    expect(frauds / total).toBeGreaterThan(0.005);
    expect(frauds / total).toBeLessThan(0.02);
    expect(below / frauds).toBeGreaterThan(0.5);
  });

  it("are the features that the stream processor archives, to the bit once they are float32", async () => {
    const world = new StreamWorld();
    const handler = world.handler();
    const sent = histories.flat().sort((a, b) => a.atMs - b.atMs);
    for (let first = 0; first < sent.length; first += 100) {
      const records = sent.slice(first, first + 100).map(({ raw }, index) => kinesisRecord(first + index, encode(raw)));
      await handler(event(...records), context);
    }
    expect(world.quarantined()).toEqual([]);
    const archived = new Map(world.archived().map((record) => [record.event_id, record.features]));
    expect(archived.size).toBe(sent.length);

    const names = learnt(FRAUD.features).map(({ name }) => name);
    const trees = loadTrees(imageOf(named("fraud-trees-1")));
    const lines = SPLITS.flatMap((split) => rows[split]);
    expect(lines.length).toBeGreaterThanOrEqual(1000);
    for (const line of lines) {
      const [id, ...cells] = line.split(",");
      const trained = Float32Array.from(cells.slice(0, -1), Number);
      const features = archived.get(id!)!;
      const live = Float32Array.from(names, (name) => features[name] ?? Number.NaN);
      expect(new Uint32Array(live.buffer), `row ${id}`).toEqual(new Uint32Array(trained.buffer));
      expect(trees.margins(live)[0]).toBe(trees.margins(trained)[0]);
    }
  }, 60_000);
});

describe("churn rows", () => {
  it("are what POST /predict accepts, in three countries, a fifth of them lost", () => {
    const customers = Array.from({ length: 2000 }, (_, index) => customer(SEED, index));
    const { train, validation, holdout } = churnRows({ seed: SEED, customers: 2000 });
    expect([train.length, validation.length, holdout.length]).toEqual([1200, 200, 600]);
    expect(customers.every(({ data }) => data[9]! + data[10]! + data[11]! === 1)).toBe(true);
    const left = customers.filter(({ hasLeft }) => hasLeft).length / customers.length;
    expect(left).toBeGreaterThan(0.15);
    expect(left).toBeLessThan(0.25);
  });

  it("can be made from a bank's own file, whose mistakes are named", () => {
    const columns =
      "CreditScore,Geography,Gender,Age,Tenure,Balance,NumOfProducts,HasCrCard,IsActiveMember,EstimatedSalary,Exited";
    const file = join(folder, "bank.csv");
    writeFileSync(
      file,
      `${columns}\n619,France,Female,42,2,0,1,1,1,101348.88,1\n608,Spain,Male,41,1,83807.86,2,0,1,112542.58,0\n`,
    );
    expect(convertBankChurn(file, folder)).toBe(2);
    expect(readFileSync(join(folder, "bank-churn.csv"), "utf8").split("\n").slice(1)).toEqual([
      "0,619,0,42,2,0,1,1,1,101348.88,1,0,0,9,0,0,0,-3,1",
      "1,608,1,41,1,83807.86,2,0,1,112542.58,0,0,1,16,1,1,0,-4,0",
      "",
    ]);
    writeFileSync(file, `${columns}\n619,France,Female,old,2,0,1,1,1,101348.88,1\n`);
    expect(() => convertBankChurn(file, folder)).toThrow('bank.csv, row 2, column "Age": expected a number, got "old".');
  });
});
