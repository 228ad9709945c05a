/** `npm run replay`: scores the archive's events again. */
import { availableParallelism } from "node:os";
import { PROFILES, type ProfileId } from "../functions/scoring/profiles";
import { type CommandLine, type Parsed, parseCommandLine, runCommand, UsageError } from "./options";
import { CURRENT, profileOfFile } from "./replay/choice";
import { replayReport } from "./replay/report";
import { type ReplayRequest, type ReplaySummary, runReplay } from "./replay/run";
import { archiveTarget } from "./replay/target";
import { Progress } from "./terminal";

const command: CommandLine = {
  usage: "npm run replay -- --from DAY [options]",
  about: [
    "Scores the archive's events again and prints what would change. With no policy and no model given, every event is scored with those that",
    "decided about it, and must get exactly its old decision. Writes nothing without --apply; with it, the decisions become a new decision",
    "generation beside the old ones in the warehouse. Works on the platform that runs on this machine (npm start), or on a stack with --aws.",
    "Exit status 1: events could not be scored again; or, with nothing changed, decisions aren't identical.",
  ].join("\n"),
  options: {
    from: { type: "string", value: "DAY", help: "First day of arrival, 2026-11-01 (UTC)." },
    to: { type: "string", value: "DAY", help: "Last day of arrival. Default: today." },
    profile: {
      type: "string",
      value: Object.keys(PROFILES).join("|"),
      help: "Only this profile. Default: all, or the policy file's.",
    },
    policy: {
      type: "string",
      value: `FILE|${CURRENT}`,
      help: "Policy to score with: a document, or the one in force. Default: the one that decided.",
    },
    set: {
      type: "string",
      value: "NAME=NUMBER",
      multiple: true,
      help: "Changes a number of that policy, or of the one in force: thresholds.high_amount=400, weights.night=0.1, bands.high=0.7. May be repeated.",
    },
    model: { type: "string", value: "NAME", help: "Model to score with. Default: the one that answered." },
    recompute: { type: "boolean", help: "Computes the features again from the archived inputs, in order of occurrence." },
    "warm-up": {
      type: "string",
      value: "DAYS",
      default: "0",
      help: "--recompute: days before --from whose events build up the states.",
    },
    "dry-run": { type: "boolean", help: "Only prints what would change. This is the default." },
    apply: { type: "boolean", help: "Writes the decisions as a new decision generation." },
    threads: {
      type: "string",
      value: "COUNT",
      default: String(2 * availableParallelism()),
      help: "Threads; by default two a core, as half of their time is reading.",
    },
    aws: { type: "boolean", help: "A stack on AWS, with the credentials of the environment." },
    outputs: { type: "string", value: "FILE", help: "--aws: file with the output of pulumi stack output --json." },
    json: { type: "boolean", help: "Prints the summary as JSON." },
  },
  examples: [
    "npm run replay -- --from 2026-11-01",
    "npm run replay -- --from 2026-11-01 --to 2026-11-21 --profile fraud --set thresholds.high_amount=400",
    "npm run replay -- --from 2026-11-01 --policy policy.json --apply",
    "npm run replay -- --from 2026-11-15 --profile fraud --recompute --warm-up 14",
  ],
};

const DAY = /^\d{4}-\d\d-\d\d$/;

function dayOf(name: string, text: string | undefined): string {
  const time = text !== undefined && DAY.test(text) ? Date.parse(text) : Number.NaN;
  // 30 February is read as 1 March.
  if (text === undefined || Number.isNaN(time) || !new Date(time).toISOString().startsWith(text))
    throw new UsageError(`--${name}: expected a day such as 2026-11-01, got ${text === undefined ? "nothing" : `"${text}"`}.`);
  return text;
}

function countOf(options: Parsed, name: string, least: number): number {
  const value = Number(options.text(name));
  if (!Number.isInteger(value) || value < least)
    throw new UsageError(`--${name}: expected a whole number from ${least}, got "${options.text(name)}".`);
  return value;
}

function profilesOf(options: Parsed): readonly ProfileId[] {
  const all = Object.keys(PROFILES) as ProfileId[];
  const policy = options.text("policy");
  const given = options.text("profile");
  const wanted = given ?? (policy === undefined || policy === CURRENT ? undefined : profileOfFile(policy));
  const single = options.list("set").length > 0 || options.text("model") !== undefined;
  if (wanted === undefined) {
    if (single) throw new UsageError(`--set and --model are of one profile: add --profile ${all.join("|")}.`);
    return all;
  }
  const found = all.find((id) => id === wanted);
  if (found === undefined) throw new UsageError(`--profile: expected ${all.join(", ")}, got "${wanted}".`);
  return [found];
}

function requestOf(options: Parsed): ReplayRequest {
  if (options.positionals.length > 0) throw new UsageError(`Expected options only, got: ${options.positionals.join(", ")}.`);
  const days = {
    from: dayOf("from", options.text("from")),
    to: dayOf("to", options.text("to") ?? new Date().toISOString().slice(0, 10)),
  };
  if (days.from > days.to) throw new UsageError(`--from ${days.from} is after --to ${days.to}.`);
  if (options.flag("apply") && options.flag("dry-run"))
    throw new UsageError("--apply writes and --dry-run does not: give one of them.");
  const request: ReplayRequest = {
    days,
    profiles: profilesOf(options),
    policy: options.text("policy"),
    sets: options.list("set"),
    model: options.text("model"),
    source: options.flag("recompute") ? "recomputed" : "archived",
    warmUpDays: countOf(options, "warm-up", 0),
    apply: options.flag("apply"),
    threads: countOf(options, "threads", 1),
    progress: () => undefined,
  };
  if (request.warmUpDays > 0 && request.source === "archived")
    throw new UsageError("--warm-up is of --recompute: add it, or leave both out.");
  if (request.apply && !changesSomething(request))
    throw new UsageError(
      "--apply would only copy the old decisions: say what to change with --policy, --set, --model or --recompute.",
    );
  return request;
}

const changesSomething = ({ policy, sets, model, source }: ReplayRequest): boolean =>
  policy !== undefined || sets.length > 0 || model !== undefined || source === "recomputed";

/** Whether every event got a decision and, with nothing changed, its old one; a random part is nobody's fault. */
function isClean({ profiles }: ReplaySummary, changed: boolean): boolean {
  return profiles.every(
    ({ events, identical, random, leftOut }) => Object.keys(leftOut).length === 0 && (changed || identical + random >= events),
  );
}

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const request = requestOf(options);
  const target = archiveTarget({ aws: options.flag("aws"), outputsFile: options.text("outputs") });
  let bar: Progress | undefined;
  try {
    const summary = await runReplay(target, {
      ...request,
      progress: (done, total) => {
        bar ??= new Progress("replay", total);
        bar.update(done);
      },
    });
    bar?.end();
    process.stdout.write(options.flag("json") ? `${JSON.stringify(summary, null, 2)}\n` : replayReport(summary));
    return isClean(summary, changesSomething(request)) ? 0 : 1;
  } finally {
    target.close();
  }
}

runCommand(main);
