/** Archive lines as the platform's own handlers write them. */
import { churn, device, fraud, lead, policy as validatePolicy } from "#validators";
import { scoreRequest } from "../../../functions/rest/score-request";
import { accept } from "../../../functions/scoring/core/accept";
import type { CompiledPolicy } from "../../../functions/scoring/core/policy";
import type { PolicyDocument } from "../../../functions/scoring/core/policy-document";
import type { Rates } from "../../../functions/scoring/core/rates";
import type { ModelSet } from "../../../functions/scoring/models/model-set";
import { compilePolicy } from "../../../functions/scoring/policy/compile";
import { PROFILES, type ProfileId } from "../../../functions/scoring/profiles";
import type { BusEvent } from "../../../functions/shared/event-bus";
import { createLog } from "../../../functions/shared/log";
import { createMetrics } from "../../../functions/shared/metrics";
import { unpackLines } from "../../../functions/shared/ndjson";
import { createTokeniser } from "../../../functions/shared/tokeniser";
import { context, encode, event, kinesisRecord, StreamWorld } from "../../helpers/stream-world";

const VALIDATORS = { lead, churn, fraud, device };

export function compiled(profile: ProfileId, document: PolicyDocument = PROFILES[profile].defaultPolicy): CompiledPolicy {
  const result = compilePolicy(document, PROFILES[profile], validatePolicy);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

const sink = () => undefined;
const clock = { now: () => Date.UTC(2026, 10, 21, 12) };

export interface Given {
  readonly policy?: CompiledPolicy;
  readonly models?: ModelSet;
  readonly jitter?: number;
  readonly rates?: Rates;
}

/** The line of an input that came over REST. */
export async function restLine(profileId: ProfileId, raw: unknown, { policy, models, jitter = 0 }: Given = {}): Promise<string> {
  const profile = PROFILES[profileId];
  const accepted = accept<unknown, unknown>(profile, VALIDATORS[profileId], raw);
  if (!accepted.ok) throw new Error(JSON.stringify(accepted.problems));
  const published: BusEvent[] = [];
  await scoreRequest(
    accepted.input,
    "request-0001",
    {},
    {
      profile,
      policies: { current: async () => policy ?? compiled(profileId) },
      ...(models === undefined ? {} : { models: { current: async () => models } }),
      tokeniser: async () => createTokeniser("secret", profile.schema),
      scores: { newest: async () => null, put: async () => undefined },
      bus: {
        publish: async (events) => {
          published.push(...events);
          return [];
        },
      },
      objects: { putIfAbsent: async () => "created", size: async () => null },
      clock,
      log: createLog("info", {}, sink),
      metrics: createMetrics("Test", { Profile: profileId }, clock, sink),
      eventDetailType: "Scored",
      cacheTtlSeconds: 60,
      jitter,
      random: () => 1,
    },
  );
  const { record } = JSON.parse(published[0]!.detail) as { readonly record: unknown };
  return JSON.stringify(record);
}

/** The lines of transactions that came through the stream, in its order. */
export async function streamLines(transactions: readonly unknown[], { policy, models, rates }: Given = {}): Promise<string[]> {
  const world = new StreamWorld();
  const handler = world.handler({
    ...(policy === undefined ? {} : { policies: { current: async () => policy } }),
    ...(models === undefined ? {} : { models: { current: async () => models } }),
    ...(rates === undefined ? {} : { rates: { current: async () => rates, report: () => undefined } }),
  });
  for (let at = 0; at < transactions.length; at += 50) {
    const records = transactions.slice(at, at + 50).map((one, index) => kinesisRecord(at + index + 1, encode(one)));
    await handler(event(...records), context);
  }
  return [...world.objects].filter(([key]) => key.startsWith("archive/")).flatMap(([key, body]) => unpackLines(key, body));
}
