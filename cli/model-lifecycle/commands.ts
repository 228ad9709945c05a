/** `list`, `add`, `promote`, `challenge`, `withdraw` and `rollback` on a running platform. */
import { readFileSync } from "node:fs";
import { challenged, describeRef, promoted, rolledBack, withdrawn } from "../../functions/scoring/models/changes";
import type { ModelRef, ModelsDocument } from "../../functions/scoring/models/document";
import { refName } from "../../functions/scoring/models/document";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { type ModelCatalogue, modelNamed } from "../../stacks/model-names";
import { UsageError } from "../options";
import { addArtifact, checkModel, listArtifacts, type Verified, verifyArtifact } from "./artifacts";
import type { Golden } from "./golden";
import { currentModels, type ParameterVersion, parseDocument, putModels, versionsOf } from "./parameter";
import type { Target } from "./target";

/** How to call endpoints that a command names. */
export type EndpointSettings = ModelCatalogue["endpoints"];

/** The result of a change. */
export interface Change {
  readonly profile: ProfileId;
  /** Version of the parameter. */
  readonly version: number;
  readonly previousVersion: number;
  readonly models: ModelsDocument;
  readonly verified: Readonly<Record<string, Verified>>;
}

export interface ProfileState {
  readonly profile: ProfileId;
  readonly parameter: string;
  readonly version: number;
  readonly models: ModelsDocument;
  /** Compiled models in the bucket that could be promoted. */
  readonly available: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[];
  readonly history: readonly { readonly version: number; readonly changedAt: string; readonly champion: string }[];
}

const HISTORY_SHOWN = 5;

export function profileNamed(name: string | undefined): ProfileId {
  const profiles = Object.keys(PROFILES) as ProfileId[];
  const found = profiles.find((id) => id === name);
  if (found === undefined)
    throw new UsageError(`--profile: expected ${profiles.join(", ")}, got ${name === undefined ? "nothing" : `"${name}"`}.`);
  return found;
}

export class ModelCommands {
  constructor(
    private readonly target: Target,
    private readonly golden: Golden,
    private readonly endpoints: EndpointSettings,
  ) {}

  async state(profile: ProfileId): Promise<ProfileState> {
    const versions = await versionsOf(this.target, profile);
    const { version, document } = await currentModels(this.target, profile);
    const parameter = this.target.parameters[profile];
    return {
      profile,
      parameter,
      version,
      models: document,
      available: (await listArtifacts(this.target, profile)).map(({ name, sha256, bytes }) => ({ name, sha256, bytes })),
      history: versions.slice(-HISTORY_SHOWN).map((entry) => ({
        version: entry.version,
        changedAt: entry.changedAt,
        champion: championOf(readable(entry, parameter)),
      })),
    };
  }

  /** Verifies and uploads a compiled model. A name always stands for the same content. */
  async add(profile: ProfileId, name: string, file: string): Promise<Verified & { readonly key: string }> {
    const bytes = readFileSync(file);
    const verified = checkModel(bytes, profile, name, this.golden, { where: file });
    const taken = (await listArtifacts(this.target, profile)).find((artifact) => artifact.name === name);
    if (taken !== undefined && taken.sha256 !== verified.sha256) {
      throw new UsageError(
        `${profile} already has a model "${name}" with other content (${taken.key}); choose a new name with --name.`,
      );
    }
    return { ...verified, key: (await addArtifact(this.target, profile, name, bytes)).key };
  }

  promote(profile: ProfileId, name: string): Promise<Change> {
    return this.change(profile, async (document) => promoted(document, await this.reference(profile, name, document)));
  }

  challenge(profile: ProfileId, name: string, percent: number | undefined): Promise<Change> {
    return this.change(profile, async (document) => challenged(document, await this.reference(profile, name, document), percent));
  }

  withdraw(profile: ProfileId, name: string): Promise<Change> {
    return this.change(profile, (document) => {
      const next = withdrawn(document, name);
      if (next !== undefined) return next;
      const names = (document.challengers ?? []).map(({ model }) => refName(model)).join(", ") || "none";
      throw new UsageError(`${profile} has no challenger "${name}"; its challengers: ${names}.`);
    });
  }

