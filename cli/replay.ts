/** `npm run replay`: scores the archive's events again. */
import { availableParallelism } from "node:os";
import { PROFILES } from "../functions/scoring/profiles";
import { type CommandLine, parseCommandLine, runCommand } from "./options";
import { CURRENT } from "./replay/choice";
import { replayReport } from "./replay/report";
import { changesSomething, requestOf } from "./replay/request";
import { type ReplaySummary, runReplay } from "./replay/run";
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
