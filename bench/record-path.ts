/**
 * `record.path`: a device record from base64 to the JSON of its decision, with a model of the reference shape for the profile of
 * 85 features: canonical base64, JSON, size guards, compiled validator, clean-up, feature vector, 22 categorical look-ups, model,
 * eleven rules, decision. The peer is the unavoidable part of it: decoding, parsing, the model alone on a ready row, and writing the
 * same decision.
 */

import { loadTrees, readXgboost } from "@risk/tree-kernel";
import { device as validateDevice, policy as validatePolicy } from "#validators";
import { RECORD_LIMITS } from "../functions/formats/decode";
import { accept } from "../functions/scoring/core/accept";
import { decideAnswer } from "../functions/scoring/models/answer";
import { encoder } from "../functions/scoring/models/feature-encoder";
import type { FeatureSpec } from "../functions/scoring/models/feature-spec";
import { localMember } from "../functions/scoring/models/model-set";
import { compileWithSpec } from "../functions/scoring/models/tree-image";
import { treeModel } from "../functions/scoring/models/tree-model";
import { compilePolicy } from "../functions/scoring/policy/compile";
import { DEVICE } from "../functions/scoring/profiles/device";
import { FLAGS, NUMBERS, TEXTS } from "../functions/scoring/profiles/device/features";
import { parseJsonBytes } from "../functions/shared/json-input";
import { decodeBase64 } from "../functions/stream/decode";
import { fastest } from "./trees/peers";
import { categoriesOf, featureCount, modelOf, REFERENCE, rowsOf, type Shape } from "./trees/shape";
import type { Bench, BenchResult } from "./types";

const RECORDS = 1000;
const ROUNDS = 15;
const WARM_UP = 4;

const firstNumber = FLAGS.length + TEXTS.length;

/** Numbers as senders write them: integers, or two decimals where the range is narrow. */
function valueAt(feature: number, at: number): number {
  if (feature < FLAGS.length) return at < 0.7 ? 0 : 1;
  if (feature < firstNumber) return Math.floor(at * categoriesOf(feature));
  const { minimum, maximum } = NUMBERS[feature - firstNumber]!;
  const low = Math.max(minimum, 0);
  const high = Math.min(maximum, 2000);
  const value = low + at * (high - low);
  return high - low > 100 ? Math.round(value) : Math.round(value * 100) / 100;
}

const SHAPE: Shape = { ...REFERENCE, name: "device", valueAt };

const textOf = (feature: number, code: number): string =>
  `${TEXTS[feature - FLAGS.length]!.name}-${String(code).padStart(2, "0")}`;

const SPEC: FeatureSpec = {
  version: 1,
  features: DEVICE.features.definitions.map(({ name, open, boolean }, feature) => {
    if (!open) return { name, type: boolean ? "boolean" : "numeric", from: "features", default: null };
    const categories = Array.from({ length: categoriesOf(feature) }, (_, code) => textOf(feature, code));
    return { name, type: "categorical", from: "input", encoder: "ordinal", categories, unknown: null, default: null };
  }),
};

type Raw = Record<string, string | number | boolean | null>;

/** Usual values of the features that rules use; drawn at random like the others, they would make every record an alert. */
const ORDINARY: Raw = {
  vpn: false,
  proxy: false,
  bot: false,
  inconsistency_count: 0,
  emulator_likelihood: 0.02,
  timezone_mismatch_hours: 0,
  ip_risk_score: 12,
  device_age_days: 340,
  account_age_days: 900,
  accounts_on_device_24h: 1,
  failed_logins_24h: 0,
  chargebacks_365d: 0,
};
/** One in this many of these values is drawn at random like the others. */
const UNUSUAL = 20;

function recordsOf(rows: Float32Array): Raw[] {
  const width = featureCount(SHAPE);
  return Array.from({ length: RECORDS }, (_, index) => {
    const record: Raw = { request_id: `req-${index}`, device_id: `device-${index % 200}`, ip_address: `192.0.2.${index % 256}` };
    for (const [feature, { name }] of DEVICE.features.definitions.entries()) {
      const value = rows[index * width + feature]!;
      // A sender that always fills in the same form leaves no field out.
      if (Number.isNaN(value)) record[name] = null;
      else if (feature < FLAGS.length) record[name] = value === 1;
      // A double that rounds to this float32 and has a short text.
      else record[name] = feature < firstNumber ? textOf(feature, value) : Math.round(value * 100) / 100;
    }
    for (const [position, [name, value]] of Object.entries(ORDINARY).entries()) {
      if (record[name] !== null && (7 * index + 3 * position) % UNUSUAL !== 0) record[name] = value;
    }
    return record;
  });
}

