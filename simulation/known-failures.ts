/**
 * What the product is known to get wrong: such violations don't fail a history. Each entry is temporary; when its fault is mended, delete
 * it here, and the seeds that showed it are green.
 */
import type { Outcome } from "./history";
import type { Arrival } from "./plan";
import type { Violation } from "./violation";

export interface KnownFailure {
  readonly name: string;
  readonly matches: (violation: Violation, outcome: Pick<Outcome, "plan" | "redriven">) => boolean;
}

const AWKWARD_ID = /^x[\0\ud800-\udfff\ufffd]b$/;

const isAwkward = (arrival: Arrival): boolean => arrival.kind === "record" && arrival.label === "awkward id";

export const KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    name: "a record that was given up between its result and its archive line is dropped as a repetition",
    matches: ({ kind }, { redriven }) => redriven > 0 && (kind === "lost" || kind === "counted twice"),
  },
  {
    name: "ids that differ from store to store are accepted",
    matches: ({ kind, about }, { plan: { arrivals } }) =>
      AWKWARD_ID.test(about) || (kind === "counted twice" && arrivals.some(isAwkward)),
  },
  { name: "quarantine doesn't keep the whole record", matches: ({ kind }) => kind === "quarantined, not whole" },
  {
    name: "quarantine lines hold the record, personal values included",
    matches: ({ kind, about }) => kind === "personal value" && /^(quarantine\/|warehouse quarantined_events)$/.test(about),
  },
];

/** The violations that nobody knows of yet. */
export const unknownViolations = (outcome: Outcome): readonly Violation[] =>
  outcome.violations.filter((violation) => !KNOWN_FAILURES.some(({ matches }) => matches(violation, outcome)));
