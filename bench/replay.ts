/**
 * `replay`: archived transactions scored again on one core with a changed threshold, from the bytes of archive objects to those of objects
 * of a decision generation. The peer is the unavoidable part of it: unpacking, JSON.parse, the model alone, JSON.stringify of a line of
 * the same members, packing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { policy as validatePolicy } from "#validators";
import { readArchived } from "../functions/replay/archived-event";
import { sumUp } from "../functions/replay/changes";
import { EventIds, idHashes } from "../functions/replay/event-ids";
import { type Generation, generationLines } from "../functions/replay/generation-line";
import { replay } from "../functions/replay/replay";
import { isRescored, type Scoring } from "../functions/replay/rescore";
import { versionsOf } from "../functions/replay/versions";
import type { ArchiveRecord } from "../functions/scoring/core/archive-record";
import { featureWriter } from "../functions/scoring/core/features";
import type { CompiledPolicy } from "../functions/scoring/core/policy";
import { decideAnswer } from "../functions/scoring/models/answer";
import type { Member } from "../functions/scoring/models/model-set";
import { FRAUD } from "../functions/scoring/profiles/fraud";
import { archiveLine } from "../functions/shared/archive-line";
import { packLines, unpackLines } from "../functions/shared/ndjson";
import { createTokeniser } from "../functions/shared/tokeniser";
import { treeLoader } from "../functions/shared/tree-loader";
import { fastest } from "./trees/peers";
import type { Bench, BenchResult } from "./types";

const OBJECTS = 20;
/** A full Kinesis batch. */
const EVENTS = 1000;
const USERS = 200;
const ROUNDS = 12;
const WARM_UP = 3;
const MODEL = "fraud-trees-1";
const KEY = "archive/fraud/dt=2026-11-21/bench.ndjson.zst";
const GENERATION: Generation = { number: 1, scoredAt: "2026-11-22T00:00:00.000Z" };

/** Archive objects of ordinary transactions, five per user in twelve hours. */
function archive(policy: CompiledPolicy, member: Member): Uint8Array[] {
  const tokeniser = createTokeniser("bench", FRAUD.schema);
  const states = new Map<string, ReturnType<typeof FRAUD.fold>>();
  const write = featureWriter(FRAUD.features);
  const scores = new Float64Array(1);
  const line = (index: number): string => {
    const user = `user-${(index * 7) % USERS}`;
    const input = FRAUD.normalise({
      transaction_id: `txn-${index}`,
      user_id: user,
      // One in fifty is over a thousand.
      amount: Math.round((index % 50 === 0 ? 1200 : 5 + ((index * 37) % 9000) / 100) * 100) / 100,
      timestamp: new Date(Date.UTC(2026, 10, 21) + index * 43_200).toISOString(),
      currency: "USD",
      category: "grocery_pos",
      country: "US",
      latitude: 40 + (index % 10) / 10,
      longitude: -74 - (index % 10) / 10,
    });
    const state = states.get(user) ?? null;
    const features = new Float64Array(FRAUD.features.size);
    FRAUD.extract(input, state, features, input.occurredAtMs);
    states.set(user, FRAUD.fold(state, input, input.occurredAtMs));
    void member.model.scoreBatch(features, 1, scores);
    const decision = decideAnswer(policy, features, scores[0]!, { member, source: undefined }, policy.isAlert);
    const event = {
      eventId: input.transactionId,
      source: "kinesis",
      sourcePosition: `shardId-000000000000:${index}`,
      input,
      stored: FRAUD.stored(input),
      inputHash: "0".repeat(64),
      userToken: tokeniser.token(user),
      occurredAt: new Date(input.occurredAtMs).toISOString(),
    } as const;
    const score = { scoredAt: event.occurredAt, decision, features };
    return archiveLine(FRAUD, event, score, [], write(features).json, tokeniser);
  };
  return Array.from({ length: OBJECTS }, (_, object) =>
    packLines(Array.from({ length: EVENTS }, (_, index) => line(object * EVENTS + index))),
  );
}

/** As a thread of the command does it, but for reading and writing. */
function ours(objects: readonly Uint8Array[], scoring: Scoring): void {
  const ids = new EventIds();
  const lineOf = generationLines(FRAUD, GENERATION);
  for (const bytes of objects) {
    const events = unpackLines(KEY, bytes).map((line) => ({ event: readArchived(line, FRAUD), warmUp: false }));
    const fresh = ids.add(idHashes(events.map(({ event }) => event.record.event_id)));
    const outcomes = replay(events, "archived", scoring);
    const { events: counted } = sumUp(outcomes, FRAUD, (index) => fresh[index] === 1);
    if (counted !== EVENTS) throw new Error(`The replay counted ${counted} events of ${EVENTS}.`);
    packLines(outcomes.filter(isRescored).map(lineOf));
  }
}

function parts(objects: readonly Uint8Array[], { model }: Member): void {
  const { definitions, size } = FRAUD.features;
  for (const bytes of objects) {
    const records = unpackLines(KEY, bytes).map((line): ArchiveRecord => JSON.parse(line));
    const rows = new Float64Array(records.length * size);
    for (const [row, { features }] of records.entries())
      for (let slot = 0; slot < size; slot++) rows[row * size + slot] = features[definitions[slot]!.name] ?? Number.NaN;
    void model.scoreBatch(rows, records.length, new Float64Array(records.length));
    packLines(records.map(({ input: _input, input_hash: _hash, source_position: _position, ...line }) => JSON.stringify(line)));
  }
}

async function run(): Promise<BenchResult> {
  const member = treeLoader(FRAUD)(readFileSync(join(process.cwd(), "models", `${MODEL}.rsm`)), {
    kind: "trees",
    name: MODEL,
    key: "",
    sha256: "",
  });
  const { version: _, ...document } = FRAUD.defaultPolicy;
  const changed = JSON.stringify({ ...document, thresholds: { ...document.thresholds, high_amount: 1100 } });
  const versions = versionsOf({ profile: FRAUD, policies: [changed], validatePolicy });
  versions.models.set(MODEL, member);
  const decided = versions.policies.get(FRAUD.defaultPolicy.version ?? "");
  if (decided === undefined) throw new Error("The default policy has no version.");
  const objects = archive(decided.policy, member);
  const scoring: Scoring = { versions, policy: versions.inForce };
  const times = { ours: [] as number[], parts: [] as number[] };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [name, contestant] of [
      ["ours", () => ours(objects, scoring)],
      ["parts", () => parts(objects, member)],
    ] as const) {
      const start = performance.now();
      contestant();
      if (round >= WARM_UP) times[name].push(performance.now() - start);
    }
  }
  const rate = (milliseconds: readonly number[]): number => (OBJECTS * EVENTS * 1000) / fastest(milliseconds);
  const bytes = objects.reduce((sum, object) => sum + object.length, 0) / (OBJECTS * EVENTS);
  return {
    ours: rate(times.ours),
    peers: { "own-parts": rate(times.parts) },
    note:
      `${OBJECTS} objects of ${EVENTS} transactions, ${Math.round(bytes)} bytes each as archived, model ${MODEL}, one threshold changed; one core, ` +
      `without S3; own-parts is unpacking, JSON.parse, the model alone, JSON.stringify and packing; fastest of ${ROUNDS} interleaved rounds, ` +
      `Node ${process.versions.node}`,
  };
}

export const bench: Bench = { id: "replay", unit: "events/s", better: "higher", run };
