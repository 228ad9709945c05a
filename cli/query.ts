/** `npm run query`: asks the files of archive, quarantine, labels and batch scoring. */
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { asObjects, asTable, summary } from "./query/report";
import { runQuery, savedQueries, savedQuery } from "./query/run";
import { type QueryTarget, queryTarget } from "./query/target";
import { table } from "./terminal";

const command: CommandLine = {
  usage: "npm run query -- [SQL | --saved NAME | --list] [options]",
  about: [
    "Runs a query in Athena's SQL over the tables of the catalog (docs/catalog.md), with the role of analysts. Name the days (dt): a query that reads",
    "more than catalog.scanLimitMb is cancelled. Works on the platform that runs on this machine (npm start), or on a stack with --aws.",
  ].join("\n"),
  options: {
    saved: { type: "string", value: "NAME", help: "Runs a saved query." },
    list: { type: "boolean", help: "Lists the saved queries." },
    json: { type: "boolean", help: "Prints the rows as JSON." },
    aws: {
      type: "boolean",
      help: "A stack on AWS, with the credentials of the environment, which must be allowed to assume the role.",
    },
    outputs: { type: "string", value: "FILE", help: "--aws: file with the output of pulumi stack output --json." },
  },
  examples: [
    "npm run query -- --saved alerts-by-rule",
    "npm run query -- \"SELECT band, count(*) AS decisions FROM archive_fraud WHERE dt >= '2026-11-01' GROUP BY band\"",
    "npm run query -- --saved score-distribution --json --aws --outputs outputs.json",
  ],
};

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const { positionals } = options;
  const name = options.text("saved");
  const isList = options.flag("list");
  if ([positionals.length > 0, name !== undefined, isList].filter(Boolean).length !== 1 || positionals.length > 1)
    throw new UsageError("Expected one query in quotes, --saved NAME or --list. Try: npm run query -- --list");
  const target = await queryTarget({ aws: options.flag("aws"), outputsFile: options.text("outputs") });
  try {
    if (isList) await printSaved(target, options.flag("json"));
    else await printAnswer(target, { sql: positionals[0], name, isJson: options.flag("json") });
    return 0;
  } finally {
    target.close();
  }
}

async function printSaved(target: QueryTarget, isJson: boolean): Promise<void> {
  const saved = await savedQueries(target);
  const rows = saved.map(({ name, description }) => [name, description]);
  process.stdout.write(`${isJson ? JSON.stringify(saved, null, 2) : table(["query", "answers"], rows)}\n`);
}

async function printAnswer(
  target: QueryTarget,
  query: { readonly sql: string | undefined; readonly name: string | undefined; readonly isJson: boolean },
): Promise<void> {
  const sql = query.name === undefined ? (query.sql ?? "") : (await savedQuery(target, query.name)).sql;
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const answer = await runQuery(target, sql, interrupted.signal);
  process.stdout.write(`${query.isJson ? JSON.stringify(asObjects(answer), null, 2) : asTable(answer)}\n`);
  // So that --json can be piped.
  process.stderr.write(`${summary(answer)}\n`);
}

runCommand(main);
