/** What became of the records that the stream took. */
export interface Sent {
  readonly id: string;
  /** `shardId-000000000000:4959…`, by which quarantine lines name a record. */
  readonly position: string;
}

export interface Outcomes {
  /** Different ids that have a score. */
  readonly scored: number;
  /** Records in quarantine, by reason. */
  readonly quarantined: Readonly<Record<string, number>>;
  /** Different ids that have neither. */
  readonly pending: number;
}

export interface OutcomePorts {
  /** Those of the ids that have a score. */
  readonly scored: (ids: readonly string[]) => Promise<readonly string[]>;
  /** Reasons of the records in quarantine, by position. */
  readonly quarantined: () => Promise<ReadonlyMap<string, string>>;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<unknown>;
  /** Called with the number of ids whose outcome is known. */
  readonly progress: (settled: number) => void;
}

const POLL_MS = 250;

/** Waits until every record is scored or in quarantine, or nothing new has come for `patienceMs`. */
export async function waitForOutcomes(sent: readonly Sent[], ports: OutcomePorts, patienceMs: number): Promise<Outcomes> {
  const ids = new Set(sent.map(({ id }) => id));
  const unscored = new Set(ids);
  let rejected: readonly { readonly id: string; readonly reason: string }[] = [];
  let known = -1;
  let lastProgressAt = ports.now();
  for (;;) {
    for (const id of await ports.scored([...unscored])) unscored.delete(id);
    const reasons = await ports.quarantined();
    rejected = sent.flatMap(({ id, position }) => {
      const reason = reasons.get(position);
      return reason === undefined ? [] : [{ id, reason }];
    });
    const elsewhere = new Set(rejected.map(({ id }) => id));
    const pending = [...unscored].filter((id) => !elsewhere.has(id)).length;
    const settled = ids.size - pending + rejected.length;
    if (settled > known) lastProgressAt = ports.now();
    known = settled;
    ports.progress(ids.size - pending);
    if (pending === 0 || ports.now() - lastProgressAt >= patienceMs)
      return { scored: ids.size - unscored.size, quarantined: countBy(rejected.map(({ reason }) => reason)), pending };
    await ports.pause(POLL_MS);
  }
}

function countBy(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** Lines of the summary. */
export function outcomeRows({ scored, quarantined, pending }: Outcomes): [string, number][] {
  const reasons = Object.entries(quarantined).sort(([, a], [, b]) => b - a);
  return [
    ["scored", scored],
    ["still being scored", pending],
    ...reasons.map(([reason, count]): [string, number] => [`quarantined: ${reason}`, count]),
  ];
}
