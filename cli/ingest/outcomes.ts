/** What became of the records that the stream took. */
export interface Sent {
  readonly id: string;
  /** `shardId-000000000000:4959…`, by which quarantine lines name a record. */
  readonly position: string;
}

export interface Outcomes {
  /** Different ids that were scored since the start. */
  readonly scored: number;
  /** Different ids that had a score before, which a record with the same content doesn't change. */
  readonly scoredBefore: number;
  /** Records in quarantine, by reason. */
  readonly quarantined: Readonly<Record<string, number>>;
  /** Different ids that have neither. */
  readonly pending: number;
}

export interface OutcomePorts {
  /** When those of the ids that have a score were scored, in ms. */
  readonly scored: (ids: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** Reasons of the records in quarantine, by position. */
  readonly quarantined: () => Promise<ReadonlyMap<string, string>>;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
  /** Called with the number of ids whose outcome is known. */
  readonly progress: (settled: number) => void;
}

const POLL_MS = 250;

/**
 * Waits until every record is scored or in quarantine, or nothing new has come for `patienceMs`: a record whose id had a score before leaves
 * no trace unless it goes to quarantine.
 */
export async function waitForOutcomes(
  sent: readonly Sent[],
  startedAtMs: number,
  ports: OutcomePorts,
  patienceMs: number,
): Promise<Outcomes> {
  const ids = new Set(sent.map(({ id }) => id));
  const unscored = new Set(ids);
  const before = new Set<string>();
  let rejected: readonly { readonly id: string; readonly reason: string }[] = [];
  let known = -1;
  let lastProgressAt = ports.now();
  for (;;) {
    for (const [id, at] of await ports.scored([...unscored].filter((id) => !before.has(id)))) {
      if (at < startedAtMs) before.add(id);
      else unscored.delete(id);
    }
    const reasons = await ports.quarantined();
    rejected = sent.flatMap(({ id, position }) => {
      const reason = reasons.get(position);
      return reason === undefined ? [] : [{ id, reason }];
    });
    const elsewhere = new Set(rejected.map(({ id }) => id));
    const open = [...unscored].filter((id) => !elsewhere.has(id));
    const settled = ids.size - open.length + rejected.length;
    if (settled > known) lastProgressAt = ports.now();
    known = settled;
    ports.progress(ids.size - open.length);
    if (open.length === 0 || ports.now() - lastProgressAt >= patienceMs) {
      const scoredBefore = open.filter((id) => before.has(id)).length;
      const quarantined = countBy(rejected.map(({ reason }) => reason));
      return { scored: ids.size - unscored.size, scoredBefore, quarantined, pending: open.length - scoredBefore };
    }
    await ports.pause(POLL_MS);
  }
}

function countBy(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** 1 when nothing was scored or, without waiting, nothing was sent: an empty file is more often an export that failed than one on purpose. */
export function exitStatus({ accepted, outcomes }: { readonly accepted: number; readonly outcomes: Outcomes | null }): 0 | 1 {
  const achieved = outcomes === null ? accepted : outcomes.scored + outcomes.scoredBefore;
  return achieved === 0 ? 1 : 0;
}

/** Lines of the summary. */
export function outcomeRows({ scored, scoredBefore, quarantined, pending }: Outcomes): [string, number][] {
  const reasons = Object.entries(quarantined).sort(([, a], [, b]) => b - a);
  return [
    ["scored", scored],
    ["scored before, so nothing new", scoredBefore],
    ["still being scored", pending],
    ...reasons.map(([reason, count]): [string, number] => [`quarantined: ${reason}`, count]),
  ];
}
