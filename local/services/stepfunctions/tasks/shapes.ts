/** How Step Functions shows a service's answer to a state machine. */

type Structure = Readonly<Record<string, unknown>>;

const named = /(?:Time|Timestamp|Date|At|On)$/;
/** Seconds since the epoch before 1973 are durations or counts (`ExecutionTime`). */
const earliest = 1e8;

/**
 * A JSON answer with its instants as the integrations show them: milliseconds in the optimised ones, which serialise with the
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

/** The services `states` and `logs` name their members in lower camel case, state machines in upper. */
export const lowerNames = (structure: Structure): Structure => renamed(structure, (letter) => letter.toLowerCase());
export const upperNames = (structure: Structure): Structure => renamed(structure, (letter) => letter.toUpperCase());

function renamed(structure: Structure, letter: (first: string) => string): Structure {
  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner);
    return typeof value === "object" && value !== null ? renamed(value as Structure, letter) : value;
  };
  return Object.fromEntries(
    Object.entries(structure).map(([key, value]) => [`${letter(key.charAt(0))}${key.slice(1)}`, inner(value)]),
  );
}

/** The parameters of a task must be an object. */
export function parametersOf(parameters: unknown): Structure {
  if (typeof parameters === "object" && parameters !== null && !Array.isArray(parameters)) return parameters as Structure;
  throw new Error(`the parameters must be an object, got ${JSON.stringify(parameters)}`);
}

/** Text members may be given as JSON, which becomes text. */
export const asText = (value: unknown): unknown =>
  value === undefined || typeof value === "string" ? value : JSON.stringify(value);
