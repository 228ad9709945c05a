/** `npm run features`: lists the features, and exports what was known of entities at a moment. */
import { writeFileSync } from "node:fs";
import { PROFILES } from "../functions/scoring/profiles";
import { registeredFeatures } from "../functions/scoring/profiles/feature-registry";
import { readEntities } from "./features/entities";
import { exportFeatures } from "./features/export";
import { featuresTarget } from "./features/target";
import { formatOf } from "./ingest/rows";
import { type CommandLine, type Parsed, parseCommandLine, runCommand, UsageError } from "./options";
import { table } from "./terminal";

const command: CommandLine = {
  usage: "npm run features -- list|export [options]",
  about: [
    "list: every feature with its type, owner, source and version (docs/features.md).",
    "export: for each row of a file (user_id, a token of the archive; as_of if each row has its own moment) the features that were known of the user",
    "then: those of the newest event that had happened and had been scored. Reads the archive of the platform on this machine, or of a stack with --aws.",
  ].join("\n"),
  options: {
    profile: {
      type: "string",
      value: Object.keys(PROFILES).join("|"),
      help: "list: only these. export: whose archive. [default: fraud]",
    },
    entities: { type: "string", value: "FILE", help: "export: CSV or NDJSON with user_id." },
    "as-of": {
      type: "string",
      value: "TIME",
      help: "export: the moment of rows without as_of (ISO 8601; UTC unless it has an offset).",
    },
    "known-by": {
      type: "string",
      value: "TIME",
      help: "export: leaves out what was scored later, to repeat an earlier export. Default: each row's moment.",
    },
    out: {
      type: "string",
      value: "FILE",
      help: "export: where the rows go, as CSV or NDJSON by its name. Default: CSV on standard output.",
    },
    json: { type: "boolean", help: "list: prints JSON." },
    aws: {
      type: "boolean",
      help: "A stack on AWS, with the credentials of the environment, which must be allowed to assume the role.",
    },
    outputs: { type: "string", value: "FILE", help: "--aws: file with the output of pulumi stack output --json." },
  },
  examples: [
    "npm run features -- list --profile fraud",
    "npm run features -- export --entities users.csv --as-of 2026-11-21T00:00:00Z --out features.csv",
  ],
};

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const [action, ...others] = options.positionals;
  if (others.length > 0 || (action !== "list" && action !== "export")) throw new UsageError("Expected list or export.");
  const profile = options.text("profile");
  if (profile !== undefined && !Object.hasOwn(PROFILES, profile))
    throw new UsageError(`--profile: expected ${Object.keys(PROFILES).join(", ")}, got "${profile}".`);
  if (action === "list") list(profile, options.flag("json"));
  else await exportTo(options, profile ?? "fraud");
  return 0;
}

function list(profile: string | undefined, isJson: boolean): void {
  const features = Object.values(PROFILES)
    .filter(({ id }) => profile === undefined || id === profile)
    .flatMap((one) => registeredFeatures(one));
  const rows = features.map((one) => [
    one.profile,
    one.name,
    one.type,
    one.owner,
    one.source.join(", "),
    one.history ?? "",
    one.since,
  ]);
  const headings = ["profile", "feature", "type", "owner", "from", "looks back over", "since"];
  process.stdout.write(`${isJson ? JSON.stringify(features, null, 2) : table(headings, rows)}\n`);
}

async function exportTo(options: Parsed, profile: string): Promise<void> {
  const entities = options.text("entities");
  if (entities === undefined) throw new UsageError("export: expected --entities FILE with a column user_id.");
  const rows = await readEntities(entities, formatOf(entities, undefined), {
    asOf: options.text("as-of"),
    knownBy: options.text("known-by"),
  });
  const out = options.text("out");
  const format = out !== undefined && /\.(ndjson|jsonl)$/i.test(out) ? "ndjson" : "csv";
  const target = await featuresTarget({ aws: options.flag("aws"), outputsFile: options.text("outputs") });
  try {
    const { text, known } = await exportFeatures(target, profile, rows, format);
    if (out === undefined) process.stdout.write(text);
    else writeFileSync(out, text);
    process.stderr.write(`${rows.length} rows, of ${known} of which something was known\n`);
  } finally {
    target.s3.destroy();
  }
}

runCommand(main);
