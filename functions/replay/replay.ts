/** From archived events to their outcomes: the whole of a replay but reading and writing. */
import { type Remembered, recompute } from "./recompute";
import { type LeftOut, type Outcome, type Row, rescore, type Scoring } from "./rescore";

/** What features events are scored with. `archived`: those of the time. `recomputed`: from the archived inputs, see {@link recompute}. */
export type FeatureSource = "archived" | "recomputed";

/** The outcomes of the events that aren't of the warm-up. For recomputed features, all events of a user have to be given together. */
export function replay(events: readonly Remembered[], source: FeatureSource, scoring: Scoring): readonly Outcome[] {
  const rows: readonly (Row | LeftOut)[] =
    source === "recomputed"
      ? recompute(events, scoring.versions.profile)
      : events.filter(({ warmUp }) => !warmUp).map(({ event }) => ({ event, features: event.features }));
  const scorable = rows.filter((row): row is Row => "features" in row);
  return [...rescore(scorable, scoring), ...rows.filter((row): row is LeftOut => "leftOut" in row)];
}
