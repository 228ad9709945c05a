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
  readonly marks: readonly number[];
}

const DAY_SECONDS = 86_400;
/** Groups are dropped whole: of few marks a group holds six hours' ones, of many about this number. */
const GROUP_SECONDS = DAY_SECONDS / 4;
const GROUP_MARKS = 512;
/** So many of the newest marks are kept, however old they are. */
const FEWEST = 16;
/** More than a day's marks are dropped as soon as there are so many newer ones. */
const MOST = 2_048;
/** From here on a set is faster than a search. */
const FEW_TO_SEARCH = 64;

const UNTIL_BYTES = 4;
const GROUP_HEAD_BYTES = 7;
const MARK_BYTES = 4;

export class EventMarks {
  static readonly NONE = new EventMarks(0, []);

  #all: ReadonlySet<number> | undefined;

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
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const groups: Group[] = [];
    for (let offset = UNTIL_BYTES; offset < bytes.length; ) {
      const at = view.getUint32(offset);
      const count = view.getUint8(offset + 4) * 2 ** 16 + view.getUint16(offset + 5);
      offset += GROUP_HEAD_BYTES;
      const marks = new Array<number>(count);
      for (let index = 0; index < count; index++, offset += MARK_BYTES) marks[index] = view.getUint32(offset);
      groups.push({ at, marks });
    }
    return new EventMarks(view.getUint32(0), groups);
  }

  get size(): number {
    return this.groups.reduce((sum, { marks }) => sum + marks.length, 0);
  }

  has(eventId: string): boolean {
    const mark = shortHash(eventId);
    if (this.size <= FEW_TO_SEARCH) return this.groups.some(({ marks }) => marks.includes(mark));
    this.#all ??= new Set(this.groups.flatMap(({ marks }) => marks));
    return this.#all.has(mark);
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
    const added = eventIds.map(shortHash);
    const joins = last !== undefined && slotOf(last.at) === slotOf(now) && last.marks.length < GROUP_MARKS;
    const groups = joins
      ? [...this.groups.slice(0, -1), { at: now, marks: [...last.marks, ...added] }]
      : [...this.groups, { at: now, marks: added }];
    return new EventMarks(this.until, groups).#shortened(now);
  }

  /** The newest group stays whole, so that a batch is safe however many of its records are one user's. */
  #shortened(now: number): EventMarks {
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
    const bytes = Buffer.allocUnsafe(UNTIL_BYTES + this.groups.length * GROUP_HEAD_BYTES + this.size * MARK_BYTES);
    let offset = bytes.writeUInt32BE(this.until);
    for (const { at, marks } of this.groups) {
      offset = bytes.writeUInt32BE(at, offset);
      offset = bytes.writeUIntBE(marks.length, offset, 3);
      for (const mark of marks) offset = bytes.writeUInt32BE(mark, offset);
    }
    return bytes;
  }
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000);
const slotOf = (seconds: number): number => Math.floor(seconds / GROUP_SECONDS);
