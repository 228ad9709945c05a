/** Events as received → what can be queued, and the problems of the others. Pure: time and request are passed in. */

import { RECORD_LIMITS } from "../formats/decode";
import { accept } from "../scoring/core/accept";
import type { Validate } from "../scoring/core/json-schema";
import { boundsProblems, problems } from "../scoring/core/problems";
import type { AnyProfile } from "../scoring/core/profile";
import type { Problem } from "../scoring/core/types";
import type { EventTimeLimits } from "../stream/streamed-profile";
import { EVENTS_SCHEMA } from "./events-schema";

/** Of all events together, when none is accepted. */
const MAX_PROBLEMS = 50;

export interface ReadEventsArgs extends EventTimeLimits {
  readonly profile: AnyProfile;
  /** Of the list. */
  readonly validate: Validate;
  /** Of one event. */
  readonly validateEvent: Validate;
}

export type ReadEvent =
  | { readonly ok: true; readonly id: string; readonly json: string }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type ReadEvents =
  | { readonly ok: true; readonly events: readonly ReadEvent[] }
  /** Nothing is accepted. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readEvents(body: unknown, arrivedAtMs: number, args: ReadEventsArgs): ReadEvents {
  const oversized = typeof body === "object" && body !== null ? boundsProblems(body) : [];
  if (oversized.length > 0) return { ok: false, problems: oversized };
  if (!args.validate(body)) return { ok: false, problems: problems(args.validate.errors ?? [], body, EVENTS_SCHEMA) };
  // The validator has established the shape.
  const { events } = body as { readonly events: readonly unknown[] };
  const read = events.map((event) => readEvent(event, arrivedAtMs, args));
  return read.some(({ ok }) => ok) ? { ok: true, events: read } : { ok: false, problems: allProblems(read) };
}

function readEvent(raw: unknown, arrivedAtMs: number, args: ReadEventsArgs): ReadEvent {
  const { profile, validateEvent, maxAgeMs, maxFutureMs } = args;
  const accepted = accept(profile, validateEvent, raw, { arrivedAtMs, maxAgeMs, maxFutureMs });
  if (!accepted.ok) return { ok: false, problems: accepted.problems };
  const json = JSON.stringify(raw);
  const bytes = Buffer.byteLength(json);
  if (bytes > RECORD_LIMITS.maxBytes)
    return {
      ok: false,
      problems: [{ pointer: "", detail: `Expected at most ${RECORD_LIMITS.maxBytes} bytes, got ${bytes}.` }],
    };
  const id = profile.eventId(accepted.input);
  // Later nobody could ask for its decision.
  if (id === null) return { ok: false, problems: [{ pointer: "", detail: "Expected an event with an id." }] };
  return { ok: true, id, json };
}

function allProblems(events: readonly ReadEvent[]): readonly Problem[] {
  const found = events.flatMap((event, index) =>
    event.ok ? [] : event.problems.map(({ pointer, detail }) => ({ pointer: `/events/${index}${pointer}`, detail })),
  );
  if (found.length <= MAX_PROBLEMS) return found;
  return [
    ...found.slice(0, MAX_PROBLEMS),
    { pointer: "", detail: `${found.length - MAX_PROBLEMS} more problems are not listed.` },
  ];
}
