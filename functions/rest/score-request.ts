import { featureWriter } from "../scoring/core/features";
import { hashJson } from "../scoring/core/hash";
import { withJsonMember } from "../scoring/core/json";
import type { CompiledPolicy } from "../scoring/core/policy";
import { type AnyProfile, countingTime } from "../scoring/core/profile";
import type { ChallengerScore, Decision } from "../scoring/core/types";
import { answerRows, decideAnswer, expectedModel } from "../scoring/models/answer";
import type { ModelSet } from "../scoring/models/model-set";
import { NO_SHADOW, shadowRows } from "../scoring/models/shadow";
import { type AcceptedEvent, archiveLine } from "../shared/archive-line";
import type { Clock } from "../shared/clock";
import type { EventBus } from "../shared/event-bus";
import { describeError, type Log } from "../shared/log";
import type { Metrics } from "../shared/metrics";
import { createModelReport } from "../shared/model-report";
import type { ModelSource } from "../shared/model-source";
import { packLines } from "../shared/ndjson";
import { dateOf, objectKey } from "../shared/object-keys";
import type { ObjectStore } from "../shared/object-store";
import type { PolicySource } from "../shared/policy-source";
import type { Tokeniser } from "../shared/tokeniser";
import { decisionMembers, modelMembers, shown } from "./decision-answer";
import { inputNames } from "./input-names";
import type { ScoreStore, StoredScore } from "./ports";
import type { RestAnswer } from "./problems";

export interface ScoreRequestArgs {
  readonly profile: AnyProfile;
  readonly policies: PolicySource;
  /** Without it the policy's own model scores. */
  readonly models?: ModelSource | undefined;
  readonly tokeniser: () => Promise<Tokeniser>;
  readonly scores: ScoreStore;
  readonly bus: EventBus;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly eventDetailType: string;
  readonly cacheTtlSeconds: number;
  /** Largest number of points added or subtracted at random; 0 except in demonstrations. */
  readonly jitter: number;
  readonly random: () => number;
}

/**
 * A valid input → its answer: the cached score if there is a live one of the same policy and model, otherwise a new one. That is recorded
 * on the event bus (or in the archive, when the bus is down) before it is answered. Throws when it could not be recorded anywhere.
 */
export async function scoreRequest(
  input: unknown,
  requestId: string,
  headers: Readonly<Record<string, string>>,
  args: ScoreRequestArgs,
): Promise<RestAnswer> {
  const { profile, clock, metrics } = args;
  const storedInput = profile.stored(input);
  const inputHash = hashJson(storedInput);
  const inputId = hashJson([profile.id, inputHash]).slice(0, 32);
  const degraded: string[] = [];

  const [policy, models, tokeniser, newest] = await Promise.all([
    args.policies.current(),
    args.models?.current() ?? null,
    args.tokeniser(),
    args.scores.newest(inputId).catch((error: unknown) => {
      storeFailed("cache", error, degraded, args);
      return null;
    }),
  ]);
  const userKey = profile.userKey(input);
  const userToken = userKey === null ? null : tokeniser.token(userKey);
  const keyOf = () => userToken ?? inputId;
  if (newest !== null && isLive(newest, policy, expectedModel(models, policy, keyOf), clock)) {
    metrics.add("CacheHits", "Count", 1);
    observe(newest.decision, args);
    return answer(newest, profile, true, headers, degraded);
  }

  const now = clock.now();
  const { features, decision, challengers } = await decideOn(input, now, policy, models, keyOf, args);
  const stored: StoredScore = {
    inputId,
    timestamp: now,
    scoreId: `${inputId}-${now}-${requestId.slice(0, 8)}`,
    decision,
    answer: profile.answer(shown(decision.score, profile), policy.thresholds),
    expiresAt: Math.floor(now / 1000) + args.cacheTtlSeconds,
  };
  const at = new Date(now).toISOString();
  const event: AcceptedEvent = {
    eventId: stored.scoreId,
    source: "rest",
    sourcePosition: requestId,
    input,
    stored: storedInput,
    inputHash,
    userToken,
    occurredAt: at,
  };
  const { json } = featureWriter(profile.features)(features);
  const line = archiveLine(profile, event, { scoredAt: at, decision, features }, challengers, json, tokeniser);
  // One after the other: a score that could not be recorded must not answer the next call from the cache.
  await publish(stored, line, tokeniser.protect(storedInput), degraded, args);
  await args.scores.put(stored, profile.id).catch((error: unknown) => storeFailed("store", error, degraded, args));
  observe(decision, args);
  return answer(stored, profile, false, headers, degraded);
}

