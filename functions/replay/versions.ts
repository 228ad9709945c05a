/** The policies and models that a profile has had, by the versions that decisions name. */
import type { Validate } from "../scoring/core/json-schema";
import type { CompiledPolicy } from "../scoring/core/policy";
import type { ModelSpec, PolicyDocument } from "../scoring/core/policy-document";
import type { AnyProfile } from "../scoring/core/profile";
import { localMember, type Member } from "../scoring/models/model-set";
import { createModel, modelNames } from "../scoring/models/registry";
import { parsePolicy } from "../scoring/policy/compile";

export interface PolicyVersion {
  readonly document: PolicyDocument;
  readonly policy: CompiledPolicy;
}

export interface Versions {
  readonly profile: AnyProfile;
  readonly policies: ReadonlyMap<string, PolicyVersion>;
  /** The newest policy that is valid. */
  readonly inForce: PolicyVersion;
  /** Models by name. Those that ship with the code are there; others are added once they are opened. */
  readonly models: Map<string, Member>;
}

export interface VersionsArgs {
  readonly profile: AnyProfile;
  /** Texts of the policy's parameter, oldest first. One that was invalid decided nothing and is left out. */
  readonly policies: readonly string[];
  readonly validatePolicy: Validate;
}

export function versionsOf({ profile, policies, validatePolicy }: VersionsArgs): Versions {
  const known = new Map<string, PolicyVersion>();
  let inForce: PolicyVersion | undefined;
  // The policy that ships with the code decided before the first change of the parameter.
  for (const text of [JSON.stringify(profile.defaultPolicy), ...policies]) {
    const parsed = parsePolicy(text, profile, validatePolicy);
    if (!parsed.ok) continue;
    // It has just been parsed and checked.
    inForce = { document: JSON.parse(text) as PolicyDocument, policy: parsed.policy };
    known.set(parsed.policy.version, inForce);
  }
  if (inForce === undefined) throw new Error(`The policy that ships with profile "${profile.id}" is invalid.`);
  return { profile, policies: known, inForce, models: new Map(builtIn(profile)) };
}

/** Models that ship with the code, by name. */
function builtIn(profile: AnyProfile): [string, Member][] {
  const kinds = ["logistic", "heuristic"] as const;
  const named = kinds.flatMap((kind) => modelNames(kind, profile.id).map((name): ModelSpec => ({ kind, name })));
  return [{ kind: "rules-only" } as const, ...named].map((spec) => {
    const member = localMember(createModel(spec, profile));
    return [member.name, member];
  });
}
