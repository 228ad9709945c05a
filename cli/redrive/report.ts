import { table } from "../terminal";
import type { Summary } from "./run";

/** Positions that are listed of each reason. */
const SHOWN = 3;

/** The summary for people. */
export function redriveReport(summary: Summary): string {
  const { dryRun, found, redriven, returned, scored, known, archived, pending, quarantined, queues } = summary;
  const reasons = Object.entries(found).sort(([, a], [, b]) => b - a);
  const messages = queues.filter((queue) => queue.found > 0).map((queue) => [queue.queue, queue.found, queue.redriven]);
  const failed = queues.flatMap((queue) => Object.entries(queue.failed).map(([why, count]) => [queue.queue, count, why]));
  const stopped = [
    ...summary.stopped.map(({ what, why }) => [what, why]),
    ...queues.flatMap((queue) => (queue.stopped === undefined ? [] : [[queue.queue, queue.stopped]])),
  ];
  return [
    "",
    reasons.length === 0 ? "No records to redrive." : table(["records because of", "count"], reasons),
    ...(messages.length === 0 ? [] : ["", table(["dead-letter queue", "messages", "sent back"], messages)]),
    ...(dryRun
      ? ["", "Nothing was sent back. Leave out --dry-run to do so."]
      : [
          "",
          table(
            ["summary", "count"],
            [
              ["records put into the stream again", redriven],
              ["messages of quarantine given back to the archiver", returned],
              ["scored now", scored],
              ["scored before", known],
              ["messages that the archiver took", archived],
              ["in quarantine again", quarantined.length],
              ["outcome not known yet", pending],
            ],
          ),
        ]),
    ...(quarantined.length === 0 ? [] : ["", table(["in quarantine again because", "count", "for example"], again(summary))]),
    ...(failed.length === 0 ? [] : ["", table(["stays in", "messages", "because"], failed)]),
    ...(stopped.length === 0 ? [] : ["", table(["ended early", "because"], stopped)]),
    ...unknown(summary),
    "",
  ].join("\n");
}

function again({ quarantined }: Summary): (string | number)[][] {
  const positions = new Map<string, string[]>();
  for (const { reason = "", position } of quarantined) positions.set(reason, [...(positions.get(reason) ?? []), position]);
  return [...positions].map(([reason, list]) => [reason, list.length, list.slice(0, SHOWN).join(", ")]);
}

/** A reason that is not there may be a slip of the pen. */
function unknown({ unknownReasons, reasons }: Summary): string[] {
  if (unknownReasons.length === 0) return [];
  const known = reasons.length === 0 ? "there are none" : `there are ${reasons.join(", ")}`;
  return ["", `Nothing has the reason ${unknownReasons.join(", ")}; ${known}.`];
}
