/** The complete settings of a scoring API: defaults are filled in and missing parts created. */

import type * as pulumi from "@pulumi/pulumi";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import { type PlatformContext, platformContext } from "../shared/context";
import { createDataBucket, DATA_RETENTION } from "../shared/data-bucket";
import { ModelStore } from "../shared/model-store";
import { builtInModels } from "../shared/models-parameter";
import { RawRecords } from "../shared/raw-records";
import { ScoreBus } from "../shared/score-bus";
import { tokenKey } from "../shared/secret";
import type { ApiAuth, HighScores, RequestLimits, ScoringApiArgs, ScoringFunctionSize, ScoringRoute } from "./args";

const AUTH: ApiAuth = { mode: "apiKey" };
const FUNCTION: ScoringFunctionSize = {
  memoryMb: 1024,
  timeoutSeconds: 30,
  provisionedConcurrency: 0,
  policyTtlSeconds: 60,
  errorRateAlarmPercent: 5,
};
const LIMITS: RequestLimits = { perSecond: 100, burst: 200, perDay: 1_000_000 };
const HIGH_SCORES: HighScores = { logAbove: 80, alertAbove: 95 };
const ARCHIVE_WINDOW_SECONDS = 30;
const CACHE_TTL_SECONDS = 86_400;

export type ScoringSettings = ReturnType<typeof scoringSettings>;

export function scoringSettings(instance: string, args: ScoringApiArgs, parent: pulumi.Resource) {
  const context = platformContext(instance, args.context, parent);
  const { key, alarmTopicArn } = context;
  return {
    context,
    routes: routesOf(instance, args.profiles, context, parent),
    auth: args.auth ?? AUTH,
    bus: args.bus ?? new ScoreBus(`${instance}-scores`, { key, alarmTopicArn }, { parent }),
    tokenSecret: args.tokenSecret ?? tokenKey(`${instance}-token-key`, context, { parent }),
    archive: {
      bucket: args.archive?.bucket ?? createDataBucket(instance, { context, retention: DATA_RETENTION }, parent),
      raw: args.archive?.raw ?? new RawRecords(`${instance}-raw`, { context }, { parent }),
      windowSeconds: args.archive?.windowSeconds ?? ARCHIVE_WINDOW_SECONDS,
    },
    function: { ...FUNCTION, ...args.function },
    limits: { ...LIMITS, ...args.limits },
    cacheTtlSeconds: args.cacheTtlSeconds ?? CACHE_TTL_SECONDS,
    highScores: { ...HIGH_SCORES, ...args.highScores },
    events: args.events,
    firewall: args.firewall ?? true,
    demoJitter: args.demoJitter ?? false,
    transform: args.transform ?? {},
  };
}

function routesOf(
  instance: string,
  profiles: ScoringApiArgs["profiles"],
  context: PlatformContext,
  parent: pulumi.Resource,
): Required<ScoringRoute>[] {
  let store: ModelStore | undefined;
  const ownStore = () => {
    store ??= new ModelStore(`${instance}-models`, { context, shipped: [] }, { parent });
    return store;
  };
  return profiles.map(asRoute).map(({ profile, path, policy, models }) => ({
    profile,
    path: path ?? `/${profile.id}`,
    policy: policy ?? profile.defaultPolicy,
    models: models ?? builtInModels(ownStore(), profile),
  }));
}

const asRoute = (entry: AnyProfile | ScoringRoute): ScoringRoute => ("profile" in entry ? entry : { profile: entry });
