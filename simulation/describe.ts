/** A plan and its violations in sentences. */
import type { Fault } from "./kernel/faults";
import type { Arrival, Plan } from "./plan";
import type { Violation } from "./violation";

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

export function describePlan({ seed, settings, faults, arrivals }: Plan): string {
  return [
    `seed ${seed}: ${Object.entries(settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}`,
    ...faults.map(describeFault),
    ...arrivals.map(describeArrival),
  ].join("\n");
}

const describeFault = ({ kind, service, from, until, share }: Fault): string =>
  `  fault    ${seconds(from)} to ${seconds(until)}: ${kind} at ${service}, ${share * 100} % of the calls`;

function describeArrival(arrival: Arrival): string {
  const at = seconds(arrival.at);
  switch (arrival.kind) {
    case "record":
      return `  record   ${at}: ${arrival.label} of ${arrival.partitionKey}: ${Buffer.from(arrival.data, "base64").toString("latin1")}`;
    case "events":
      return `  events   ${at}: ${arrival.by}: ${arrival.events}`;
    case "score":
      return `  score    ${at}: ${arrival.profile} ${arrival.key} ${arrival.body}`;
    case "feedback":
      return `  feedback ${at}: ${arrival.body}`;
    default:
      return `  shards   ${at}: ${arrival.kind}`;
  }
}

export const describeViolations = (violations: readonly Violation[]): string =>
  violations.map(({ kind, about, detail }) => `  ${kind}: ${about}: ${detail}`).join("\n");
