/** A replay from beginning to end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policy as validatePolicy } from "#validators";
import { addChanges, type Changes, NO_CHANGES } from "../../functions/replay/changes";
import type { Generation } from "../../functions/replay/generation-line";
import type { FeatureSource } from "../../functions/replay/replay";
import { versionsOf } from "../../functions/replay/versions";
import { hashJson, sha256 } from "../../functions/scoring/core/hash";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { UsageError } from "../options";
import { type ArchiveObject, archiveObjects, type Days } from "./archive";
import { chosenPolicy, type PolicyChoice } from "./choice";
import { Generations } from "./generations";
import { historyOf } from "./history";
import { taskPool } from "./pool";
import type { ArchiveTarget } from "./target";
import { needsPartitions, type ProfilePlan, type ReplayPlan, type Task } from "./tasks";

export interface ReplayRequest extends PolicyChoice {
  readonly days: Days;
  readonly profiles: readonly ProfileId[];
  /** Name of the model to score with; undefined: the one that answered. */
  readonly model: string | undefined;
  readonly source: FeatureSource;
  /** Days before `days` whose events build up the states. */
  readonly warmUpDays: number;
  readonly apply: boolean;
  readonly threads: number;
  readonly progress: (done: number, total: number) => void;
}

export interface ReplaySummary {
  readonly from: string;
  readonly to: string;
  readonly features: FeatureSource;
  readonly objects: number;
  /** Null when nothing was written. */
  readonly decisionGeneration: number | null;
  /** The generation had been written before; this is what was said then. */
  readonly writtenBefore: boolean;
  readonly profiles: readonly ProfileSummary[];
}

export interface ProfileSummary extends Changes {
  readonly profile: ProfileId;
  /** Version of the policy, name of the model; null: those that decided. */
  readonly policy: string | null;
  readonly model: string | null;
  /** Names of models that answer from an endpoint: they aren't asked again. */
  readonly endpoints: readonly string[];
}

interface Found {
  readonly profile: ProfileId;
  readonly warmUp: readonly ArchiveObject[];
  readonly objects: readonly ArchiveObject[];
}

export async function runReplay(target: ArchiveTarget, request: ReplayRequest): Promise<ReplaySummary> {
  const profiles = await Promise.all(request.profiles.map((profile) => planOf(target, profile, request)));
  const found = await Promise.all(request.profiles.map((profile) => find(target, profile, request)));
  const generations = new Generations(target.s3, target.names.dataBucket);
  const taken = request.apply
    ? await generations.take(inputsOf(profiles, found, request), settingsOf(profiles, request), new Date())
    : undefined;
  if (taken?.summary !== undefined) return { ...(taken.summary as ReplaySummary), writtenBefore: true };
  const summary = await replayAll(target, profiles, found, request, taken?.generation);
  if (taken !== undefined) await generations.complete(taken.generation, summary);
  return summary;
}

async function planOf(target: ArchiveTarget, profile: ProfileId, request: ReplayRequest): Promise<ProfilePlan> {
  const history = await historyOf(target, profile);
  const versions = versionsOf({ profile: PROFILES[profile], policies: history.policies, validatePolicy });
  const policy = chosenPolicy(request, versions);
  const { model } = request;
  const names = [...versions.models.keys(), ...history.trees.map(({ name }) => name)];
  if (model !== undefined && !names.includes(model))
    throw new UsageError(
      `--model: expected ${names.join(", ")}, got "${model}". Models that answer from an endpoint aren't asked again.`,
    );
  return { history, ...(policy === undefined ? {} : { policy }), ...(model === undefined ? {} : { model }) };
}

async function find(
  { s3, names }: ArchiveTarget,
  profile: ProfileId,
  { days, source, warmUpDays }: ReplayRequest,
): Promise<Found> {
  const objects = await archiveObjects(s3, names.dataBucket, profile, days);
  if (warmUpDays === 0 || !needsPartitions(profile, source)) return { profile, warmUp: [], objects };
  const before = { from: dayBefore(days.from, warmUpDays), to: dayBefore(days.from, 1) };
  return { profile, warmUp: await archiveObjects(s3, names.dataBucket, profile, before), objects };
}

const DAY_MS = 86_400_000;
const dayBefore = (day: string, days: number): string => new Date(Date.parse(day) - days * DAY_MS).toISOString().slice(0, 10);