async function run(): Promise<BenchResult> {
  const compiled = compilePolicy(DEVICE.defaultPolicy, DEVICE, validatePolicy);
  if (!compiled.ok) throw new Error(`The default device policy does not compile: ${JSON.stringify(compiled.problems)}`);
  const { policy } = compiled;
  const trees = loadTrees(compileWithSpec(readXgboost(new TextEncoder().encode(modelOf(SHAPE))), SPEC));
  const model = treeModel(trees, DEVICE.features, { version: "device-reference", max: DEVICE.scale.max });
  // As in the platform, tree models give reasons only where somebody reads them: in bands that alert.
  const group = { member: localMember(model, true), source: undefined };
  const vector = new Float64Array(DEVICE.features.size);
  const scores = new Float64Array(1);

  const decisionOf = (payload: string) => {
    const bytes = decodeBase64(payload);
    const json = bytes === null ? null : parseJsonBytes(bytes, RECORD_LIMITS);
    if (json === null || !json.ok) throw new Error("A record of the benchmark is not base64 of JSON.");
    const accepted = accept(DEVICE, validateDevice, json.value);
    if (!accepted.ok) throw new Error(`A record of the benchmark is refused: ${JSON.stringify(accepted.problems)}`);
    DEVICE.extract(accepted.input, null, vector, 0);
    model.scoreBatch(vector, 1, scores);
    return decideAnswer(policy, vector, scores[0]!, group, policy.isAlert);
  };
  const path = (payload: string): string => JSON.stringify(decisionOf(payload));

  const raw = recordsOf(rowsOf(SHAPE, RECORDS));
  const encode = encoder(SPEC);
  const all = raw.map((record) => {
    const payload = Buffer.from(JSON.stringify(record)).toString("base64");
    const decision = decisionOf(payload);
    const row = encode.encode(record);
    const expected = Math.min(DEVICE.scale.max, Math.max(0, trees.predict(row)[0]!));
    if (model.score(vector) !== expected) throw new Error(`Record ${record.request_id} doesn't get the score of its own row.`);
    return { payload, decision, row };
  });
  const alerts = all.filter(({ decision }) => policy.isAlert(decision.band));
  const ordinary = all.filter(({ decision }) => !policy.isAlert(decision.band));

  const out = new Float32Array(1);
  const contestants: Readonly<Record<string, readonly [typeof all, (one: (typeof all)[number]) => unknown]>> = {
    ours: [ordinary, ({ payload }) => path(payload)],
    "own-parts": [
      ordinary,
      ({ payload, decision, row }) => {
        JSON.parse(Buffer.from(payload, "base64").toString("latin1"));
        trees.predict(row, out);
        return JSON.stringify(decision);
      },
    ],
    model: [ordinary, ({ row }) => trees.predict(row, out)],
    alert: [alerts, ({ payload }) => path(payload)],
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [name, [records, contestant]] of Object.entries(contestants)) {
      const start = performance.now();
      for (const record of records) contestant(record);
      const time = ((performance.now() - start) * 1000) / records.length;
      if (round >= WARM_UP) times[name] = [...(times[name] ?? []), time];
    }
  }
  const [ours, parts, alone, alert] = ["ours", "own-parts", "model", "alert"].map((name) => fastest(times[name]!));
  const bytes = all.reduce((sum, { payload }) => sum + Buffer.byteLength(payload, "base64"), 0) / all.length;
  return {
    ours: ours!,
    peers: { "own-parts": parts! },
    note:
      `${ordinary.length} device records of some ${Math.round(bytes)} bytes, 3 + 22 + 60 features, model of ${SHAPE.trees} trees, ${policy.rules.length} rules; ` +
      `own-parts is base64, JSON.parse, model alone (${alone!.toFixed(1)} µs) and JSON.stringify of the decision; ` +
      `a record that alerts costs ${alert!.toFixed(1)} µs with the reasons of all its trees (${alerts.length} more records); ` +
      `fastest of ${ROUNDS} interleaved rounds, Node ${process.versions.node}`,
  };
}

export const bench: Bench = {
  id: "record.path",
  unit: "µs",
  better: "lower",
  requirements: [{ peer: "own-parts", times: 1 / 2.5 }],
  run,
};
