/** How Step Functions shows a service's response to a state machine. */
import type { Structure } from "./integration";

const named = /(?:Time|Timestamp|Date|At|On)$/;
/** Seconds since the epoch before 1973 are durations or counts (`ExecutionTime`). */
const earliest = 1e8;

/**
 * A JSON response with its instants as the integrations show them: milliseconds in the optimised ones, which serialise with the
 * first Java SDK, and ISO 8601 in `aws-sdk:` ones.
 */
export function shown(answer: Structure, instants: "milliseconds" | "iso"): Structure {
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, shownMember(value, instants, name)]));
}

function shownMember(value: unknown, instants: "milliseconds" | "iso", name: string): unknown {
  if (Array.isArray(value)) return value.map((item) => shownMember(item, instants, name));
  if (typeof value === "object" && value !== null) return shown(value as Structure, instants);
  if (typeof value !== "number" || value < earliest || !named.test(name)) return value;
  return instants === "iso" ? new Date(value * 1000).toISOString() : Math.round(value * 1000);
}
