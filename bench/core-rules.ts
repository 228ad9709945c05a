/**
 * `core.rules`: from a decoded transaction to a decision with the ten rules of the default fraud policy. Ours does everything (clean-up,
 * features from the state, rules, score, reasons); the peers get ready-made facts and only evaluate the rules. The run fails unless all
 * three agree on every record about which rules fire.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { policy as validatePolicy } from "#validators";
import type { CompiledPolicy } from "../functions/scoring/core/policy";
import type { Condition, Operator, PolicyDocument } from "../functions/scoring/core/policy-document";
import { score } from "../functions/scoring/core/score";
import { compilePolicy } from "../functions/scoring/policy/compile";
import { FRAUD } from "../functions/scoring/profiles/fraud";
import type { FraudState } from "../functions/scoring/profiles/fraud/state";
import type { Bench, BenchResult } from "./types";

const RECORDS = 2000;
const ROUNDS = 9;
/** Records per round: a round takes some 20 ms, so the clock's resolution and a garbage collection don't matter. */
const OURS_PASSES = 10;
const PEER_RECORDS = 500;
/** Concurrent calls to zen-engine, which evaluates on its own threads; it is fastest this way. */
const ZEN_CONCURRENCY = 32;

type Facts = Record<string, number>;

interface Sample {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly state: FraudState | null;
  readonly facts: Facts;
  readonly fired: string;
}

/** Returns the ids of the rules that fired for each sample, sorted and joined. */
type Engine = (samples: readonly Sample[]) => Promise<string[]>;

interface JsonRules {
  Engine: new (
    rules: readonly unknown[],
    options: { allowUndefinedFacts: boolean },
  ) => { run(facts: Facts): Promise<{ events: readonly { type: string }[] }> };
}

interface Zen {
  ZenEngine: new () => {
    createDecision(content: unknown): { evaluate(context: Facts): Promise<{ result: Readonly<Record<string, boolean>> }> };
    dispose(): void;
  };
}

export const bench: Bench = { id: "core.rules", unit: "records/s", better: "higher", run };

async function run(): Promise<BenchResult> {
  const compiled = compilePolicy(FRAUD.defaultPolicy, FRAUD, validatePolicy);
  if (!compiled.ok) throw new Error(`The default fraud policy does not compile: ${JSON.stringify(compiled.problems)}`);
  const samples = generate(compiled.policy);
  const peerRequire = createRequire(join(process.cwd(), "bench", "peers", "package.json"));
  const engines: Readonly<Record<string, Engine>> = {
    "json-rules-engine": jsonRules(peerRequire("json-rules-engine"), FRAUD.defaultPolicy),
    "zen-engine": zen(peerRequire("@gorules/zen-engine"), FRAUD.defaultPolicy),
  };
  for (const [name, engine] of Object.entries(engines)) agree(name, await engine(samples), samples);

  const ours: number[] = [];
  const peers: Record<string, number[]> = Object.fromEntries(Object.keys(engines).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(oursPerSecond(compiled.policy, samples));
    for (const [name, engine] of Object.entries(engines)) {
      const part = samples.slice(0, PEER_RECORDS);
      const started = performance.now();
      await engine(part);
      peers[name]?.push((part.length / (performance.now() - started)) * 1000);
    }
  }
  const fired = samples.filter((sample) => sample.fired !== "").length;
  const rate = median(ours);
  return {
    ours: rate,
    peers: Object.fromEntries(Object.entries(peers).map(([name, rates]) => [name, median(rates)])),
    note:
      `${RECORDS} transactions, ${Math.round((fired / RECORDS) * 100)} % with a fired rule, ${FRAUD.defaultPolicy.rules.length} rules; ` +
      `ours ${(1e6 / rate).toFixed(2)} µs with clean-up, features and reasons, peers evaluate only the rules, on ready-made facts; ` +
      `all agree on the fired rules; medians of ${ROUNDS} interleaved rounds, Node ${process.versions.node}.`,
  };
}

function oursPerSecond(policy: CompiledPolicy, samples: readonly Sample[]): number {
  const features = new Float64Array(FRAUD.features.size);
  let sum = 0;
  const started = performance.now();
  for (let pass = 0; pass < OURS_PASSES; pass++) {
    for (const { raw, state } of samples) sum += score(FRAUD, policy, FRAUD.normalise(raw), state, features).decision.score;
  }
  const elapsed = performance.now() - started;
  if (!Number.isFinite(sum)) throw new Error("A score of the benchmark is not finite; the scoring core is broken.");
  return ((OURS_PASSES * samples.length) / elapsed) * 1000;
}

function agree(name: string, answers: readonly string[], samples: readonly Sample[]): void {
  for (const [index, { fired, facts }] of samples.entries()) {
    if (answers[index] !== fired) {
      throw new Error(
        `${name} fires [${answers[index]}] where ours fires [${fired}] on ${JSON.stringify(facts)}; the rules differ.`,
      );
    }
  }
}

