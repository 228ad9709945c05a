/** Scores archived events again. Nothing is asked for: features, policies and models are given. */
import { MODEL_UNAVAILABLE } from "../scoring/core/decide";
import type { CompiledPolicy } from "../scoring/core/policy";
import type { Decision } from "../scoring/core/types";
import { decideAnswer } from "../scoring/models/answer";
import { type Member, unavailableMember } from "../scoring/models/model-set";
import type { ArchivedEvent } from "./archived-event";
import type { PolicyVersion, Versions } from "./versions";

/** What events are scored with: by default each with the policy and the model that decided about it. */
export interface Scoring {
  readonly versions: Versions;
  readonly policy?: PolicyVersion;
  readonly model?: Member;
}

export interface Rescored {
  readonly event: ArchivedEvent;
  /** The vector that the new decision was made from. */
  readonly features: Float64Array;
  readonly decision: Decision;
  /** The event's own model answered, so that the role which it had then still holds. */
  readonly keptModel: boolean;
}

/** Why an event was not scored again. */
export interface LeftOut {
  readonly event: ArchivedEvent;
  readonly leftOut: string;
}

export type Outcome = Rescored | LeftOut;

export const isRescored = (outcome: Outcome): outcome is Rescored => "decision" in outcome;

/** An event, and the features to score it with. */
export interface Row {
  readonly event: ArchivedEvent;
  readonly features: Float64Array;
}

/** In the order of the rows. Those of one model go into one call of it, as they did when they arrived. */
export function rescore(rows: readonly Row[], scoring: Scoring): readonly Outcome[] {
  const chosen = rows.map(({ event }) => choose(event, scoring));
  const scores = scoresOf(rows, chosen, scoring.versions.profile.features.size);
  return rows.map(({ event, features }, index): Outcome => {
    const choice = chosen[index]!;
    if (typeof choice === "string") return { event, leftOut: choice };
    const { policy, member, keptModel } = choice;
    const answered = { member, source: undefined };
    const decision = decideAnswer(policy, features, scores[index]!, answered, readersOf(scoring, policy));
    return { event, features, decision, keptModel };
  });
}

interface Choice {
  readonly policy: CompiledPolicy;
  readonly member: Member;
  readonly keptModel: boolean;
}

/** Policy and model of an event, or which of them there isn't. */
function choose({ record }: ArchivedEvent, { versions, policy: given, model }: Scoring): Choice | string {
  const decided = versions.policies.get(record.policy_version)?.policy;
  const policy = given?.policy ?? decided;
  if (policy === undefined) return `policy ${record.policy_version} is not known`;
  if (model !== undefined) return { policy, member: model, keptModel: false };
  if (record.flags.includes(MODEL_UNAVAILABLE)) return { policy, member: without(record.model_version), keptModel: true };
  // The policy's own model belongs to the policy: with another policy, that one's answers.
  if (given !== undefined && decided?.model.version === record.model_version) {
    const member = versions.models.get(policy.model.version)!;
    return { policy, member, keptModel: member.name === record.model_version };
  }
  const member = versions.models.get(record.model_version);
  return member === undefined ? `model ${record.model_version} is not known` : { policy, member, keptModel: true };
}

const without = (name: string): Member => unavailableMember(name, "archived", "It did not answer when the event arrived.");

function scoresOf(rows: readonly Row[], chosen: readonly (Choice | string)[], size: number): Float64Array {
  const scores = new Float64Array(rows.length).fill(Number.NaN);
  const groups = new Map<Member, number[]>();
  for (const [index, choice] of chosen.entries()) {
    if (typeof choice === "string" || choice.member.local === null) continue;
    const group = groups.get(choice.member);
    if (group === undefined) groups.set(choice.member, [index]);
    else group.push(index);
  }
  for (const [{ local }, members] of groups) {
    const values = new Float64Array(members.length * size);
    for (const [position, index] of members.entries()) values.set(rows[index]!.features, position * size);
    const out = new Float64Array(members.length);
    // A local model returns at once.
    void local!.scoreBatch(values, members.length, out);
    for (const [position, index] of members.entries()) scores[index] = out[position]!;
  }
  return scores;
}

/** For which bands reasons of a costly model are made: an answer to a request shows them in every band, a stream only in those that alert. */
const readersOf =
  ({ versions: { profile } }: Scoring, policy: CompiledPolicy) =>
  (band: string): boolean =>
    !profile.stateful || policy.isAlert(band);
