import type { AnyProfile } from "../core/profile";
import { CHURN } from "./churn";
import { DEVICE } from "./device";
import { FRAUD } from "./fraud";
import { LEAD } from "./lead";

/** Every profile by its id. To add one, add a folder beside these and one line here. */
export const PROFILES = { lead: LEAD, churn: CHURN, fraud: FRAUD, device: DEVICE } as const;

export type ProfileId = keyof typeof PROFILES;

/** The profile with this id. Throws when there is none, and names those that exist. */
export function profileById(id: string): AnyProfile {
  const profiles: Readonly<Record<string, AnyProfile>> = PROFILES;
  const profile = Object.hasOwn(profiles, id) ? profiles[id] : undefined;
  if (!profile) throw new Error(`There is no profile "${id}"; use one of ${Object.keys(PROFILES).join(", ")}.`);
  return profile;
}
