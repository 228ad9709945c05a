/** The actions of `npm run model` that work on a platform: parses arguments, prints lines or JSON. */
import { basename, extname } from "node:path";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { type Parsed, UsageError } from "../options";
import { type Change, describeChange, describeState, type EndpointSettings, ModelCommands, profileNamed } from "./commands";
import { goldenIn } from "./golden";
import { awsTarget, localTarget, type Target } from "./target";

const ACTIONS = ["list", "add", "promote", "challenge", "withdraw", "rollback"] as const;
export type LifecycleAction = (typeof ACTIONS)[number];

export const isLifecycleAction = (action: string | undefined): action is LifecycleAction =>
  ACTIONS.some((known) => known === action);

type Print = (line: string) => void;

/** Connects, runs an action and prints. @throws UsageError for a wrong call, ModelFileError for a model that can't be used */
export async function lifecycle(action: LifecycleAction, parsed: Parsed, print: Print): Promise<number> {
  const target = parsed.flag("aws") ? awsTarget(parsed.text("outputs")) : localTarget();
  try {
    return await runLifecycle(target, action, parsed, print);
  } finally {
    target.close();
  }
}

/** Like {@link lifecycle}, on a platform that is already connected. */
export async function runLifecycle(target: Target, action: LifecycleAction, parsed: Parsed, print: Print): Promise<number> {
  const commands = new ModelCommands(target, goldenIn(process.cwd()), endpointSettings(parsed));
  const asJson = parsed.flag("json");
  const [, subject, ...rest] = parsed.positionals;
  if (rest.length > 0) throw new UsageError(`${action}: expected at most one name, got "${[subject, ...rest].join(" ")}".`);
  const profile = (): ProfileId => profileNamed(parsed.text("profile"));
  const named = (what: string): string => {
    if (subject === undefined) throw new UsageError(`${action}: expected ${what}. See npm run model -- --help`);
    return subject;
  };
  const report = (change: Change): number => {
    if (asJson) print(JSON.stringify(change, null, 2));
    else for (const line of describeChange(change)) print(line);
    return 0;
  };
  switch (action) {
    case "list": {
      const all = parsed.text("profile") === undefined ? (Object.keys(PROFILES) as ProfileId[]) : [profile()];
      const states = await Promise.all(all.map((id) => commands.state(id)));
      if (asJson) print(JSON.stringify(states, null, 2));
      else for (const line of states.flatMap((state) => [...describeState(state), ""]).slice(0, -1)) print(line);
      return 0;
    }
    case "add": {
      const file = named("the file of a compiled model");
      const name = parsed.text("name") ?? basename(file, extname(file));
      const added = await commands.add(profile(), name, file);
      if (asJson) print(JSON.stringify({ name, ...added }, null, 2));
      else
        print(
          `${name}: ${added.trees} trees, at ${added.key}. Try it: npm run model -- challenge ${name} --profile ${profile()}`,
        );
      return 0;
    }
    case "promote":
      return report(await commands.promote(profile(), named("a model's name")));
    case "challenge":
      return report(await commands.challenge(profile(), named("a model's name"), numberOption(parsed, "percent", 0, 100)));
    case "withdraw":
      return report(await commands.withdraw(profile(), named("a challenger's name")));
    case "rollback":
      return report(await commands.rollback(profile(), numberOption(parsed, "to", 1, Number.MAX_SAFE_INTEGER)));
  }
}

function endpointSettings(parsed: Parsed): EndpointSettings {
  const contentType = parsed.text("format") ?? "text/csv";
  if (contentType !== "text/csv" && contentType !== "application/json") {
    throw new UsageError(`--format: expected text/csv or application/json, got "${contentType}".`);
  }
  return { contentType, timeoutMs: numberOption(parsed, "timeout", 1, 60_000) ?? 500 };
}

function numberOption(parsed: Parsed, name: string, low: number, high: number): number | undefined {
  const text = parsed.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !(value >= low && value <= high)) {
    throw new UsageError(
      `--${name}: expected a number from ${low}${high === Number.MAX_SAFE_INTEGER ? "" : ` to ${high}`}, got "${text}".`,
    );
  }
  return value;
}
