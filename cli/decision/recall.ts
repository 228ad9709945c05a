/** One decision again, with its rules explained: from the archive line, and the policy and the model that decided. */
import { policy as validatePolicy } from "#validators";
import { readArchived } from "../../functions/replay/archived-event";
import { changeOf, newMembers } from "../../functions/replay/changes";
import { isRescored, rescore, type Scoring } from "../../functions/replay/rescore";
import { type PolicyVersion, type Versions, versionsOf } from "../../functions/replay/versions";
import type { ArchiveRecord } from "../../functions/scoring/core/archive-record";
import type { TreesRef } from "../../functions/scoring/models/document";
import type { Member } from "../../functions/scoring/models/model-set";
import { explainRules, type RuleOutcome } from "../../functions/scoring/policy/explain";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import type { ProfileHistory } from "../replay/history";

export interface Recalled {
  readonly record: ArchiveRecord;
  /** What the rules made of the features, by the policy that was used. */
  readonly rules: readonly RuleOutcome[];
  readonly recomputed: {
    readonly policy: string;
    readonly model: string;
    /** What was missing, and what was used instead. */
    readonly missing: readonly string[];
    readonly identical: boolean;
    readonly score: number;
    readonly band: string;
    readonly flags: readonly string[];
    readonly reasons: ArchiveRecord["reasons"];
  };
}

export type OpenTrees = (ref: TreesRef) => Promise<Member>;

export async function recall(line: string, profileId: ProfileId, history: ProfileHistory, open: OpenTrees): Promise<Recalled> {
  const profile = PROFILES[profileId];
  const event = readArchived(line, profile);
  const { record } = event;
  const versions = versionsOf({ profile, policies: history.policies, validatePolicy });
  const missing: string[] = [];
  const policy = policyOf(record, versions, missing);
  const replaced = missing.length > 0;
  const ref = history.trees.find(({ name }) => name === record.model_version);
  if (ref !== undefined) versions.models.set(ref.name, await open(ref));
  const scoring: Scoring = {
    versions,
    ...(replaced ? { policy } : {}),
    ...modelOf(record, versions, policy, history, missing),
  };
  const [outcome] = rescore([{ event, features: event.features }], scoring);
  // Policy and model are there by now.
  if (outcome === undefined || !isRescored(outcome)) throw new Error(`The event can't be scored again: ${outcome?.leftOut}.`);
  const { model_version, policy_version, score, band, flags, reasons } = newMembers(outcome, profile);
  return {
    record,
    rules: explainRules(policy.document, profile.features, event.features),
    recomputed: {
      policy: policy_version,
      model: model_version,
      missing,
      identical: changeOf(outcome, profile).identical,
      score,
      band,
      flags,
      reasons,
    },
  };
}

function policyOf({ policy_version }: ArchiveRecord, { policies, inForce }: Versions, missing: string[]): PolicyVersion {
  const decided = policies.get(policy_version);
  if (decided !== undefined) return decided;
  missing.push(
    `Policy ${policy_version} is no longer in the history of its parameter, which keeps a hundred versions; ${inForce.policy.version}, the one in force, was used instead.`,
  );
  return inForce;
}

/** The policy's own model stands in for one that isn't there. */
function modelOf(
  { model_version }: ArchiveRecord,
  { models }: Versions,
  { policy }: PolicyVersion,
  { endpoints }: ProfileHistory,
  missing: string[],
): { readonly model?: Member } {
  if (models.has(model_version)) return {};
  const own = policy.model.version;
  const where = endpoints.includes(model_version)
    ? "answers from an endpoint, which is not asked again"
    : "is not in the model bucket";
  missing.push(`Model ${model_version} ${where}; ${own}, the policy's own, was used instead.`);
  return { model: models.get(own)! };
}
