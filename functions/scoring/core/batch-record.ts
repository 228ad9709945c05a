import { decimal, type Line, text, time } from "./line-columns";

/**
 * One line of a batch's scores (`inference/scores/<dataset>/dt=<day>/part-….json.gz`), which `jobs/glue/load_scores.py` writes, and one row
 * of `risk.batch_scores`.
 */
export const BATCH_SCORE_COLUMNS = {
  dataset: text(64, "Dataset that the day belongs to."),
  event_id: text(512, "Key of the scored row."),
  score_date: { ...text(10, "Day that was scored."), type: "DATE" },
  score: decimal("The model's own score in the profile's scale; no rule of a policy has a part in it."),
  score_scale: decimal("Upper end of the profile's scale: 1 or 100."),
  model_version: text(256, "The model that scored."),
  scored_at: time("When the scores were loaded."),
} as const;

export type BatchScoreRecord = Line<typeof BATCH_SCORE_COLUMNS>;
