import { decimal, flag, integer, json, type Line, named, orNull, rare, text, time } from "./line-columns";

/**
 * One line of an object of a decision generation (`generations/<number>/<profile>/…`) and one row of `risk.decision_generations`: what a
 * replay decided about an event that is in the archive. Its place, amount and input are in the event's own line.
 */
export const GENERATION_COLUMNS = {
  event_id: text(512, "Of an event of the archive."),
  decision_generation: integer(
    "Number of the replay that made it, from 1. The decision made when the event arrived is generation 0.",
  ),
  profile: text(64, "`fraud`, `lead`, `churn` or `device`."),
  user_id: orNull(text(512, "Token of the user, card or account; null where the profile has none.")),
  occurred_at: named('"timestamp"', time("When the event happened.")),
  scored_at: time("When the replay began."),
  score: decimal("In the profile's scale."),
  score_scale: decimal("Upper end of the profile's scale: 1 or 100."),
  band: text(64, "Name of the policy's band that the score falls in."),
  model_version: text(256, "The model that answered."),
  policy_version: text(256, "The policy that decided."),
  model_role: rare(text(64, "As in the archive, when the replay kept the event's model.")),
  model_fallback: rare(text(4096, "As in the archive, when the replay kept the event's model.")),
  flags: json<readonly string[]>("Ids of the rules that fired."),
  reasons: json<readonly { readonly code: string; readonly text: string; readonly contribution: number }[]>(
    "What moved the score, largest contribution first; they add up to it.",
  ),
  geo_flag: flag("A rule about places fired."),
  velocity_flag: flag("A rule about frequency fired."),
  amount_flag: flag("A rule about the amount fired."),
  hour_flag: flag("The rule about the hour fired."),
  features: json<Readonly<Record<string, number | null>>>(
    "Values by name that the score was computed from: those of the archive, or recomputed ones.",
  ),
} as const;

export type GenerationRecord = Line<typeof GENERATION_COLUMNS>;
