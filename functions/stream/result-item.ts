/**
 * A result as an item of the table. A write unit pays for 1,024 bytes, and units are what limits a provisioned table, so what the archive
 * keeps for people is stored here in its shortest readable form. The event's own fields, the names of features and everything else that
 * isn't needed to write its archive line again are only in the archive.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { readFeatureList } from "../scoring/core/features";
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
  /** `StoredResult.featureList`; 0.1 takes three bytes, its binary form would take eight. */
  readonly features: string;
  /** JSON; absent when there were no models in shadow. */
  readonly challengers?: string;
  /** JSON; absent when the champion answered. */
  readonly model_source?: string;
}

/** `expiresAt` is the table's TTL, epoch seconds. */
export function resultItem(result: StoredResult, expiresAt: number): Item {
  const details = detailsOf(result);
  const plain = summaryOf(result, expiresAt);
  for (const name of DETAILS) {
    const text = details[name];
    if (text !== undefined) plain[name] = s(text);
  }
  if (itemBytes(plain) <= WRITE_UNIT_BYTES) return plain;
  const short = summaryOf(result, expiresAt);
  short.details = b(deflateRawSync(JSON.stringify(details)));
  return short;
}

function summaryOf(result: StoredResult, expiresAt: number): Item {
  const { decision, userToken } = result;
  const item: Item = {
    transaction_id: s(result.eventId),
    score: n(decision.score),
    band: s(decision.band),
    model_version: s(decision.modelVersion),
    policy_version: s(decision.policyVersion),
    occurred_at: s(result.occurredAt),
    scored_at: s(result.scoredAt),
    archive_key: s(result.archiveKey),
    input_hash: b(Buffer.from(result.inputHash, "hex")),
    ttl: n(expiresAt),
  };
  if (userToken !== null) item.user_id = s(userToken);
  if (decision.flags.length > 0) item.flags = strings(decision.flags);
  return item;
}

function detailsOf({ sourcePosition, decision, featureList, challengers = [] }: StoredResult): Details {
  const { modelSource } = decision;
  return {
    source_position: sourcePosition,
    reasons: JSON.stringify(decision.reasons.map(({ code, text, contribution }): ReasonRow => [code, text, contribution])),
    features: featureList,
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
    features: readFeatureList(details.features ?? ""),
    featureList: details.features ?? "",
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
