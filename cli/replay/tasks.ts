/** The work of a replay, piece by piece; the same in the command's own thread and in its workers. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { policy as validatePolicy } from "#validators";
import { type ArchivedEvent, readArchived } from "../../functions/replay/archived-event";
import { type Changes, NO_CHANGES, sumUp } from "../../functions/replay/changes";
import { idHashes } from "../../functions/replay/event-ids";
import { type Generation, generationLines } from "../../functions/replay/generation-line";
import type { Remembered } from "../../functions/replay/recompute";
import { type FeatureSource, replay } from "../../functions/replay/replay";
import { isRescored, type Outcome, type Scoring } from "../../functions/replay/rescore";
import { versionsOf } from "../../functions/replay/versions";
import { sha256 } from "../../functions/scoring/core/hash";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { NDJSON, NDJSON_SUFFIXES, packLines } from "../../functions/shared/ndjson";
import { inArea } from "../../functions/shared/object-keys";
import { createObjectStore, type ObjectStore } from "../../functions/shared/object-store";
import { readLines } from "./archive";
import { openModel, type ProfileHistory } from "./history";
import type { Account, ArchiveNames } from "./target";

/** Everything that a worker has to know. Plain data. */
export interface ReplayPlan {
  readonly names: ArchiveNames;
  readonly account: Account;
  readonly profiles: readonly ProfilePlan[];
  readonly source: FeatureSource;
  /** Absent: nothing is written. */
  readonly generation?: Generation;
  /** Folder for events on their way to the other events of their users. */
  readonly folder: string;
  /** Into how many parts the users of a profile are divided. */
  readonly partitions: number;
}

export interface ProfilePlan {
  readonly history: ProfileHistory;
  /** Text of the policy to score with; absent: the one that decided. */
  readonly policy?: string;
  /** Name of the model to score with; absent: the one that answered. */
  readonly model?: string;
}

export type Task =
  /** An object of the archive: is scored again, or divided among the partitions. */
  | { readonly kind: "object"; readonly profile: ProfileId; readonly key: string; readonly warmUp: boolean }
  /** All events of some users. */
  | { readonly kind: "partition"; readonly profile: ProfileId; readonly index: number };

export interface TaskResult {
  readonly profile: ProfileId;
  readonly changes: Changes;
}

/** Asks which of the hashed ids nobody has asked about before: 1 for each that is new. */
export type AskFresh = (hashes: Uint32Array) => Promise<Uint8Array>;

/** Whether the features of a profile depend on earlier events, so that its events have to be brought together by user first. */
export const needsPartitions = (profile: ProfileId, source: FeatureSource): boolean =>
  source === "recomputed" && PROFILES[profile].stateful;

export class TaskRunner {
  readonly #s3: S3Client;
  readonly #objects: ObjectStore;
  readonly #scorings = new Map<ProfileId, Scoring>();

  constructor(
    private readonly plan: ReplayPlan,
    /** Names the files of this runner: runners never write to the same one. */
    private readonly id: number,
    private readonly askFresh: AskFresh,
  ) {
    const { names, account } = plan;
    this.#s3 = new S3Client({ region: names.region, ...account, forcePathStyle: account.endpoint !== undefined });
    this.#objects = createObjectStore(this.#s3, names.dataBucket);
  }

  async run(task: Task): Promise<TaskResult> {
    return task.kind === "object" ? this.#runObject(task) : this.#runPartition(task);
  }

  close(): void {
    this.#s3.destroy();
  }