/** Transactions of 200 users with bursts, distant places and high amounts; seeded, so every run measures the same. */
function generate(policy: CompiledPolicy): Sample[] {
  const random = seeded(7);
  const states = new Map<string, FraudState>();
  const mentioned = [...new Set(policy.profile.defaultPolicy.rules.flatMap((rule) => fields(rule.when)))];
  let now = Date.UTC(2026, 0, 5);
  return Array.from({ length: RECORDS }, (_, index) => {
    now += random() < 0.2 ? 0 : random() * 60_000;
    const user = `user-${Math.floor(random() * (random() < 0.1 ? 3 : 200))}`;
    const far = random() < 0.02;
    const raw = {
      transaction_id: `txn-${index}`,
      user_id: user,
      amount: Math.round((random() < 0.03 ? 900 + random() * 12_000 : random() * 180) * 100) / 100,
      timestamp: new Date(now).toISOString(),
      currency: "USD",
      category: "grocery_pos",
      country: far ? "BR" : "US",
      latitude: (far ? -23.5 : 40.7) + random(),
      longitude: (far ? -46.6 : -74) + random(),
      home_latitude: 40.7,
      home_longitude: -74,
      device_id: random() < 0.05 ? `device-${index}` : `device-${user}`,
    };
    const input = FRAUD.normalise(raw);
    const state = states.get(user) ?? null;
    const { features, decision } = score(FRAUD, policy, input, state);
    states.set(user, FRAUD.fold(state, input, input.occurredAtMs));
    // Both peers need a number for a missing value. Every such comparison is ">" or ">=", so a low number gives the same result.
    const facts = Object.fromEntries(
      mentioned.map((name) => {
        const value = features[FRAUD.features.slot(name)];
        return [name, value === undefined || Number.isNaN(value) ? -1e9 : value];
      }),
    );
    return { raw, state, facts, fired: [...decision.flags].sort().join() };
  });
}

function jsonRules(library: JsonRules, document: PolicyDocument): Engine {
  const names: Readonly<Record<Operator, string>> = {
    ">": "greaterThan",
    ">=": "greaterThanInclusive",
    "<": "lessThan",
    "<=": "lessThanInclusive",
    "==": "equal",
    "!=": "notEqual",
  };
  const convert = (condition: Condition): unknown => {
    if ("all" in condition) return { all: condition.all.map(convert) };
    if ("any" in condition) return { any: condition.any.map(convert) };
    if ("not" in condition) return { not: convert(condition.not) };
    return { fact: condition.field, operator: names[condition.op], value: constant(condition.value, document) };
  };
  const rules = document.rules.map(({ id, when }) => ({
    conditions: "field" in when ? { all: [convert(when)] } : convert(when),
    event: { type: id },
  }));
  const engine = new library.Engine(rules, { allowUndefinedFacts: true });
  return async (samples) => {
    const answers: string[] = [];
    for (const { facts } of samples) {
      const { events } = await engine.run(facts);
      answers.push(joined(events.map((event) => event.type)));
    }
    return answers;
  };
}

function zen(library: Zen, document: PolicyDocument): Engine {
  const convert = (condition: Condition): string => {
    if ("all" in condition) return `(${condition.all.map(convert).join(" and ")})`;
    if ("any" in condition) return `(${condition.any.map(convert).join(" or ")})`;
    if ("not" in condition) return `(not ${convert(condition.not)})`;
    return `(${condition.field} ${condition.op} ${constant(condition.value, document)})`;
  };
  const decision = new library.ZenEngine().createDecision({
    contentType: "application/vnd.gorules.decision",
    nodes: [
      { id: "in", name: "in", type: "inputNode" },
      {
        id: "rules",
        name: "rules",
        type: "expressionNode",
        content: { expressions: document.rules.map(({ id, when }) => ({ id, key: id, value: convert(when) })) },
      },
      { id: "out", name: "out", type: "outputNode" },
    ],
    edges: [
      { id: "1", type: "edge", sourceId: "in", targetId: "rules" },
      { id: "2", type: "edge", sourceId: "rules", targetId: "out" },
    ],
  });
  const ids = document.rules.map((rule) => rule.id);
  return async (samples) => {
    const answers: string[] = [];
    for (let start = 0; start < samples.length; start += ZEN_CONCURRENCY) {
      const results = await Promise.all(
        samples.slice(start, start + ZEN_CONCURRENCY).map(({ facts }) => decision.evaluate(facts)),
      );
      for (const { result } of results) answers.push(joined(ids.filter((id) => result[id] === true)));
    }
    return answers;
  };
}

function joined(ids: readonly string[]): string {
  return ids.length > 1 ? [...ids].sort().join() : (ids[0] ?? "");
}

function constant(value: number | string, { thresholds = {} }: PolicyDocument): number {
  const found = typeof value === "number" ? value : thresholds[value.slice(1)];
  if (found === undefined) throw new Error(`Threshold ${value} is missing from the policy; the benchmark only supports numbers.`);
  return found;
}

function fields(condition: Condition): readonly string[] {
  if ("all" in condition) return condition.all.flatMap(fields);
  if ("any" in condition) return condition.any.flatMap(fields);
  return "not" in condition ? fields(condition.not) : [condition.field];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** mulberry32: small, fast, and good enough for samples. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
