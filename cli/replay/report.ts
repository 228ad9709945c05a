/** What a replay changes, for people. */
import type { Change, Counts } from "../../functions/replay/changes";
import { PROFILES } from "../../functions/scoring/profiles";
import { paint, table } from "../terminal";
import type { ProfileSummary, ReplaySummary } from "./run";

export function replayReport(summary: ReplaySummary): string {
  const { from, to, objects, features, decisionGeneration, writtenBefore } = summary;
  const head = `Events that arrived from ${from} to ${to}, in ${plural(objects, "object")} of the archive; features ${features}.`;
  const events = summary.profiles.filter((profile) => profile.events > 0);
  const none = events.length === 0 ? ["There are no events."] : [];
  return [head, ...none, ...events.map(profileReport), ending(decisionGeneration, writtenBefore), ""]
    .join("\n\n")
    .trimEnd()
    .concat("\n");
}

function ending(decisionGeneration: number | null, writtenBefore: boolean): string {
  if (decisionGeneration === null)
    return "Nothing was written. To store these decisions as a new decision generation, add --apply.";
  return writtenBefore
    ? `Decision generation ${decisionGeneration} holds exactly this; nothing was written again.`
    : `Written as decision generation ${decisionGeneration}. The warehouse has it after its next load: SELECT * FROM risk.newest_decisions`;
}

function profileReport(summary: ProfileSummary): string {
  const { profile, policy, model, events, unchanged, identical, random, moved, movedBy, largest, endpoints, leftOut } = summary;
  const title = `${paint("bold", profile)}: policy ${policy ?? "of the time"}, model ${model ?? "of the time"}`;
  const exact = policy === null && model === null;
  const same = exact ? `identical: ${number(identical)}` : `unchanged but for the versions: ${number(unchanged)}`;
  const lines = [title, `  ${same} of ${number(events)}`];
  if (random > 0) lines.push(`  ${plural(random, "score")} had a random part, which can't be repeated`);
  if (moved > 0) {
    const { max } = PROFILES[profile].scale;
    lines.push(
      `  ${plural(moved, "score")} differ${moved === 1 ? "s" : ""}: by ${short(movedBy / moved)} on average, ${short(largest)} at most (scale 0 to ${max})`,
    );
  }
  const parts = [
    counts("band", summary.bands),
    counts("rule fires now", summary.gained),
    counts("rule no longer fires", summary.lost),
    counts("feature recomputed differently", summary.features),
    counts("not scored again", leftOut),
    examples(summary.examples),
  ].filter((part) => part !== "");
  const remote = endpoints.filter((name) => Object.keys(leftOut).some((reason) => reason.includes(` ${name} `)));
  if (remote.length > 0)
    parts.push(`  ${remote.join(", ")} answers from an endpoint; a replay asks none. Choose another with --model.`);
  return [lines.join("\n"), ...parts].join("\n\n");
}

function counts(heading: string, given: Counts): string {
  const rows = Object.entries(given).sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1));
  return rows.length === 0 ? "" : table([heading, "events"], rows);
}

function examples(changes: readonly Change[]): string {
  if (changes.length === 0) return "";
  const rows = changes.map(({ eventId, from, to, gained, lost }) => [
    eventId,
    `${short(from.score)} ${from.band}`,
    `${short(to.score)} ${to.band}`,
    [...gained.map((rule) => `+${rule}`), ...lost.map((rule) => `-${rule}`)].join(" "),
  ]);
  return table(["moved most", "was", "is", "rules"], rows);
}

const number = (value: number): string => value.toLocaleString("en-US");
const plural = (value: number, noun: string): string => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
const short = (value: number): string => String(Number(value.toPrecision(4)));
