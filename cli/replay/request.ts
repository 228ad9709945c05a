/** What a replay is asked to do, from the command's options. */
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { type Parsed, UsageError } from "../options";
import { CURRENT, profileOfFile } from "./choice";
import type { ReplayRequest } from "./run";

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

/** @throws UsageError that says which option is wrong, or doesn't go with another one */
export function requestOf(options: Parsed): ReplayRequest {
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

/** Whether a decision may differ from the old one. */
export const changesSomething = ({ policy, sets, model, source }: ReplayRequest): boolean =>
  policy !== undefined || sets.length > 0 || model !== undefined || source === "recomputed";
