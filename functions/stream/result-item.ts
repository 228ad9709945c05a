/**
 * A result as an item of the table. A write unit pays for 1,024 bytes, and units are what limits a provisioned table, so what the archive
 * keeps for people is stored here in its shortest readable form. The event's own fields, the names of features and everything else that
 * isn't needed to write its archive line again are only in the archive.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { ChallengerScore, Decision, ModelSource, Reason } from "../scoring/core/types";
import { b, type Item, n, readNumber, readStrings, readText, s, strings } from "../shared/attribute-values";
import { itemBytes, WRITE_UNIT_BYTES } from "../shared/item-size";
import type { StoredResult } from "./ports";

/** `[code, text, contribution]`. */
type ReasonRow = readonly [string, string, number];

/** Attributes that are only read when the event is delivered again; they are compressed into one if that saves a second unit. */
interface Details {
  readonly source_position: string;
  /** JSON of {@link ReasonRow}s. */
  readonly reasons: string;
  /** Numbers by slot, separated by commas; empty where not known. */
  readonly features: string;
  /** JSON; absent when there were no models in shadow. */
  readonly challengers?: string;
  /** JSON; absent when the champion answered. */
  readonly model_source?: string;
}

/** `expiresAt` is the table's TTL, epoch seconds. */
export function resultItem(result: StoredResult, expiresAt: number): Item {
  const { decision } = result;
  const summary: Item = {
    transaction_id: s(result.eventId),
    ...(result.userToken === null ? {} : { user_id: s(result.userToken) }),
    score: n(decision.score),
    band: s(decision.band),
    ...(decision.flags.length === 0 ? {} : { flags: strings(decision.flags) }),
    model_version: s(decision.modelVersion),
    policy_version: s(decision.policyVersion),
    occurred_at: s(result.occurredAt),
    scored_at: s(result.scoredAt),
    archive_key: s(result.archiveKey),
    input_hash: b(Buffer.from(result.inputHash, "hex")),
    ttl: n(expiresAt),
  };
  const details = detailsOf(result);
  const plain: Item = { ...summary };
  for (const name in details) plain[name] = s(details[name as keyof Details] as string);
  if (itemBytes(plain) <= WRITE_UNIT_BYTES) return plain;
  return { ...summary, details: b(deflateRawSync(JSON.stringify(details))) };
}

function detailsOf({ sourcePosition, decision, features, challengers = [] }: StoredResult): Details {
  const { modelSource } = decision;
  return {
    source_position: sourcePosition,
    reasons: JSON.stringify(decision.reasons.map(({ code, text, contribution }): ReasonRow => [code, text, contribution])),
    features: featuresText(features),
    ...(challengers.length === 0 ? {} : { challengers: JSON.stringify(challengers) }),
    ...(modelSource === undefined ? {} : { model_source: JSON.stringify(modelSource) }),
  };
}

/** Only reads what `resultItem` wrote. @throws SyntaxError for anything else */
export function readResult(item: Item): StoredResult {
  const compressed = item.details?.B;
  const details: Partial<Details> =
    compressed === undefined
      ? Object.fromEntries(DETAILS.flatMap((name) => (item[name]?.S === undefined ? [] : [[name, item[name].S]])))
      : (JSON.parse(inflateRawSync(compressed).toString()) as Details);
  return {
    eventId: readText(item, "transaction_id"),
    sourcePosition: details.source_position ?? "",
    inputHash: Buffer.from(item.input_hash?.B ?? []).toString("hex"),
    archiveKey: readText(item, "archive_key"),
    scoredAt: readText(item, "scored_at"),
    occurredAt: readText(item, "occurred_at"),
    userToken: item.user_id?.S ?? null,
    decision: decisionOf(item, details),
    features: readFeatures(details.features ?? ""),
    ...(details.challengers === undefined ? {} : { challengers: JSON.parse(details.challengers) as readonly ChallengerScore[] }),
  };
}

const DETAILS = [
  "source_position",
  "reasons",
  "features",
  "challengers",
  "model_source",
] as const satisfies readonly (keyof Details)[];

function decisionOf(item: Item, { reasons = "[]", model_source }: Partial<Details>): Decision {
  const rows = JSON.parse(reasons) as readonly ReasonRow[];
  return {
    score: readNumber(item, "score"),
    band: readText(item, "band"),
    reasons: rows.map(([code, text, contribution]): Reason => ({ code, text, contribution })),
    flags: readStrings(item, "flags"),
    modelVersion: readText(item, "model_version"),
    policyVersion: readText(item, "policy_version"),
    ...(model_source === undefined ? {} : { modelSource: JSON.parse(model_source) as ModelSource }),
  };
}

/** The shortest text that gives the same number back; 0.1 takes three bytes, its binary form would take eight. */
function featuresText(features: Float64Array): string {
  const parts: (number | string)[] = [];
  for (const value of features) parts.push(Number.isFinite(value) ? value : "");
  return parts.join();
}

const readFeatures = (text: string): Float64Array =>
  Float64Array.from(text.split(","), (value) => (value === "" ? Number.NaN : Number(value)));