interface Decided {
  readonly features: Float64Array;
  readonly decision: Decision;
  /** Scores of the shadow models for the same input. */
  readonly challengers: readonly ChallengerScore[];
}

async function decideOn(
  input: unknown,
  now: number,
  policy: CompiledPolicy,
  models: ModelSet | null,
  keyOf: () => string,
  args: ScoreRequestArgs,
): Promise<Decided> {
  const { profile, log, metrics } = args;
  const features = new Float64Array(profile.features.size);
  profile.extract(input, null, features, countingTime(profile.occurredAtMs(input), now));
  const rows = { values: features, count: 1, keyOf };
  const report = createModelReport(log, metrics);
  const answers = await answerRows(models, policy, rows, report.failed);
  const decided = decideAnswer(policy, features, answers.scores[0]!, answers.group(0), () => true);
  const shadow =
    models === null
      ? NO_SHADOW
      : shadowRows({
          set: models,
          policy,
          rows,
          answers,
          decisionOf: () => decided,
          withRemote: false,
          onFailure: report.failed,
          onComparison: report.compared,
        });
  const decision = args.jitter === 0 ? decided : jittered(decided, policy, args);
  return { features, decision, challengers: shadow.of(0) };
}

const isLive = ({ expiresAt, decision }: StoredScore, policy: CompiledPolicy, model: string, clock: Clock): boolean =>
  expiresAt * 1000 > clock.now() && decision.policyVersion === policy.version && decision.modelVersion === model;

function storeFailed(part: "cache" | "store", error: unknown, degraded: string[], { metrics, log }: ScoreRequestArgs): void {
  metrics.add("StoreFailures", "Count", 1);
  log.warn("score_store_unavailable", { part, ...describeError(error) });
  degraded.push(part);
}

/** For demonstrations: a score with a random part, which is a reason of its own, so that contributions still add up. */
function jittered(decision: Decision, policy: CompiledPolicy, { jitter, random, profile }: ScoreRequestArgs): Decision {
  const wobble = (random() * 2 - 1) * jitter * (profile.scale.max / 100);
  const score = Math.min(profile.scale.max, Math.max(0, decision.score + wobble));
  const contribution = score - decision.score;
  const reasons = [...decision.reasons, { code: "demo_jitter", text: "Random part of the demonstration", contribution }];
  return { ...decision, score, band: policy.bandOf(score), reasons };
}

/** All scores go to the bus; those that the bus refuses are archived here, each in an object of its own. */
async function publish(
  stored: StoredScore,
  line: string,
  input: Readonly<Record<string, unknown>>,
  degraded: string[],
  args: ScoreRequestArgs,
): Promise<void> {
  const { decision, inputId, timestamp, scoreId } = stored;
  const names = inputNames(args.profile.id);
  const members = {
    [names.id]: inputId,
    id: scoreId,
    profile: args.profile.id,
    score: decision.score,
    band: decision.band,
    reasons: decision.reasons,
    flags: decision.flags,
    modelVersion: decision.modelVersion,
    ...modelMembers(decision),
    policyVersion: decision.policyVersion,
    [names.data]: input,
    timestamp: new Date(timestamp).toISOString(),
  };
  const detail = withJsonMember(members, "record", line);
  const refused = await args.bus.publish([{ detail, detailType: args.eventDetailType, time: new Date(timestamp) }]);
  if (refused.length === 0) return;
  args.metrics.add("BusFailures", "Count", 1);
  args.log.warn("event_bus_unavailable", { scoreId });
  degraded.push("events");
  const key = objectKey("archive", args.profile.id, dateOf(timestamp), `rest_${scoreId}`);
  await args.objects.putIfAbsent(key, await packLines([line]));
}

function observe({ score, band }: Decision, { metrics, profile }: ScoreRequestArgs): void {
  metrics.add(`${profile.id.charAt(0).toUpperCase()}${profile.id.slice(1)}Score`, "None", score);
  metrics.property("band", band);
}

function answer(
  stored: StoredScore,
  profile: AnyProfile,
  cached: boolean,
  headers: Readonly<Record<string, string>>,
  degraded: readonly string[],
): RestAnswer {
  const { decision, inputId, scoreId, timestamp } = stored;
  return {
    statusCode: 200,
    headers: {
      ...headers,
      "X-Score-Id": scoreId,
      ...(degraded.length === 0 ? {} : { "X-Degraded": degraded.join(", ") }),
    },
    body: JSON.stringify({
      id: scoreId,
      [inputNames(profile.id).id]: inputId,
      ...stored.answer,
      ...decisionMembers(decision, profile),
      cached,
      timestamp: new Date(timestamp).toISOString(),
    }),
  };
}
