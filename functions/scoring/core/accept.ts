import { isObject } from "./json";
import type { Validate } from "./json-schema";
import { keyProblem } from "./key-text";
import { boundsProblems, problems } from "./problems";
import type { Arrival, Profile } from "./profile";
import type { Rates } from "./rates";
import type { Problem } from "./types";

/** Why a record was refused; also the `reason` of its quarantine line. */
export type Refusal = "not_an_object" | "invalid" | "timestamp_out_of_range";

export type Accepted<Input> =
  | { readonly ok: true; readonly input: Input }
  | { readonly ok: false; readonly reason: Refusal; readonly problems: readonly Problem[] };

const NONE: readonly Problem[] = [];

/**
 * Takes in every record: size guards, schema, clean-up, and checks that a schema can't make. Every problem is named. `arrival`
 * limits how far the record's own time may lie from its arrival (streams); without it the time is not checked. `rates` are for
 * {@link Profile.normalise}.
 */
export function accept<Input, State>(
  profile: Profile<Input, State>,
  validate: Validate,
  raw: unknown,
  arrival?: Arrival,
  rates?: Rates,
): Accepted<Input> {
  const record = isObject(raw);
  const oversized = record ? boundsProblems(raw) : [];
  if (oversized.length > 0) return { ok: false, reason: "invalid", problems: oversized };
  if (!record || !validate(raw)) {
    // Don't walk an array of a million elements only to say that it isn't an object.
    if (!record) validate(null);
    const errors = validate.errors ?? [];
    const found = profile.describeErrors?.(errors, raw) ?? problems(errors, raw, profile.schema);
    return { ok: false, reason: record ? "invalid" : "not_an_object", problems: found };
  }
  const input = profile.normalise(raw, rates);
  const keys = keyProblems(raw, profile.keys);
  const wrong = profile.check(input);
  if (keys.length > 0 || wrong.length > 0) return { ok: false, reason: "invalid", problems: [...keys, ...wrong] };
  const occurredAt = profile.occurredAtMs(input);
  const late = arrival && occurredAt !== null ? timeProblem(occurredAt, arrival) : null;
  return late ? { ok: false, reason: "timestamp_out_of_range", problems: [late] } : { ok: true, input };
}

function keyProblems(raw: Readonly<Record<string, unknown>>, keys: readonly string[]): readonly Problem[] {
  let found: Problem[] | undefined;
  for (const name of keys) {
    const text = raw[name];
    const detail = typeof text === "string" ? keyProblem(text) : null;
    if (detail === null) continue;
    found ??= [];
    found.push({ pointer: `/${name}`, detail });
  }
  return found ?? NONE;
}

function timeProblem(occurredAtMs: number, { arrivedAtMs, maxAgeMs, maxFutureMs }: Arrival): Problem | null {
  const age = arrivedAtMs - occurredAtMs;
  if (age <= maxAgeMs && -age <= maxFutureMs) return null;
  const times = `${new Date(occurredAtMs).toISOString()}, arrived ${new Date(arrivedAtMs).toISOString()}`;
  const expected =
    age > 0
      ? `Expected a time at most ${days(maxAgeMs)} before arrival`
      : `Expected a time at most ${days(maxFutureMs)} after arrival`;
  return { pointer: "/timestamp", detail: `${expected}, got ${times}.`, expected: `${expected}.` };
}

function days(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 48 ? `${+(hours / 24).toFixed(1)} days` : `${+hours.toFixed(2)} h`;
}