  async #runObject({ profile, key, warmUp }: Task & { readonly kind: "object" }): Promise<TaskResult> {
    const lines = await readLines(this.#s3, this.plan.names.dataBucket, key);
    const events = lines.map((line) => readArchived(line, PROFILES[profile]));
    const fresh = await this.askFresh(idHashes(events.map(({ record }) => `${profile} ${record.event_id}`)));
    if (needsPartitions(profile, this.plan.source)) {
      this.#divide(profile, lines, events, fresh, warmUp);
      return { profile, changes: NO_CHANGES };
    }
    const outcomes = await this.#score(
      profile,
      events.map((event) => ({ event, warmUp })),
    );
    const suffix = NDJSON_SUFFIXES.find((one) => key.endsWith(one)) ?? NDJSON;
    await this.#write(profile, outcomes, (area) => inArea(`${key.slice(0, -suffix.length)}${NDJSON}`, area));
    // All lines are written, whoever counted them: what an object holds must not depend on which worker was first.
    const positions = new Map(events.map((event, index) => [event, index]));
    const isFresh = (index: number): boolean => fresh[positions.get(outcomes[index]!.event)!] === 1;
    return { profile, changes: sumUp(outcomes, PROFILES[profile], isFresh) };
  }

  async #runPartition({ profile, index }: Task & { readonly kind: "partition" }): Promise<TaskResult> {
    const outcomes = await this.#score(profile, this.#partition(profile, index));
    const name = `partition_${String(index).padStart(4, "0")}_of_${this.plan.partitions}${NDJSON}`;
    await this.#write(profile, outcomes, (area) => `${area}/${profile}/${name}`);
    return { profile, changes: sumUp(outcomes, PROFILES[profile], () => true) };
  }

  async #score(profile: ProfileId, events: readonly Remembered[]): Promise<readonly Outcome[]> {
    const scoring = this.#scorings.get(profile) ?? (await this.#scoringOf(profile));
    this.#scorings.set(profile, scoring);
    if (scoring.model === undefined)
      for (const name of new Set(events.map(({ event }) => event.record.model_version))) await this.#open(profile, scoring, name);
    return replay(events, this.plan.source, scoring);
  }

  async #scoringOf(profile: ProfileId): Promise<Scoring> {
    const { history, policy, model } = this.#planOf(profile);
    const texts = policy === undefined ? history.policies : [...history.policies, policy];
    const versions = versionsOf({ profile: PROFILES[profile], policies: texts, validatePolicy });
    const scoring: Scoring = { versions, ...(policy === undefined ? {} : { policy: versions.inForce }) };
    if (model === undefined) return scoring;
    await this.#open(profile, scoring, model);
    const member = versions.models.get(model);
    if (member === undefined) throw new Error(`There is no model "${model}" of profile "${profile}".`);
    return { ...scoring, model: member };
  }

  /** Opens a compiled model when the first event needs it. */
  async #open(profile: ProfileId, { versions: { models } }: Scoring, name: string): Promise<void> {
    const ref = this.#planOf(profile).history.trees.find((tree) => tree.name === name);
    if (ref === undefined || models.has(name)) return;
    models.set(name, await openModel(this.#s3, this.plan.names.modelBucket, profile, ref));
  }

  #planOf(profile: ProfileId): ProfilePlan {
    return this.plan.profiles.find(({ history }) => history.profile === profile)!;
  }

  async #write(
    profile: ProfileId,
    outcomes: readonly Outcome[],
    keyOf: (area: `generations/${number}`) => string,
  ): Promise<void> {
    const { generation } = this.plan;
    const rescored = outcomes.filter(isRescored);
    if (generation === undefined || rescored.length === 0) return;
    const lineOf = generationLines(PROFILES[profile], generation);
    await this.#objects.putIfAbsent(keyOf(`generations/${generation.number}`), packLines(rescored.map(lineOf)));
  }

  /** Appends each line to the file of its user's partition, marked W (warm-up) or E. Events counted elsewhere are there already. */
  #divide(
    profile: ProfileId,
    lines: readonly string[],
    events: readonly ArchivedEvent[],
    fresh: Uint8Array,
    warmUp: boolean,
  ): void {
    const parts = new Map<number, string[]>();
    for (const [index, { record }] of events.entries()) {
      if (fresh[index] === 0) continue;
      const part = partitionOf(record.user_id ?? record.event_id, this.plan.partitions);
      const line = `${warmUp ? "W" : "E"}${lines[index]!}\n`;
      const known = parts.get(part);
      if (known === undefined) parts.set(part, [line]);
      else known.push(line);
    }
    for (const [part, texts] of parts) {
      const folder = this.#folderOf(profile, part);
      mkdirSync(folder, { recursive: true });
      appendFileSync(join(folder, `${this.id}.ndjson`), texts.join(""));
    }
  }

  #partition(profile: ProfileId, part: number): Remembered[] {
    const folder = this.#folderOf(profile, part);
    if (!existsSync(folder)) return [];
    const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"));
    return lines
      .filter((line) => line !== "")
      .map((line) => ({ event: readArchived(line.slice(1), PROFILES[profile]), warmUp: line.startsWith("W") }));
  }

  #folderOf = (profile: ProfileId, part: number): string => join(this.plan.folder, profile, String(part));
}

const partitionOf = (user: string, partitions: number): number => Number.parseInt(sha256(user).slice(0, 8), 16) % partitions;
