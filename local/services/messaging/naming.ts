import { createHash } from "node:crypto";

/**
 * The provider's auto-naming, but repeatable: a fixed `name`, else logical name plus seven hex characters of its hash.
 * `limit` is the longest name the service accepts.
 */
export function physicalName(logicalName: string, fixed: unknown, limit: number, suffix = ""): string {
  if (typeof fixed === "string" && fixed !== "") return fixed;
  const hash = createHash("sha256").update(logicalName).digest("hex").slice(0, 7);
  return `${logicalName.slice(0, limit - 8 - suffix.length)}-${hash}${suffix}`;
}

/** Tag inputs of every resource type; the local body keeps none because nothing local reads them. */
export const tagInputs = {
  tags: "tags steer billing and search in the cloud account",
  tagsAll: "computed from provider default tags",
  region: "one machine is one region",
};
