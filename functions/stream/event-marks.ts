/**
 * Marks of the events that a user's state counts: 32-bit hashes of their ids. A record can come again after its event was counted and before
 * it was archived; then only the mark says that it has been counted. An event whose result a delivery has just created needs none,
 * because nobody counts an event before it has a result. So two events of one mark do no harm unless one of them comes again.
 */
import { shortHash } from "../scoring/core/text-hash";

/** Marks of events that were counted at about the same time. */
interface Group {
  /** When the last of them was counted, in seconds since 1970. */
  readonly at: number;
  readonly marks: Uint32Array;
}

const DAY_SECONDS = 86_400;
/** Groups are dropped whole: of few marks a group holds six hours' ones, of many about this number. */
const GROUP_SECONDS = DAY_SECONDS / 4;
const GROUP_MARKS = 512;
/** So many of the newest marks are kept, however old they are. */
const FEWEST = 16;
/** More than a day's marks are dropped as soon as there are so many newer ones. */
const MOST = 2_048;

/**
 * Stored as 32-bit numbers in the byte order of Lambda's processors: the time until which marks were dropped, then of each group its time,
 * how many marks it has, and those.
 */
export class EventMarks {
  // A static field would be filled while TypeScript's output has no name for the class yet.
  static get NONE(): EventMarks {
    return new EventMarks(0, []);
  }

  private constructor(
    /** Events that were counted up to this time may have lost their marks; in seconds since 1970. */
    private readonly until: number,
    /** Oldest first. */
    private readonly groups: readonly Group[],
  ) {}

  /** Those of a state from before there were marks: whatever had a result when it was last written counts as counted. */
  static missingUntil(ms: number): EventMarks {
    return new EventMarks(secondsOf(ms), []);
  }

  /** Reads what {@link bytes} wrote. */
  static read(bytes: Uint8Array): EventMarks {
    // A copy begins where its numbers may.
    const numbers = new Uint32Array(new Uint8Array(bytes).buffer);
    const groups: Group[] = [];
    for (let offset = 1; offset < numbers.length; ) {
      const start = offset + 2;
      offset = start + numbers[offset + 1]!;
      groups.push({ at: numbers[start - 2]!, marks: numbers.subarray(start, offset) });
    }
    return new EventMarks(numbers[0] ?? 0, groups);
  }

  get size(): number {
    return this.groups.reduce((sum, { marks }) => sum + marks.length, 0);
  }

  has(eventId: string): boolean {
    const mark = shortHash(eventId);
    return this.groups.some(({ marks }) => marks.includes(mark));
  }

  /**
   * Whether the event of an earlier result counts already. Where marks were dropped the answer is yes, as it is for nearly every event: an
   * event is counted right after it was scored, and twice would be worse than not at all.
   */
  covers(eventId: string, scoredAt: string): boolean {
    return secondsOf(Date.parse(scoredAt)) <= this.until || this.has(eventId);
  }

  /** With the marks of events that are counted now. */
  with(eventIds: readonly string[], nowMs: number): EventMarks {
    const last = this.groups.at(-1);
    const now = Math.max(secondsOf(nowMs), last?.at ?? 0);
    const joins = last !== undefined && slotOf(last.at) === slotOf(now) && last.marks.length < GROUP_MARKS;
    const groups = joins ? this.groups.slice(0, -1) : [...this.groups];
    groups.push({ at: now, marks: joined(joins ? last.marks : NO_MARKS, eventIds) });
    return new EventMarks(this.until, groups).shortened(now);
  }

  /** The newest group stays whole, so that a batch is safe however many of its records are one user's. */
  private shortened(now: number): EventMarks {
    let { until, size } = this;
    let first = 0;
    for (; first < this.groups.length - 1; first++) {
      const { at, marks } = this.groups[first]!;
      const newer = size - marks.length;
      if (newer < FEWEST || (newer < MOST && now - at <= DAY_SECONDS)) break;
      size = newer;
      until = at;
    }
    return first === 0 ? this : new EventMarks(until, this.groups.slice(first));
  }

  bytes(): Uint8Array {
    const numbers = new Uint32Array(1 + 2 * this.groups.length + this.size);
    numbers[0] = this.until;
    let offset = 1;
    for (const { at, marks } of this.groups) {
      numbers[offset] = at;
      numbers[offset + 1] = marks.length;
      numbers.set(marks, offset + 2);
      offset += 2 + marks.length;
    }
    return new Uint8Array(numbers.buffer);
  }
}

const NO_MARKS = new Uint32Array(0);

function joined(marks: Uint32Array, eventIds: readonly string[]): Uint32Array {
  const all = new Uint32Array(marks.length + eventIds.length);
  all.set(marks);
  for (const [index, id] of eventIds.entries()) all[marks.length + index] = shortHash(id);
  return all;
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000);
const slotOf = (seconds: number): number => Math.floor(seconds / GROUP_SECONDS);
