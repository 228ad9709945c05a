/** `npm run controls`: checks the resource graphs of the stacks against the security controls. */

import { stackGraph } from "@risk/local-aws";
import { checkGraph, notApplicable } from "../controls/index";
import { jsonReport, summary, textReport } from "./controls-report";
import { type CommandLine, parseCommandLine, runCommand } from "./options";

const STACKS = ["dev", "staging", "prod"];

const command: CommandLine = {
  usage: "npm run controls -- [options]",
  about: [
    "Evaluates the program with each stack's config and checks every resource against the security controls.",
    "Needs no account and creates nothing. The exit status is 1 if a control is violated, or if an exemption matches no violation.",
  ].join("\n"),
  options: {
    stack: {
      type: "string",
      value: "NAME",
      help: "Checks only this stack; repeatable. Default: dev, staging and prod.",
      multiple: true,
    },
    json: { type: "boolean", help: "Prints JSON: one entry per stack, with every control and finding." },
  },
  examples: ["npm run controls", "npm run controls -- --stack prod", "npm run --silent controls -- --json > controls.json"],
};

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const chosen = options.list("stack");
  const stacks = chosen.length > 0 ? chosen : STACKS;
  const results = [];
  for (const stack of stacks) {
    const graph = await stackGraph(process.cwd(), stack);
    const result = checkGraph(graph.resources, { stack });
    results.push(result);
    if (!options.flag("json")) process.stdout.write(`${textReport(stack, result)}\n`);
  }
  if (options.flag("json")) {
    const report = { stacks: results.map((result, i) => jsonReport(stacks[i] ?? "", result)), notChecked: notApplicable };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else process.stdout.write(summary(stacks, results, notApplicable));
  return results.every(({ violations, unusedExemptions }) => violations.length + unusedExemptions.length === 0) ? 0 : 1;
}

runCommand(main);
