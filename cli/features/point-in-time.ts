/**
 * The point-in-time join: for each entity and moment, the features that were known of the entity then. Two times count: when an event happened, and when
 * the platform knew it. An event that happened before the moment but was scored after it was not known, and a model that was trained with it would know
 * more than it can know when it answers.
 */

/** An entity, and the moment whose knowledge is asked for. */
export interface Moment {
  /** `user_id` of the archive: a token. */
  readonly entity: string;
  /** ms since the epoch. No event of a later time counts. */
  readonly asOfMs: number;
  /** ms since the epoch. No event that was scored later counts. */
  readonly knownByMs: number;
}

/** An archived decision. */
export interface KnownEvent {
  readonly entity: string;
  readonly eventId: string;
  readonly occurredAtMs: number;
  readonly scoredAtMs: number;
  readonly features: Readonly<Record<string, number | null>>;
}

/** Takes events in any order and keeps the newest known one of each moment. */
export class PointInTimeJoin {
  private readonly found: (KnownEvent | undefined)[];
  private readonly byEntity = new Map<string, number[]>();

  constructor(private readonly moments: readonly Moment[]) {
    this.found = moments.map(() => undefined);
    for (const [index, { entity }] of moments.entries()) {
      const indexes = this.byEntity.get(entity);
      if (indexes === undefined) this.byEntity.set(entity, [index]);
      else indexes.push(index);
    }
  }

  /** Whether events of the entity are asked for. */
  asksFor(entity: string): boolean {
    return this.byEntity.has(entity);
  }

  offer(event: KnownEvent): void {
    for (const index of this.byEntity.get(event.entity) ?? []) {
      const moment = this.moments[index] as Moment;
      if (!wasKnown(event, moment)) continue;
      const before = this.found[index];
      if (before === undefined || isNewer(event, before)) this.found[index] = event;
    }
  }

  /** For each moment, in their order. */
  results(): readonly (KnownEvent | undefined)[] {
    return this.found;
  }
}

const wasKnown = ({ occurredAtMs, scoredAtMs }: KnownEvent, { asOfMs, knownByMs }: Moment): boolean =>
  occurredAtMs <= asOfMs && scoredAtMs <= knownByMs;

/** By the time of the event, then by that of the decision; the id decides among equals, so that the archive's order doesn't. */
function isNewer(one: KnownEvent, other: KnownEvent): boolean {
  if (one.occurredAtMs !== other.occurredAtMs) return one.occurredAtMs > other.occurredAtMs;
  if (one.scoredAtMs !== other.scoredAtMs) return one.scoredAtMs > other.scoredAtMs;
  return one.eventId > other.eventId;
}