/** Everything that decides about the lines of a generation. */
function inputsOf(
  profiles: readonly ProfilePlan[],
  found: readonly Found[],
  { source, days, warmUpDays }: ReplayRequest,
): string {
  const objects = found.flatMap(({ warmUp, objects: own }) => [...warmUp, ...own].map(({ key, etag }) => `${key} ${etag}`));
  const choices = profiles.map(({ history: { profile, trees }, policy = null, model = null }) => ({
    profile,
    policy,
    model: trees.find(({ name }) => name === model)?.sha256 ?? model,
  }));
  return hashJson({ source, from: days.from, to: days.to, warmUpDays, choices, objects: sha256(objects.join("\n")) });
}

const settingsOf = (profiles: readonly ProfilePlan[], { days, source, warmUpDays }: ReplayRequest): unknown => ({
  ...days,
  features: source,
  warmUpDays,
  profiles: profiles.map(({ history: { profile }, policy, model }) => ({
    profile,
    policy: policy === undefined ? null : JSON.parse(policy),
    model: model ?? null,
  })),
});

async function replayAll(
  target: ArchiveTarget,
  profiles: readonly ProfilePlan[],
  found: readonly Found[],
  { days, source, threads, progress }: ReplayRequest,
  generation: Generation | undefined,
): Promise<ReplaySummary> {
  const folder = mkdtempSync(join(tmpdir(), "replay-"));
  const plan: ReplayPlan = {
    names: target.names,
    account: target.account,
    profiles,
    source,
    ...(generation === undefined ? {} : { generation }),
    folder,
    partitions: partitionsOf(found),
  };
  const objects = found.flatMap(objectTasks);
  const partitions = found.flatMap((one) => partitionTasks(one, plan));
  const sums = new Map<ProfileId, Changes>();
  let done = 0;
  const pool = taskPool(plan, threads);
  try {
    for (const tasks of [objects, partitions]) {
      await pool.run(tasks, ({ profile, changes }) => {
        sums.set(profile, addChanges(sums.get(profile) ?? NO_CHANGES, changes));
        progress(++done, objects.length + partitions.length);
      });
    }
  } finally {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    ...days,
    features: source,
    objects: found.reduce((sum, one) => sum + one.objects.length, 0),
    decisionGeneration: generation?.number ?? null,
    writtenBefore: false,
    profiles: profiles.map((one) => profileSummary(one, sums.get(one.history.profile) ?? NO_CHANGES)),
  };
}

function profileSummary({ history, policy, model }: ProfilePlan, changes: Changes): ProfileSummary {
  const { profile, endpoints } = history;
  const texts = policy === undefined ? [] : [policy];
  const { inForce } = versionsOf({ profile: PROFILES[profile], policies: texts, validatePolicy });
  return {
    profile,
    policy: policy === undefined ? null : inForce.policy.version,
    model: model ?? null,
    endpoints,
    ...changes,
  };
}

/** The largest first: the last task to end should be a short one. */
function objectTasks({ profile, warmUp, objects }: Found): Task[] {
  const tasks = [...warmUp.map((object) => ({ object, warmUp: true })), ...objects.map((object) => ({ object, warmUp: false }))];
  return tasks
    .sort((a, b) => b.object.bytes - a.object.bytes)
    .map(({ object: { key }, warmUp: before }): Task => ({ kind: "object", profile, key, warmUp: before }));
}

const partitionTasks = ({ profile }: Found, { source, partitions }: ReplayPlan): Task[] =>
  needsPartitions(profile, source)
    ? Array.from({ length: partitions }, (_, index): Task => ({ kind: "partition", profile, index }))
    : [];

/** A partition is held in memory while it is scored: some 100 MB as objects, an eighth of it as the archive compresses its lines. */
const PARTITION_BYTES = 4 * 2 ** 20;
const MAX_PARTITIONS = 1024;
const MIN_PARTITIONS = 16;

/** By the archive's size alone, so that a repeated replay divides the users in the same way. */
function partitionsOf(found: readonly Found[]): number {
  const bytes = found.flatMap(({ warmUp, objects }) => [...warmUp, ...objects]).reduce((sum, object) => sum + object.bytes, 0);
  return Math.min(MAX_PARTITIONS, Math.max(MIN_PARTITIONS, Math.ceil(bytes / PARTITION_BYTES)));
}
