/** `npm run decision`: shows one decision with everything that led to it, and makes it again. */
import type { ArchiveRecord } from "../functions/scoring/core/archive-record";
import { PROFILES, type ProfileId } from "../functions/scoring/profiles";
import { findLine } from "./decision/find";
import { recall } from "./decision/recall";
import { decisionReport } from "./decision/report";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { historyOf, openModel } from "./replay/history";
import { archiveTarget } from "./replay/target";

const command: CommandLine = {
  usage: "npm run decision -- EVENT_ID [options]",
  about: [
    "Shows an event's decision: input, features, every rule with the values that it compared, contributions and versions. Then makes the",
    "decision again from the archive, with the policy and the model of the time, and says whether it is the same bit by bit. Works on the",
    "platform that runs on this machine (npm start), or on a stack with --aws.",
    "Exit status 1: the decision isn't identical.",
  ].join("\n"),
  options: {
    aws: { type: "boolean", help: "A stack on AWS, with the credentials of the environment." },
    outputs: { type: "string", value: "FILE", help: "--aws: file with the output of pulumi stack output --json." },
    json: { type: "boolean", help: "Prints everything as JSON." },
  },
  examples: [
    "npm run decision -- tx-1",
    "npm run decision -- tx-1 --json",
    "npm run decision -- tx-1 --aws --outputs outputs.json",
  ],
};

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const [eventId, ...more] = options.positionals;
  if (eventId === undefined || more.length > 0)
    throw new UsageError(
      `Expected one event's id: a transaction's, or the id of a REST answer; got ${options.positionals.length}.`,
    );
  const target = archiveTarget({ aws: options.flag("aws"), outputsFile: options.text("outputs") });
  try {
    const found = await findLine(target, eventId);
    if (found === undefined)
      throw new UsageError(
        `No event "${eventId}" was found. Its record may be in quarantine, still on its way, or no longer kept.`,
      );
    const profile = profileOf(found.line);
    const history = await historyOf(target, profile);
    const recalled = await recall(found.line, profile, history, (ref) =>
      openModel(target.s3, target.names.modelBucket, profile, ref),
    );
    const json = { archiveKey: found.key, ...recalled };
    process.stdout.write(
      options.flag("json") ? `${JSON.stringify(json, null, 2)}\n` : decisionReport(recalled, profile, found.key),
    );
    return recalled.recomputed.identical ? 0 : 1;
  } finally {
    target.close();
  }
}

function profileOf(line: string): ProfileId {
  const { profile }: Pick<ArchiveRecord, "profile"> = JSON.parse(line);
  const found = (Object.keys(PROFILES) as ProfileId[]).find((id) => id === profile);
  if (found === undefined)
    throw new UsageError(`The event is of profile "${profile}", which this version of the program doesn't have.`);
  return found;
}

runCommand(main);