  /** Goes back to a version of the parameter, by default to the previous one. */
  async rollback(profile: ProfileId, to: number | undefined): Promise<Change> {
    const versions = await versionsOf(this.target, profile);
    const wanted = to === undefined ? versions.at(-2) : versions.find(({ version }) => version === to);
    if (wanted === undefined) {
      const kept = versions.map(({ version }) => version).join(", ");
      throw new UsageError(
        to === undefined
          ? `The models of ${profile} have never changed: there is no version to go back to.`
          : `--to: the models of ${profile} have no version ${to}. Versions: ${kept}.`,
      );
    }
    const latest = versions.at(-1);
    const parameter = this.target.parameters[profile];
    const document = parseDocument(wanted, parameter);
    // A version that was asked for by its number is restored unchanged.
    const next = to === undefined && latest !== undefined ? rolledBack(document, readable(latest, parameter)) : document;
    return this.change(profile, () => next, latest?.version);
  }

  private async change(
    profile: ProfileId,
    next: (current: ModelsDocument) => ModelsDocument | Promise<ModelsDocument>,
    basedOn?: number,
  ): Promise<Change> {
    // A rollback works even if the present version can't be read.
    const current =
      basedOn === undefined ? await currentModels(this.target, profile) : { version: basedOn, document: { chain: [] } };
    const models = await next(current.document);
    const verified = await this.verify(profile, models);
    const version = await putModels(this.target, profile, models, current.version);
    return { profile, version, previousVersion: current.version, models, verified };
  }

  /** Verifies every compiled model of the document, so that no command puts one in force that can't be loaded. */
  private async verify(profile: ProfileId, { chain, challengers = [] }: ModelsDocument): Promise<Record<string, Verified>> {
    const verified: Record<string, Verified> = {};
    for (const ref of [...chain, ...challengers.map(({ model }) => model)]) {
      if (ref.kind === "trees") verified[ref.name] = await verifyArtifact(this.target, profile, ref, this.golden);
    }
    return verified;
  }

  /** A model in the document keeps its settings; any other is looked up by name. */
  private async reference(profile: ProfileId, name: string, { chain, challengers = [] }: ModelsDocument): Promise<ModelRef> {
    const present = [...chain, ...challengers.map(({ model }) => model)].find((ref) => refName(ref) === name);
    if (present !== undefined) return present;
    const artifacts = await listArtifacts(this.target, profile);
    const found = modelNamed({ artifacts, endpoints: this.endpoints }, profile, name);
    if (typeof found === "string") throw new UsageError(`${profile}: ${found}`);
    return found;
  }
}

/** Undefined if the version can't be read. */
function readable(entry: ParameterVersion, parameter: string): ModelsDocument | undefined {
  try {
    return parseDocument(entry, parameter);
  } catch {
    return undefined;
  }
}

function championOf(document: ModelsDocument | undefined): string {
  if (document === undefined) return "unreadable";
  const [champion] = document.chain;
  return champion === undefined ? "none" : refName(champion);
}

export function describeChange({ profile, version, previousVersion, models, verified }: Change): string[] {
  const [champion, ...fallbacks] = models.chain;
  return [
    ...Object.entries(verified).map(
      ([name, { trees, goldenRows }]) =>
        `ok  ${name}: ${trees} trees, content hash correct${goldenRows === 0 ? "" : `, ${goldenRows} golden rows equal bit for bit`}`,
    ),
    `${profile}: champion ${champion === undefined ? "none" : describeRef(champion)}${fallbacks.length === 0 ? "" : `, then ${fallbacks.map(describeRef).join(", ")}`}`,
    ...describeChallengers(models),
    `Version ${version} takes effect when functions read the parameter again (risk:policyTtlSeconds). To go back to version ${previousVersion}: npm run model -- rollback --profile ${profile}`,
  ];
}

export function describeState({ profile, version, parameter, models, available, history }: ProfileState): string[] {
  const [champion, ...fallbacks] = models.chain;
  const earlier = history.slice(0, -1).map((entry) => `${entry.version} ${entry.champion}`);
  return [
    `${profile}  (${parameter}, version ${version})`,
    `  champion     ${champion === undefined ? "none" : describeRef(champion)}`,
    ...fallbacks.map((ref) => `  fallback     ${describeRef(ref)}`),
    ...describeChallengers(models).map((line) => `  ${line}`),
    ...available.map(
      ({ name, sha256, bytes }) => `  in the bucket  ${name}  ${sha256.slice(0, 12)}  ${(bytes / 1000).toFixed(1)} kB`,
    ),
    ...(earlier.length === 0 ? [] : [`  before       version ${earlier.join(", version ")}`]),
  ];
}

function describeChallengers({ challengers = [] }: ModelsDocument): string[] {
  return challengers.map(({ model, percent = 0 }) => {
    const share = percent === 0 ? "in shadow" : `answers ${percent} %, scores the others in shadow`;
    return `challenger   ${describeRef(model)}, ${share}`;
  });
}
